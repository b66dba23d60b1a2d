/** As istiod shortens them elsewhere (istio.io: pkg/model/xds.go). */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['envoy.config.cluster.v3.Cluster', 'cds'],
  ['envoy.config.endpoint.v3.ClusterLoadAssignment', 'eds'],
  ['envoy.config.listener.v3.Listener', 'lds'],
  ['envoy.config.route.v3.RouteConfiguration', 'rds'],
  ['envoy.extensions.transport_sockets.tls.v3.Secret', 'sds'],
  ['envoy.config.core.v3.TypedExtensionConfig', 'ecds'],
  ['envoy.config.bootstrap.v3.Bootstrap', 'bds'],
  ['istio.networking.nds.v1.NameTable', 'nds'],
  ['istio.mesh.v1alpha1.ProxyConfig', 'pcds'],
  ['istio.workload.Address', 'wds'],
  ['istio.workload.Workload', 'wds'],
  ['istio.security.Authorization', 'wads'],
])

/** Of a URL such as `type.googleapis.com/istio.workload.Address`; undefined where it is none that Istio sends. */
export const shortTypeOf = (url: string): string | undefined => SHORT.get(url.slice(url.lastIndexOf('/') + 1))

const ALL_SHORT: ReadonlySet<string> = new Set(SHORT.values())

/** Of a type as istiod's log has it, in capitals; undefined where it has no short name. */
export const loggedTypeOf = (text: string): string | undefined => LOGGED.get(text)

const LOGGED: ReadonlyMap<string, string> = new Map([...ALL_SHORT].map((type) => [type.toUpperCase(), type]))

export const isShortType = (text: string): boolean => ALL_SHORT.has(text)
