// Whatever number stands in a row: it is read as it is, or the row is refused and counted, and the others stand.
import t from 'tap'
import { isCount } from '../../src/formats/prometheus-samples.js'
import { readAgentStats } from '../../src/sources/envoy/agent-stats.js'
import { readStats } from '../../src/sources/envoy/stats.js'
import { readIstiodMetrics } from '../../src/sources/istiod/metrics.js'
import { readZtunnel } from '../../src/sources/ztunnel/stats.js'
import { createZonePairs } from '../../src/sources/ztunnel/zone-pairs.js'
import { fc, runs } from '../property.js'
import { requestsLine } from './envoy/captures.js'
import { piecesOf } from './mesh.js'
import { expositionOf } from './ztunnel/exposition.js'

const value = fc.oneof(
  fc.constantFrom('NaN', '+Inf', '-Inf', '1.8e308', '1e400', '-1', '-0.5', '9007199254740993', '9007199254740992', '9007199254740991', '0'),
  fc.double().map(String),
  fc.integer().map(String),
)

interface Read {
  /** Of the row; undefined where it was refused. */
  readonly read: number | undefined
  /** Of the others. */
  readonly others: readonly (number | undefined)[]
  readonly rejected: number
}

type ReadRow = (text: string) => Promise<Read>

const known = { series: new Map(), pairs: createZonePairs() }
const ROWS: Readonly<Record<string, ReadRow>> = {
  async 'bytes of an Envoy'(text) {
    const row = `envoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc"} ${text}\n`
    const { stats } = await readStats(piecesOf(`envoy_server_uptime{} 5\n${row}envoy_cluster_manager_active_clusters{} 7\n`))
    return { read: stats.xdsReceiveBytes, others: [stats.uptimeSeconds, stats.clusters], rejected: stats.rejectedRows }
  },
  async 'failed requests of an Envoy'(text) {
    const other = requestsLine(7, { destination_service_name: 'other' })
    const { stats } = await readStats(piecesOf(`envoy_server_uptime{} 5\n${requestsLine(text)}${other}`))
    const countOf = (name: string) => stats.failed.find(({ labels }) => labels.dst_service_name === name)?.count
    return { read: countOf('stock'), others: [stats.uptimeSeconds, countOf('other')], rejected: stats.rejectedRows }
  },
  async 'pushes of an istiod'(text) {
    const { totals, proxies, rejected } = await readIstiodMetrics(
      piecesOf(`pilot_xds{version="1"} 5\npilot_xds_pushes{type="cds"} ${text}\npilot_xds_pushes{type="eds"} 7\n`),
    )
    const pushed = (xds: string) => totals.find((total) => total.xds === xds)?.value
    return { read: pushed('cds'), others: [proxies.get('1'), pushed('eds')], rejected }
  },
  async 'bytes of a ztunnel'(text) {
    const exposition = expositionOf([{ name: 'cart', zones: ['a', 'b'], received: 5, sent: 7 }])
    const row = `istio_tcp_sent_bytes_total{reporter="source",source_zone="c",destination_zone="d"} ${text}\n`
    const { series, rejected } = await readZtunnel(piecesOf(exposition.replace('# EOF\n', `${row}# EOF\n`)), known)
    const bytesTo = (zone: string) => [...series.values()].find(({ pair }) => pair.dst_zone === zone)?.bytes
    return { read: bytesTo('c'), others: [bytesTo('b'), bytesTo('a')], rejected }
  },
}

t.test('a value that no counter can have', async (t) => {
  for (const [name, readRow] of Object.entries(ROWS)) {
    const property = fc.asyncProperty(value, async (text) => {
      const { read, others, rejected } = await readRow(text)
      const isGood = isCount(Number(text))
      if (read !== (isGood ? Number(text) : undefined)) throw new Error(`${text} is read as ${read}`)
      if (others.join(' ') !== '5 7' || rejected !== (isGood ? 0 : 1)) throw new Error(`${text}: ${others}, ${rejected} refused`)
    })
    await t.resolves(fc.assert(property, { numRuns: runs(50) }), name)
  }
})

t.test('many that are too much together', async (t) => {
  const most = Number.MAX_SAFE_INTEGER
  const terminations = `istio_agent_istiod_connection_terminations{type="error"} ${most}\n`
  t.match(await readAgentStats(piecesOf(terminations.repeat(3))), { terminations: most })
  const { totals, rejected } = await readIstiodMetrics(piecesOf(`pilot_xds_pushes{type="x"} ${most}\n`.repeat(3)))
  t.match([totals.map((total) => total.value), rejected], [[most], 2])
})
