// What an Envoy that Istio set up says at port 15090, of which this is read (a counter that is not there was never needed):
//   envoy_server_uptime{} 100
//   envoy_cluster_manager_active_clusters{} 12
//   envoy_cluster_manager_cds_update_time{} 1795240019963
//   envoy_cluster_manager_cds_update_rejected{} 0
//   envoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc"} 165833
//   istio_requests_total{reporter="source",...,destination_service_name="cart",destination_service_namespace="shop",...,response_code="503",
//     response_flags="UF,URX",...} 7
import { isCount, parseLabels, readSamplesInPieces } from '../../formats/prometheus-samples.js'
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
export const MAX_FAILED = 5_000
/** Those beside that failed are looked into each time. */
const MAX_KNOWN = 10_000
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

const NOTHING_KNOWN: KnownRequests = { bySeries: new Map() }

interface Before {
  readonly known?: KnownRequests | undefined
  /** Counters of failed requests that there is room for. */
  readonly room?: number
}

/** Rejects where it is no Envoy that Istio set up. */
export async function readStats(
  pieces: AsyncIterable<string>,
  { known = NOTHING_KNOWN, room = MAX_FAILED }: Before = {},
): Promise<ParsedStats> {
  const counts = new Map<string, number>()
  const requests = createRequests(known, Math.min(room, MAX_FAILED))
  const { rejected: rejectedRows } = await readSamplesInPieces(
    pieces,
    (name) => WANTED.has(name),
    (name, labelText, value) => {
      if (name === REQUESTS) return requests.take(labelText, value)
      if (name === RECEIVED && !OF_XDS.test(labelText)) return true
      if (!isCount(value)) return false
      counts.set(copyOf(name), value)
      return true
    },
  )
  if (counts.size === 0 && requests.known.size === 0) throw new Error('its answer says nothing of Envoy')
  return { stats: { ...statsOf(counts), failed: requests.failed, rejectedRows }, known: { bySeries: requests.known } }
}

/** Older tag rules leave the delimiter. */
const OF_XDS = /\bcluster_name="xds-grpc;?"/

function statsOf(counts: ReadonlyMap<string, number>): Omit<ProxyStats, 'failed' | 'rejectedRows'> {
  const updatedMs = Math.max(...UPDATE_TIMES.map((name) => counts.get(name) ?? 0))
  return {
    uptimeSeconds: counts.get(UPTIME),
    clusters: counts.get(CLUSTERS),
    updatedMs: updatedMs > 0 ? updatedMs : undefined,
    xdsReceiveBytes: counts.get(RECEIVED),
    rejected: (['cds', 'lds'] as const).flatMap((xds) => {
      const count = counts.get(REJECTED[xds])
      return count === undefined ? [] : [{ xds, count }]
    }),
  }
}

function createRequests({ bySeries: before }: KnownRequests, room: number) {
  const known = new Map<string, Labels | undefined>()
  const failed: FailedRequests[] = []
  return {
    known,
    failed,
    take(labelText: string, count: number): boolean {
      if (!isCount(count)) return false
      const series = nameOfText(labelText)
      const labels = before.has(series) ? before.get(series) : labelsOf(labelText)
      if (labels === 'refused') return false
      if (labels && failed.length >= room) return false
      if (known.size < MAX_KNOWN) known.set(series, labels)
      if (!labels) return true
      failed.push({ series, labels, count })
      return true
    },
  }
}

/** Undefined where it is no failure. */
function labelsOf(labelText: string): Labels | undefined | 'refused' {
  const raw = parseLabels(labelText)
  if (!raw || !FAILED_LABELS.every((label) => (raw[label] ?? '').length <= MAX_LABEL)) return 'refused'
  return isFailure(raw) ? failedLabelsOf(raw) : undefined
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
