// Who has an address for as long as it is there: nodes, Services and load balancers.
import type { Who } from '../model.js'
import type { Tenant } from './holders.js'
import type { NodeFacts } from './objects/node.js'
import type { ServiceFacts } from './objects/service.js'
import type { Tenancy } from './tenancies.js'

const UNKNOWN = '_unknown'
const ALWAYS = 0
export const FOREVER = Number.POSITIVE_INFINITY

export function tenanciesOfNode({ name, zone, region, internalIps, externalIps }: NodeFacts): readonly Tenancy[] {
  const place = { zone: zone || UNKNOWN, region: region || UNKNOWN }
  const tenant = tenantOf({ ...place, namespace: '', kind: 'Node', name }, name, 'node')
  return [...new Set([...internalIps, ...externalIps])].map((address) => always(address, `node/${name}`, tenant))
}

/**
 * What is sent to a Service's own address is posted by whoever sent it, and comes back from a pod. A load balancer has no agent, and what it
 * sends on comes over the border a second time. An external address may be that of a host which sends, whoever wrote it into a Service.
 */
export function tenanciesOfService({ namespace, name, clusterIps, externalIps, loadBalancerIps }: ServiceFacts): readonly Tenancy[] {
  const nowhere = { zone: UNKNOWN, region: UNKNOWN, namespace, name }
  const service = tenantOf({ ...nowhere, kind: 'Service' }, '', 'always')
  const loadBalancer = tenantOf({ ...nowhere, kind: 'LoadBalancer' }, '', 'never')
  const key = `service/${namespace}/${name}`
  const external = tenantOf({ ...nowhere, kind: 'Service' }, '', 'never')
  const virtual = clusterIps.map((address) => always(address, key, service))
  const outer = externalIps.filter((address) => !clusterIps.includes(address)).map((address) => always(address, key, external))
  const known = new Set([...clusterIps, ...externalIps])
  const balanced = loadBalancerIps.filter((address) => !known.has(address)).map((address) => always(address, key, loadBalancer))
  return [...virtual, ...outer, ...balanced]
}

export function tenantOf(who: Omit<Who, 'external'>, node: string, coverage: Tenant['coverage']): Tenant {
  return Object.freeze({ who: Object.freeze({ ...who, external: false }), node, coverage })
}

const always = (address: string, key: string, tenant: Tenant): Tenancy => ({ address, key, tenant, fromMs: ALWAYS, untilMs: FOREVER })
