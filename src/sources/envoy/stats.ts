// What an Envoy that Istio set up says at port 15090, of which this is read (a counter that is not there was never needed):
//   envoy_server_uptime{} 100
//   envoy_cluster_manager_active_clusters{} 12
//   envoy_cluster_manager_cds_update_time{} 1795240019963
//   envoy_cluster_manager_cds_update_rejected{} 0
//   envoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc"} 165833
//   istio_requests_total{reporter="source",...,destination_service_name="cart",destination_service_namespace="shop",...,response_code="503",
//     response_flags="UF,URX",...} 7
import { createHash } from 'node:crypto'
import { parseSamplesInTurns, type Sample } from '../../formats/prometheus-samples.js'
import type { Labels } from '../../model.js'

/** Undefined where it does not say. */
export interface ProxyStats {
  readonly uptimeSeconds: number | undefined
  readonly clusters: number | undefined
  /** The last time that it took something; undefined before the first. */
  readonly updatedMs: number | undefined
  readonly xdsReceiveBytes: number | undefined
  readonly rejected: readonly { readonly xds: 'cds' | 'lds'; readonly count: number }[]
  readonly failed: readonly FailedRequests[]
  /** Lines that could not be understood. */
  readonly rejectedRows: number
}

export interface FailedRequests {
  /** Its name among all that this proxy counts. */
  readonly series: string
  /** As the family has them. */
  readonly labels: Labels
  readonly count: number
}

const UPTIME = 'envoy_server_uptime'
const CLUSTERS = 'envoy_cluster_manager_active_clusters'
const UPDATE_TIMES = ['envoy_cluster_manager_cds_update_time', 'envoy_listener_manager_lds_update_time']
const REJECTED = { cds: 'envoy_cluster_manager_cds_update_rejected', lds: 'envoy_listener_manager_lds_update_rejected' } as const
const RECEIVED = 'envoy_cluster_upstream_cx_rx_bytes_total'
const REQUESTS = 'istio_requests_total'
const WANTED = new Set([UPTIME, CLUSTERS, ...UPDATE_TIMES, ...Object.values(REJECTED), RECEIVED, REQUESTS])

/** Upstream connection termination, upstream connection failure, no healthy upstream, retries or connection attempts used up. */
const NO_CONNECTION = new Set(['UC', 'UF', 'UH', 'URX'])

/**
 * RE2 on Envoy's own names, as its admin interface takes it (source/server/admin/stats_params.cc), so that the answer is small. Istio's
 * metrics have their labels in theirs: `istiocustom.istio_requests_total.reporter.source. ... .response_code.503. ...`; before 1.18
 * `reporter=.=source;.; ... ;.;response_code=.=503;.; ... _istio_requests_total`. A cluster's name ends in `;` since 1.23.
 */
export const FILTER = [
  '^server\\.uptime$',
  '^cluster_manager\\.(active_clusters|cds\\.update_(time|rejected))$',
  '^listener_manager\\.lds\\.update_(time|rejected)$',
  '^cluster\\.xds-grpc;?\\.upstream_cx_rx_bytes_total$',
  'istio_requests_total.*\\.response_(code\\.5|flags\\.[A-Z,]*U(C|F|H|RX))',
  'response_(code=\\.=5|flags=\\.=[A-Z,]*U(C|F|H|RX)).*istio_requests_total',
].join('|')

/** Throws where it is no Envoy that Istio set up. */
export async function parseStats(text: string): Promise<ProxyStats> {
  const { samples, rejected: rejectedRows } = await parseSamplesInTurns(text, (name) => WANTED.has(name))
  if (samples.length === 0) throw new Error('its answer says nothing of Envoy')
  const byName = new Map<string, number>()
  for (const { name, labels, value } of samples) if (name !== REQUESTS && isOfXds(name, labels)) byName.set(name, value)
  const countOf = (name: string): number | undefined => {
    const value = byName.get(name)
    return value !== undefined && value >= 0 && Number.isFinite(value) ? value : undefined
  }
  const updatedMs = Math.max(...UPDATE_TIMES.map((name) => countOf(name) ?? 0))
  return {
    uptimeSeconds: countOf(UPTIME),
    clusters: countOf(CLUSTERS),
    updatedMs: updatedMs > 0 ? updatedMs : undefined,
    xdsReceiveBytes: countOf(RECEIVED),
    rejected: (['cds', 'lds'] as const).flatMap((xds) => {
      const count = countOf(REJECTED[xds])
      return count === undefined ? [] : [{ xds, count }]
    }),
    failed: samples.filter(isFailure).map(failedOf),
    rejectedRows,
  }
}

/** Older tag rules leave the delimiter. */
const isOfXds = (name: string, { cluster_name: cluster }: Labels): boolean =>
  name !== RECEIVED || cluster === 'xds-grpc' || cluster === 'xds-grpc;'

/** A gateway is a source as well; at the destination the same request is counted once more. */
function isFailure({ name, labels, value }: Sample): boolean {
  if (name !== REQUESTS || labels.reporter !== 'source' || !(value >= 0 && Number.isFinite(value))) return false
  const { response_code: code = '', response_flags: flags = '' } = labels
  return /^5\d\d$/.test(code) || flags.split(',').some((flag) => NO_CONNECTION.has(flag))
}

function failedOf({ labels, value }: Sample): FailedRequests {
  return {
    series: createHash('sha1').update(JSON.stringify(labels)).digest('base64url').slice(0, 16),
    labels: {
      dst_service_namespace: knownOf(labels.destination_service_namespace),
      dst_service_name: knownOf(labels.destination_service_name),
      response_code: labels.response_code ?? '',
      response_flags: labels.response_flags ?? '',
    },
    count: value,
  }
}

const knownOf = (text = 'unknown'): string => (text === 'unknown' ? '_unknown' : text)
