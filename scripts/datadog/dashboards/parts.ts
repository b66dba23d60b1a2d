// What dashboards are made of: which variables there are, what they filter, and bytes, dollars and levels by them.
import { among, type Filter, type Query, variable } from '../queries.js'
import type { group } from '../widgets.js'

export interface DashboardSource {
  readonly name: string
  /** Where it is not the name. */
  readonly title?: string
  readonly says: string
  readonly variables: readonly Variable[]
  readonly groups: readonly ReturnType<typeof group>[]
}

export interface Variable {
  readonly name: string
  readonly prefix: string
}

export const NAMESPACE: Variable = { name: 'kube_namespace', prefix: 'kube_namespace' }
export const HOST: Variable = { name: 'host', prefix: 'host' }
/** Of datadog.tags, where one organisation has several clusters. */
export const CLUSTER: Variable = { name: 'kube_cluster_name', prefix: 'kube_cluster_name' }

export const SRC = ['src_namespace', 'src_owner_name']
export const DST = ['dst_namespace', 'dst_owner_name']
export const OWNER = ['owner_namespace', 'owner_name']
export const CAUSE = ['config_kind', 'config_namespace', 'config_name']
export const ISTIOD = [among('src_owner_kind', 'deployment'), among('src_owner_name', 'istiod*')]

export const inCluster = variable(CLUSTER.name)
export const onHost = variable(HOST.name)
export const inNamespace = variable(NAMESPACE.name)

export const everywhere = [inCluster, onHost]
export const fromNamespace = [inCluster, onHost, inNamespace]

type Rest = Omit<Query, 'of' | 'family'>
export const sum = (family: string, rest: Rest): Query => ({ of: 'sum', family: `meshtoll_${family}`, ...rest })
export const max = (family: string, rest: Rest): Query => ({ of: 'max', family: `meshtoll_${family}`, ...rest })
export const a = (alias?: string): { formula: string; alias?: string }[] => [{ formula: 'a', ...(alias === undefined ? {} : { alias }) }]
export const zones = (where: readonly Filter[], by: readonly string[] = []): Query =>
  sum('zone_bytes_total', { where: [...everywhere, ...where], by, as: 'rate' })
export const flows = (where: readonly Filter[], by: readonly string[] = []): Query => sum('flow_bytes_total', { where, by, as: 'rate' })
export const moved = (where: readonly Filter[], by: readonly string[] = []): Query => sum('flow_bytes_total', { where, by, as: 'count' })

/** Of a scope what it cost: bytes by their price. Nothing moved is nothing to pay. */
const PRICED = ['cross_zone', 'cross_region', 'to_external', 'from_external'] as const
export const DOLLARS = PRICED.map((scope) => `default_zero(${scope}) * default_zero(${scope}_price)`).join(' + ')
export const priced = (where: readonly Filter[], by: readonly string[] = []): Readonly<Record<string, Query>> =>
  Object.fromEntries(
    PRICED.flatMap((scope) => [
      [scope, moved([...where, among('scope', scope)], by)],
      [`${scope}_price`, max('transfer_price_dollars_per_byte', { where: [inCluster, among('scope', scope)] })],
    ]),
  )
