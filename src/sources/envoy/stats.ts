// What an Envoy that Istio set up says at port 15090, of which this is read (a counter that is not there was never needed):
//   envoy_server_uptime{} 100
//   envoy_cluster_manager_active_clusters{} 12
//   envoy_cluster_manager_cds_update_time{} 1795240019963
//   envoy_cluster_manager_cds_update_rejected{} 0
//   envoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc"} 165833
//   istio_requests_total{reporter="source",...,destination_service_name="cart",destination_service_namespace="shop",...,response_code="503",
//     response_flags="UF,URX",...} 7
import { parseLabels, readSamplesInTurns } from '../../formats/prometheus-samples.js'
import { nameOfText } from '../../formats/text-name.js'
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

/** A proxy has some hundred at most; whoever calls its container istio-proxy is asked. */
const MAX_FAILED = 5_000
/** As long as the name of a host may be. */
const MAX_LABEL = 253

/** What is known of the counters of one proxy: their labels are looked into once. Those that it no longer has are forgotten. */
export interface KnownRequests {
  readonly bySeries: ReadonlyMap<string, Labels | undefined>
}

export interface ParsedStats {
  readonly stats: ProxyStats
  readonly known: KnownRequests
}

export const NOTHING_KNOWN: KnownRequests = { bySeries: new Map() }

/** Throws where it is no Envoy that Istio set up. */
export async function parseStats(text: string, before: KnownRequests = NOTHING_KNOWN): Promise<ParsedStats> {
  const counts = new Map<string, number>()
  const requests = createRequests(before)
  const rejectedRows = await readSamplesInTurns(
    text,
    (name) => WANTED.has(name),
    (name, labelText, value) => {
      if (name === REQUESTS) return requests.take(labelText, value)
      if (name !== RECEIVED || OF_XDS.test(labelText)) counts.set(name, value)
      return true
    },
  )
  if (counts.size === 0 && requests.known.size === 0) throw new Error('its answer says nothing of Envoy')
  return { stats: { ...statsOf(counts), failed: requests.failed, rejectedRows }, known: { bySeries: requests.known } }
}

/** Older tag rules leave the delimiter. */
const OF_XDS = /\bcluster_name="xds-grpc;?"/

function statsOf(counts: ReadonlyMap<string, number>): Omit<ProxyStats, 'failed' | 'rejectedRows'> {
  const countOf = (name: string): number | undefined => {
    const value = counts.get(name)
    return value !== undefined && isCount(value) ? value : undefined
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
  }
}

const isCount = (value: number): boolean => value >= 0 && Number.isFinite(value)

function createRequests({ bySeries: before }: KnownRequests) {
  const known = new Map<string, Labels | undefined>()
  const failed: FailedRequests[] = []
  return {
    known,
    failed,
    take(labelText: string, count: number): boolean {
      const series = nameOfText(labelText)
      if (!before.has(series)) {
        const raw = parseLabels(labelText)
        if (!raw || !FAILED_LABELS.every((label) => (raw[label] ?? '').length <= MAX_LABEL)) return false
        known.set(series, isFailure(raw) ? failedLabelsOf(raw) : undefined)
      } else known.set(series, before.get(series))
      const labels = known.get(series)
      if (!labels || !isCount(count)) return true
      if (failed.length >= MAX_FAILED) return false
      failed.push({ series, labels, count })
      return true
    },
  }
}

const FAILED_LABELS = ['destination_service_namespace', 'destination_service_name', 'response_code', 'response_flags'] as const

/** A gateway is a source as well; at the destination the same request is counted once more. */
function isFailure({ reporter, response_code: code = '', response_flags: flags = '' }: Labels): boolean {
  if (reporter !== 'source') return false
  return /^5\d\d$/.test(code) || flags.split(',').some((flag) => NO_CONNECTION.has(flag))
}

const failedLabelsOf = (raw: Labels): Labels =>
  Object.freeze({
    dst_service_namespace: knownOf(raw.destination_service_namespace),
    dst_service_name: knownOf(raw.destination_service_name),
    response_code: copyOf(raw.response_code ?? ''),
    response_flags: copyOf(raw.response_flags ?? ''),
  })

const knownOf = (text = 'unknown'): string => (text === 'unknown' ? '_unknown' : copyOf(text))

/** A part of a string keeps all of it in memory. */
const copyOf = (text: string): string => Buffer.from(text).toString()
