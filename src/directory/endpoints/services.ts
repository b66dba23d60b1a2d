// Which endpoints each Service has, over all of its EndpointSlices: an endpoint that is in two of them is one.
import { type SliceFacts, STATES, type State } from './slice.js'

/** `before`, `after`: undefined where the Service has not got it. */
export interface Turn {
  readonly namespace: string
  /** `namespace/name`. */
  readonly service: string
  readonly id: string
  readonly before: State | undefined
  readonly after: State | undefined
}

export interface Services {
  /** Slices by their keys, as the API server has them. */
  put(key: string, slice: SliceFacts): void
  remove(key: string): void
  /** Services of a namespace that have this endpoint. */
  having(namespace: string, id: string): readonly string[]
  /** Whether it has a slice, though it be empty. */
  has(namespace: string, service: string): boolean
}

const serviceKeyOf = ({ namespace, service }: Pick<SliceFacts, 'namespace' | 'service'>): string => `${namespace}/${service}`

/** `heard` is told of each endpoint of a Service that is not what it was. */
export function createServices(heard: (turn: Turn) => void): Services {
  const slices = new Map<string, SliceFacts>()
  /** By namespace and key: restarted pods are looked for in their own namespace only. */
  const namespaces = new Map<string, Map<string, readonly SliceFacts[]>>()

  const slicesOf = (namespace: string, service: string): readonly SliceFacts[] => namespaces.get(namespace)?.get(service) ?? []

  function keep({ namespace }: SliceFacts, service: string, all: readonly SliceFacts[]): void {
    const services = namespaces.get(namespace) ?? new Map<string, readonly SliceFacts[]>()
    if (all.length > 0) services.set(service, all)
    else services.delete(service)
    if (services.size > 0) namespaces.set(namespace, services)
    else namespaces.delete(namespace)
  }

  /** Both of one Service. */
  function replace(before: SliceFacts | undefined, after: SliceFacts | undefined): void {
    const slice = (after ?? before) as SliceFacts
    const { namespace } = slice
    const service = serviceKeyOf(slice)
    const others = slicesOf(namespace, service).filter((one) => one !== before)
    keep(slice, service, after ? others.concat(after) : others)
    const [was, is] = [statesOf(before), statesOf(after)]
    for (const id of new Set([...was.keys(), ...is.keys()])) {
      if (was.get(id) === is.get(id)) continue
      const elsewhere = others.map((one) => stateIn(one, id))
      const turn = { namespace, service, id, before: firstOf([was.get(id), ...elsewhere]), after: firstOf([is.get(id), ...elsewhere]) }
      if (turn.before !== turn.after) heard(turn)
    }
  }

  function remove(key: string): void {
    const before = slices.get(key)
    if (slices.delete(key)) replace(before, undefined)
  }

  return {
    put(key, slice) {
      const before = slices.get(key)
      const isOfAnother = before !== undefined && serviceKeyOf(before) !== serviceKeyOf(slice)
      if (isOfAnother) remove(key)
      slices.set(key, slice)
      replace(isOfAnother ? undefined : before, slice)
    },
    remove,
    having(namespace, id) {
      const services = namespaces.get(namespace) ?? new Map<string, readonly SliceFacts[]>()
      return [...services].flatMap(([service, all]) => (all.some((slice) => stateIn(slice, id) !== undefined) ? [service] : []))
    },
    has: (namespace, service) => slicesOf(namespace, service).length > 0,
  }
}

const stateIn = (slice: SliceFacts, id: string): State | undefined => STATES.find((state) => slice[state].includes(id))

const firstOf = (states: readonly (State | undefined)[]): State | undefined => STATES.find((state) => states.includes(state))

function statesOf(slice: SliceFacts | undefined): ReadonlyMap<string, State> {
  if (slice === undefined) return new Map()
  // The first of them is set last.
  return new Map([...STATES].reverse().flatMap((state) => slice[state].map((id) => [id, state] as const)))
}
