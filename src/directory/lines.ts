// What is told, one JSON object a line (docs/directory.md).
import type { NodeRange, Tenancy, Zone } from '../identity/tenancies.js'
import type { Stretch } from '../model.js'

export interface Opening {
  readonly session: string
  readonly instance: string
  /** From which on changes are told; 0: all is told anew. */
  readonly revision: number
  readonly unheard: readonly Stretch[]
}

export interface NodeCovers {
  readonly name: string
  readonly covers: boolean
}

export const openingLine = ({ session, instance, revision, unheard }: Opening): string => line({ session, instance, revision, unheard })

export const unheardLine = (unheard: readonly Stretch[]): string => line({ unheard })

export const nodesLine = (nodes: readonly NodeCovers[]): string => line({ nodes })

export const tenanciesLine = (tenancies: readonly Tenancy[]): string => line({ tenancies: tenancies.map(rowOf) })

export const rangesLine = (ranges: readonly NodeRange[]): string => line({ ranges: ranges.map(({ cidr, node }) => ({ cidr, node })) })

export const zonesLine = (zones: readonly Zone[]): string => line({ zones: zones.map(({ zone, region }) => ({ zone, region })) })

export const revisionLine = (revision: number): string => line({ revision })

const line = (told: object): string => `${JSON.stringify(told)}\n`

function rowOf({ address, key, tenant, fromMs, untilMs }: Tenancy): object {
  const { who, node, coverage } = tenant
  const { zone, region, namespace, kind, name, external } = who
  // JSON has no Infinity.
  const until = untilMs === Number.POSITIVE_INFINITY ? null : untilMs
  return { address, key, node, coverage, zone, region, namespace, kind, name, ...(external && { external }), fromMs, untilMs: until }
}
