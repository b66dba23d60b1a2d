// The few facts of a ServiceEntry that are kept (networking.istio.io, as of v1beta1).
import { fieldsOf, listOf, type Raw, textOf } from '../../formats/raw.js'
import { parsePrefix } from '../address.js'
import { type Endpoint, endpointOf } from './endpoint.js'
import { objectOf } from './raw.js'

export interface ServiceEntryFacts {
  readonly namespace: string
  readonly name: string
  /** Of MESH_EXTERNAL, which is also what is meant where nothing is said. */
  readonly isExternal: boolean
  readonly endpoints: readonly Endpoint[]
}

/** Undefined where it is no ServiceEntry as the API server writes it. */
export function serviceEntryFactsOf(raw: unknown): ServiceEntryFacts | undefined {
  const object = objectOf(raw, 'ServiceEntry', 'networking.istio.io')
  if (!object?.namespace) return undefined
  const { spec, namespace, name } = object
  const endpoints = Object.freeze(specsOf(spec).flatMap((one) => endpointOf(one) ?? []))
  return Object.freeze({ namespace, name, isExternal: spec.location !== 'MESH_INTERNAL', endpoints })
}

/** Whom a selector selects says itself where it is. */
function specsOf(spec: Raw): readonly Raw[] {
  const { resolution = 'NONE' } = spec
  if (resolution === 'NONE') return listOf(spec.addresses).map((address) => ({ address: alone(textOf(address)) }))
  if (spec.workloadSelector || resolution === 'DYNAMIC_DNS') return []
  const listed = listOf(spec.endpoints).map(fieldsOf)
  return listed.length > 0 || resolution === 'STATIC' ? listed : listOf(spec.hosts).map((address) => ({ address }))
}

/** Proxies send to `addresses` only where they resolve nothing; all others are virtual. Ranges are for the inventory. */
function alone(cidr: string): string {
  const prefix = parsePrefix(cidr)
  return prefix?.length === (prefix?.address.length ?? 0) * 32 ? cidr.replace(/\/.*/, '') : ''
}
