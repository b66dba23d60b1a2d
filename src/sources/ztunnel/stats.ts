// What a ztunnel says at port 15020, in OpenMetrics whatever it is asked for (istio/ztunnel: src/proxy/metrics.rs, src/xds/metrics.rs):
//   istio_build{component="ztunnel",tag="1.29.0"} 1
//   istio_tcp_received_bytes_total{reporter="source",...,source_region="r",source_zone="a",destination_region="r",destination_zone="b"} 1000
//   istio_tcp_sent_bytes_total{reporter="source",...} 20000        from the destination to the source: what came back
//   istio_xds_message_total{url="type.googleapis.com/istio.workload.Address"} 15
//   istio_xds_message_bytes_total{url="type.googleapis.com/istio.workload.Address"} 14482
//   istio_xds_connection_terminations_total{reason="ConnectionError"} 4
// The zones are there since 1.25. A connection between two captured pods is counted at both ends: only what the end says that opened it is read, so
// each byte is once, on the node of who opened it. What a gateway, a waypoint or a pod outside of ambient opened is not in it.
import { isCount, parseLabels, readSamplesInPieces } from '../../formats/prometheus-samples.js'
import { nameOfText } from '../../formats/text-name.js'
import { shortTypeOf } from '../../formats/xds-types.js'
import type { Labels } from '../../model.js'
import type { ZonePairs } from './zone-pairs.js'

/** One counter of bytes. */
export interface Counted {
  /** The labels of its zones: always the same object. */
  readonly pair: Labels
  readonly bytes: number
}

/** By a name that is short and nothing else has. */
export type Series = ReadonlyMap<string, Counted>

export interface ZtunnelStats {
  readonly series: Series
  /** False where it has series, and none says a zone. */
  readonly namesZones: boolean
  /** How many it received, by type of resource. */
  readonly messages: ReadonlyMap<string, number>
  readonly xdsBytes: ReadonlyMap<string, number>
  readonly failures: number
  readonly terminations: number
  /** Lines that could not be understood. */
  readonly rejected: number
}

/** What is known of the counters of one ztunnel: their labels are looked into once. */
export interface Known {
  readonly series: Series
  readonly pairs: ZonePairs
}

const BUILD = 'istio_build'
const [RECEIVED, SENT] = ['istio_tcp_received_bytes_total', 'istio_tcp_sent_bytes_total']
const [MESSAGES, MESSAGE_BYTES] = ['istio_xds_message_total', 'istio_xds_message_bytes_total']
const TERMINATIONS = 'istio_xds_connection_terminations_total'
const WANTED = new Set([BUILD, RECEIVED, SENT, MESSAGES, MESSAGE_BYTES, TERMINATIONS])
/** No quote can stand within a value, so this is a label. */
const OF_SOURCE = /(?:^|,)reporter="source"(?:,|$)/
/** No connection was made: all other reasons end one. */
const FAILURE = 'ConnectionError'
const OTHER = '_other'
/** It keeps those of pods that are gone for as long as it runs; so many take 20 MB here. */
const MAX_SERIES = 100_000

/** Rejects where it is no ztunnel that answers, or not all of its answer. */
export async function readZtunnel(pieces: AsyncIterable<string>, known: Known): Promise<ZtunnelStats> {
  const traffic = createTraffic(known)
  const control = createControl()
  let isZtunnel = false
  const { rejected, isWhole } = await readSamplesInPieces(
    pieces,
    (name) => WANTED.has(name),
    (name, labelText, value) => {
      if (name === RECEIVED || name === SENT) return traffic.take(name, labelText, value)
      const labels = parseLabels(labelText)
      if (name !== BUILD) return labels !== undefined && control.take(name, labels, value)
      isZtunnel ||= labels?.component === 'ztunnel'
      return true
    },
  )
  if (!isZtunnel) throw new Error('it is no ztunnel')
  if (!isWhole) throw new Error('its answer has no end')
  return { ...traffic.done(), ...control.done(), rejected }
}

function createTraffic({ series: before, pairs }: Known) {
  const series = new Map<string, Counted>()
  let namesZones = false

  function pairOf(name: string, labelText: string): Labels | undefined {
    const labels = parseLabels(labelText)
    if (!labels) return undefined
    const { source_zone: source, destination_zone: destination } = labels
    return name === SENT ? pairs.of(destination, source) : pairs.of(source, destination)
  }

  return {
    take(name: string, labelText: string, value: number): boolean {
      if (!isCount(value)) return false
      if (!OF_SOURCE.test(labelText)) return true
      namesZones ||= labelText.includes('_zone="')
      const key = `${name === SENT ? 's' : 'r'}${nameOfText(labelText)}`
      const pair = before.get(key)?.pair ?? pairOf(name, labelText)
      if (!pair) return false
      if (series.size >= MAX_SERIES && !series.has(key)) throw new Error(`it has more than ${MAX_SERIES} counters of bytes; restart it`)
      series.set(key, { pair, bytes: value })
      return true
    },
    done: () => ({ series, namesZones: namesZones || series.size === 0 }),
  }
}

function createControl() {
  const [messages, xdsBytes] = [new Map<string, number>(), new Map<string, number>()]
  const connections = new Map<string, number>()
  return {
    take(name: string, { url = '', reason }: Labels, value: number): boolean {
      if (!isCount(value)) return false
      const type = shortTypeOf(url) ?? OTHER
      if (name === MESSAGES) return addTo(messages, type, value)
      if (name === MESSAGE_BYTES) return addTo(xdsBytes, type, value)
      return addTo(connections, reason === FAILURE ? FAILURE : OTHER, value)
    },
    done: () => ({
      messages,
      xdsBytes,
      failures: connections.get(FAILURE) ?? 0,
      terminations: connections.get(OTHER) ?? 0,
    }),
  }
}

/** False where the sum would be more than one may be. */
function addTo(sums: Map<string, number>, key: string, value: number): boolean {
  const sum = (sums.get(key) ?? 0) + value
  if (isCount(sum)) sums.set(key, sum)
  return isCount(sum)
}
