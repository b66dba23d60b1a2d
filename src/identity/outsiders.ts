// Whom somebody says to be at an address that the cluster does not give: hosts that Istio is told of. They go after all that has an address of
// the cluster, since who writes a ServiceEntry can write any address into it; and nobody's agent posts for them.
import type { Placement, Who } from '../model.js'
import type { Tenancy } from './tenancies.js'

/** Addresses are canonical text. */
export interface Outsiders {
  put(tenancy: Tenancy): void
  place(address: string): Placement | undefined
}

interface Said {
  readonly tenancies: readonly Tenancy[]
  /** Made when it is asked for: a thousand ServiceEntries may name one gateway, each put by itself. */
  placement?: Placement
}

const UNKNOWN = '_unknown'
const KINDS = ['ServiceEntry', 'WorkloadEntry']

/** Who was only said to be there takes nothing from who came to be there: a pod's own address may be listed. */
export const isOutsider = ({ kind }: Who): boolean => KINDS.includes(kind)

export function createOutsiders(): Outsiders {
  const said = new Map<string, Said>()
  return {
    put(tenancy) {
      const { address, key, untilMs } = tenancy
      const others = (said.get(address)?.tenancies ?? []).filter((other) => other.key !== key)
      const tenancies = untilMs === Number.POSITIVE_INFINITY ? [...others, tenancy] : others
      if (tenancies.length === 0) said.delete(address)
      else said.set(address, { tenancies })
    },
    place(address) {
      const found = said.get(address)
      if (found) found.placement ??= Object.freeze({ who: sharedOf(found.tenancies), local: 'no', covered: 'no' })
      return found?.placement
    },
  }
}

/** A host itself goes before the services that it is listed under; of several alike what they share is told, since none is more right. */
function sharedOf(tenancies: readonly Tenancy[]): Who {
  const all = tenancies.map(({ tenant }) => tenant.who)
  const hosts = all.filter(({ kind }) => kind === 'WorkloadEntry')
  const [first, ...rest] = hosts.length > 0 ? hosts : all
  return rest.reduce(shared, first as Who)
}

function shared(one: Who, other: Who): Who {
  const field = (name: 'zone' | 'region' | 'namespace' | 'kind' | 'name'): string => (one[name] === other[name] ? one[name] : UNKNOWN)
  const names = { namespace: field('namespace'), kind: field('kind'), name: field('name') }
  return Object.freeze({ zone: field('zone'), region: field('region'), ...names, external: one.external && other.external })
}
