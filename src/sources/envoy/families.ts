import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

export const proxies = gauge('meshtoll_proxies', 'Istio proxies on this node: sidecars, gateways and waypoints.')
export const unreachable = gauge('meshtoll_proxies_unreachable', 'Istio proxies that did not answer when they were asked last.')
export const clusters = gauge('meshtoll_proxy_clusters', 'Clusters that the proxies hold, as Envoy counts its active ones.')
export const configUpdate: Family = {
  ...gauge(
    'meshtoll_proxy_config_update_timestamp_seconds',
    'When the proxy that is furthest behind last took clusters or listeners from istiod, in seconds since 1970.',
  ),
  ofOwner: 'minimum',
}
export const xdsReceive = counter(
  'meshtoll_proxy_xds_receive_bytes_total',
  'Bytes of configuration that the proxies received: what pilot-agent hands on of what istiod sends, without TLS.',
)
export const configRejected: Family = {
  ...counter('meshtoll_proxy_config_rejected_total', 'Updates that the proxies rejected.', ['xds']),
  zeroFirst: true,
}
export const failedRequests: Family = {
  ...counter(
    'meshtoll_proxy_failed_requests_total',
    'Requests that failed, as the proxy of the caller saw it: with status 5xx, or for want of a connection (UC, UF, UH, URX).',
    ['dst_service_namespace', 'dst_service_name', 'response_code', 'response_flags'],
  ),
  limit: 1_000,
}
export const connectionFailures: Family = {
  ...counter('meshtoll_proxy_istiod_connection_failures_total', 'Connections to istiod that pilot-agents could not make.'),
  zeroFirst: true,
}
export const connectionTerminations = counter(
  'meshtoll_proxy_istiod_connection_terminations_total',
  'Connections between pilot-agents and istiod that ended.',
)

export const families: readonly Family[] = [
  proxies,
  unreachable,
  clusters,
  configUpdate,
  xdsReceive,
  configRejected,
  failedRequests,
  connectionFailures,
  connectionTerminations,
]

function counter(name: string, help: string, labels: readonly string[] = []): Family {
  return { name, kind: 'counter', labels: [...OWNER_LABELS, ...labels], help }
}

function gauge(name: string, help: string): Family {
  return { name, kind: 'gauge', labels: OWNER_LABELS, help }
}
