// Who has an address for as long as it is there: nodes, Services with their load balancers, and what Istio is told of outside of the cluster.
import type { Who } from '../model.js'
import type { Tenant } from './holders.js'
import type { Endpoint } from './objects/endpoint.js'
import type { NodeFacts } from './objects/node.js'
import type { ServiceFacts } from './objects/service.js'
import type { ServiceEntryFacts } from './objects/service-entry.js'
import type { WorkloadEntryFacts } from './objects/workload-entry.js'
import type { Tenancy } from './tenancies.js'

/** What a host name stands for, as far as that is known; canonical text. */
export type AddressesOf = (hostName: string) => readonly string[]

type Named = Pick<Who, 'namespace' | 'kind' | 'name'>

const UNKNOWN = '_unknown'
const ALWAYS = 0
const OUTSIDE = { zone: '', region: '' }
export const FOREVER = Number.POSITIVE_INFINITY

/** Since it was made, as far as the object says: one of its addresses may be younger. */
export function tenanciesOfNode({ name, zone, region, internalIps, externalIps, createdMs }: NodeFacts): readonly Tenancy[] {
  const tenant = tenantOf({ ...placeOf({ zone, region }), namespace: '', kind: 'Node', name }, name, 'node')
  return [...new Set([...internalIps, ...externalIps])].map((address) => lastingOf(address, `node/${name}`, { tenant, fromMs: createdMs }))
}

/**
 * What is sent to a Service's own address is posted by whoever sent it, and comes back from a pod. A load balancer has no agent, and what it
 * sends on comes over the border a second time. An external address may be that of a host which sends, whoever wrote it into a Service.
 */
export function tenanciesOfService(service: ServiceFacts, addressesOf: AddressesOf): readonly Tenancy[] {
  const { namespace, name, clusterIps, externalIps, loadBalancerIps, loadBalancerHostnames, createdMs: fromMs } = service
  const nowhere = { zone: UNKNOWN, region: UNKNOWN, namespace, name }
  const own = tenantOf({ ...nowhere, kind: 'Service' }, '', 'always')
  const loadBalancer = tenantOf({ ...nowhere, kind: 'LoadBalancer' }, '', 'never')
  const key = `service/${namespace}/${name}`
  const external = tenantOf({ ...nowhere, kind: 'Service' }, '', 'never')
  const virtual = clusterIps.map((address) => lastingOf(address, key, { tenant: own, fromMs }))
  const outer = externalIps
    .filter((address) => !clusterIps.includes(address))
    .map((address) => lastingOf(address, key, { tenant: external, fromMs }))
  const known = new Set([...clusterIps, ...externalIps])
  const balancing = new Set([...loadBalancerIps, ...loadBalancerHostnames.flatMap(addressesOf)])
  const balanced = [...balancing]
    .filter((address) => !known.has(address))
    .map((address) => lastingOf(address, key, { tenant: loadBalancer, fromMs }))
  return [...virtual, ...outer, ...balanced]
}

/** What is external to the mesh is on the internet, where that routes its address (`isGlobal`), unless it says in which zone it is. */
export function tenanciesOfServiceEntry(
  { namespace, name, isExternal, endpoints }: ServiceEntryFacts,
  { addressesOf, isGlobal }: { readonly addressesOf: AddressesOf; isGlobal(address: string): boolean },
): readonly Tenancy[] {
  const named = { namespace, kind: 'ServiceEntry', name }
  const isOutside = (address: string, { zone, region }: Endpoint): boolean => isExternal && !zone && !region && isGlobal(address)
  const tenancies = new Map<string, Tenancy>()
  for (const endpoint of endpoints) {
    for (const address of addressesAt(endpoint, addressesOf)) {
      const tenant = isOutside(address, endpoint) ? externalOf(named) : outsideOf(named, endpoint)
      tenancies.set(address, tenancies.get(address) ?? always(address, `serviceentry/${namespace}/${name}`, tenant))
    }
  }
  return [...tenancies.values()]
}

export function tenanciesOfWorkloadEntry({ namespace, name, endpoint }: WorkloadEntryFacts, addressesOf: AddressesOf): readonly Tenancy[] {
  if (!endpoint) return []
  const tenant = outsideOf({ namespace, kind: 'WorkloadEntry', name }, endpoint)
  return addressesAt(endpoint, addressesOf).map((address) => always(address, `workloadentry/${namespace}/${name}`, tenant))
}

/** What is new to it, compared to before, it has since that was heard. */
export function sinceHeard(tenancies: readonly Tenancy[], before: readonly Tenancy[], atMs: number): readonly Tenancy[] {
  const known = new Map(before.map(({ address, fromMs }) => [address, fromMs]))
  return tenancies.map((one) => ({ ...one, fromMs: known.get(one.address) ?? Math.max(one.fromMs, atMs) }))
}

export function tenantOf(who: Omit<Who, 'external'>, node: string, coverage: Tenant['coverage']): Tenant {
  return Object.freeze({ who: Object.freeze({ ...who, external: false }), node, coverage })
}

const outsideOf = (named: Named, place: Pick<Endpoint, 'zone' | 'region'>): Tenant =>
  tenantOf({ ...placeOf(place), ...named }, '', 'outside')

const externalOf = (named: Named): Tenant =>
  Object.freeze({ who: Object.freeze({ ...OUTSIDE, ...named, external: true }), node: '', coverage: 'outside' })

const addressesAt = ({ address, hostName }: Endpoint, addressesOf: AddressesOf): readonly string[] =>
  hostName ? addressesOf(hostName) : [address]

const placeOf = ({ zone, region }: Pick<Endpoint, 'zone' | 'region'>) => ({ zone: zone || UNKNOWN, region: region || UNKNOWN })

const lastingOf = (address: string, key: string, { tenant, fromMs }: Pick<Tenancy, 'tenant' | 'fromMs'>): Tenancy => ({
  ...{ address, key, tenant, fromMs },
  untilMs: FOREVER,
})

/** What is only said to be there. */
const always = (address: string, key: string, tenant: Tenant): Tenancy => lastingOf(address, key, { tenant, fromMs: ALWAYS })
