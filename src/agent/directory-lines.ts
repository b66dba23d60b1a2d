// A line of the directory -> what it says (docs/directory.md). What is not of its shape is left out.
import type { NodeRange, Tenancy, Zone } from '../identity/tenancies.js'
import type { Stretch } from '../model.js'

export interface DirectoryLine {
  readonly session: string
  readonly instance: string
  readonly revision: number | undefined
  readonly tenancies: readonly Tenancy[]
  readonly nodes: readonly { readonly name: string; readonly covers: boolean }[]
  readonly ranges: readonly NodeRange[]
  readonly zones: readonly Zone[] | undefined
  /** Times in which the directory may have missed whoever came and went. Undefined: it does not say. */
  readonly unheard: readonly Stretch[] | undefined
}

type Raw = Readonly<Record<string, unknown>>

const UNKNOWN = '_unknown'
const COVERAGES = ['node', 'always', 'never', 'outside'] as const

/** Throws a SyntaxError where it is no JSON object. */
export function parseDirectoryLine(text: string): DirectoryLine {
  const line: unknown = JSON.parse(text)
  if (typeof line !== 'object' || line === null) throw new SyntaxError('a line of the directory is no JSON object')
  const { session, instance, revision, tenancies, nodes, ranges, zones, unheard } = line as Raw
  return {
    session: textOf(session),
    instance: textOf(instance),
    revision: typeof revision === 'number' ? revision : undefined,
    tenancies: rowsOf(tenancies).flatMap(tenancyOf),
    nodes: rowsOf(nodes).flatMap(({ name, covers }) => (textOf(name) ? [{ name: textOf(name), covers: covers === true }] : [])),
    ranges: rowsOf(ranges).flatMap(({ cidr, node }) => (textOf(cidr) && textOf(node) ? [{ cidr: textOf(cidr), node: textOf(node) }] : [])),
    zones: zones === undefined ? undefined : rowsOf(zones).map(({ zone, region }) => ({ zone: known(zone), region: known(region) })),
    unheard: unheard === undefined ? undefined : rowsOf(unheard).flatMap(stretchOf),
  }
}

const stretchOf = ({ fromMs, toMs }: Raw): readonly Stretch[] =>
  typeof fromMs === 'number' && typeof toMs === 'number' ? [{ fromMs, toMs }] : []

function tenancyOf(row: Raw): readonly Tenancy[] {
  const [address, key] = [textOf(row.address), textOf(row.key)]
  const coverage = COVERAGES.find((one) => one === row.coverage)
  const fromMs = row.fromMs
  if (!address || !key || !coverage || typeof fromMs !== 'number') return []
  const external = row.external === true
  const who = Object.freeze({
    ...(external ? { zone: '', region: '' } : { zone: known(row.zone), region: known(row.region) }),
    namespace: textOf(row.namespace),
    kind: known(row.kind),
    name: known(row.name),
    external,
  })
  const untilMs = typeof row.untilMs === 'number' ? row.untilMs : Number.POSITIVE_INFINITY
  return [{ address, key, tenant: Object.freeze({ who, node: textOf(row.node), coverage }), fromMs, untilMs }]
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const known = (value: unknown): string => textOf(value) || UNKNOWN
const rowsOf = (value: unknown): readonly Raw[] =>
  Array.isArray(value) ? value.filter((row): row is Raw => typeof row === 'object' && row !== null) : []
