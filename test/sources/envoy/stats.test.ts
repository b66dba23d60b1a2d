import t from 'tap'
import { FILTER, type KnownRequests, readStats } from '../../../src/sources/envoy/stats.js'
import { piecesOf } from '../mesh.js'
import { captureOf, requestsLine } from './captures.js'

const parseWith = (text: string, known?: KnownRequests) => readStats(piecesOf(text), { known })
const parseStats = async (text: string) => (await parseWith(text)).stats

t.test('a real capture', async (t) => {
  t.same(await parseStats(captureOf('cart', 3)), {
    uptimeSeconds: 100,
    clusters: 12,
    updatedMs: 1_795_240_019_963,
    xdsReceiveBytes: 165_833,
    rejected: [
      { xds: 'cds', count: 0 },
      { xds: 'lds', count: 13 },
    ],
    failed: [],
    rejectedRows: 0,
  })
})

t.test('what it says of itself', async (t) => {
  const some = 'envoy_server_uptime{} 1\n'
  const cases = [
    { name: 'before its first configuration', text: 'envoy_cluster_manager_cds_update_time{} 0\n', found: { updatedMs: undefined } },
    {
      name: 'the later of its two updates',
      text: 'envoy_cluster_manager_cds_update_time{} 1000\nenvoy_listener_manager_lds_update_time{} 2000\n',
      found: { updatedMs: 2_000 },
    },
    {
      name: 'names with their delimiter',
      text: 'envoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc;"} 5\n',
      found: { xdsReceiveBytes: 5 },
    },
    {
      name: 'another cluster',
      text: 'envoy_cluster_upstream_cx_rx_bytes_total{cluster_name="outbound|80||a.b.svc.cluster.local"} 5\n',
      found: { xdsReceiveBytes: undefined },
    },
    { name: 'no number', text: 'envoy_cluster_manager_active_clusters{} NaN\n', found: { clusters: undefined, rejectedRows: 1 } },
    { name: 'below zero', text: 'envoy_cluster_manager_active_clusters{} -1\n', found: { clusters: undefined, rejectedRows: 1 } },
    { name: 'a torn line', text: 'envoy_cluster_manager_active_clusters{', found: { clusters: undefined, rejectedRows: 1 } },
  ]
  for (const { name, text, found } of cases) t.match(await parseStats(some + text), found, name)
  for (const text of ['', '<html>hello</html>', 'process_cpu_seconds_total 1\n'])
    await t.rejects(parseStats(text), { message: 'its answer says nothing of Envoy' }, `"${text}"`)
})

t.test('which requests failed', async (t) => {
  const labels = { dst_service_namespace: 'shop', dst_service_name: 'stock', response_code: '503', response_flags: 'UF,URX' }
  const cases = [
    { name: 'no connection', labels: {}, found: labels },
    {
      name: 'status 500',
      labels: { response_code: '500', response_flags: '-' },
      found: { ...labels, response_code: '500', response_flags: '-' },
    },
    {
      name: 'gRPC says 200',
      labels: { response_code: '200', response_flags: 'UH' },
      found: { ...labels, response_code: '200', response_flags: 'UH' },
    },
    { name: 'an unknown service', labels: { destination_service_name: 'unknown' }, found: { ...labels, dst_service_name: '_unknown' } },
    { name: 'a good one', labels: { response_code: '200', response_flags: '-' }, found: undefined },
    { name: 'the caller went away', labels: { response_code: '0', response_flags: 'DC' }, found: undefined },
    { name: 'seen at the destination', labels: { reporter: 'destination' }, found: undefined },
    {
      name: 'zones that an Envoy names, of which it knows those that it is told',
      labels: { source_zone: 'z8', destination_zone: 'z9', destination_locality: 'r/z9' },
      found: labels,
    },
    { name: 'seen by a waypoint', labels: { reporter: 'waypoint' }, found: undefined },
  ]
  for (const { name, labels: more, found } of cases) {
    const { failed } = await parseStats(requestsLine(7, more) + requestsLine(1, { response_code: '200', response_flags: '-' }))
    t.same(
      failed.map(({ labels: kept, count }) => [kept, count]),
      found ? [[found, 7]] : [],
      name,
    )
  }
  const { failed } = await parseStats(
    requestsLine(1, { source_version: 'v1' }) + requestsLine(2, { source_version: 'v2' }) + requestsLine('NaN'),
  )
  t.equal(new Set(failed.map(({ series }) => series)).size, 2, 'counters that differ elsewhere are kept apart')
})

t.test('what is known is not looked into again, and what is gone is forgotten', async (t) => {
  const base = 'envoy_server_uptime{} 1\n'
  const good = requestsLine(5, { response_code: '200', response_flags: '-' })
  const first = await parseWith(base + requestsLine(7) + good)
  t.equal(first.known.bySeries.size, 2)
  const [before] = first.stats.failed
  const next = await parseWith(base + requestsLine(9) + good, first.known)
  const [now] = next.stats.failed
  t.match(now, { series: before?.series, count: 9 })
  t.equal(now?.labels, before?.labels, 'the same object')
  t.equal((await parseWith(base, next.known)).known.bySeries.size, 0)
  const torn = await parseWith(`${base}istio_requests_total{reporter="source} 5\n`, next.known)
  t.same([torn.stats.failed, torn.stats.rejectedRows, torn.known.bySeries.size], [[], 1, 0])
})

t.test('the filter lets through what is wanted, by the names that Envoy has for it', async (t) => {
  // RE2 and JavaScript agree on all that is used here.
  const filter = new RegExp(FILTER)
  const requests = (code: string, flags: string): string =>
    `istiocustom.istio_requests_total.reporter.source.destination_service_name.stock.response_code.${code}.grpc_response_status..response_flags.${flags}.connection_security_policy.unknown`
  const older = (code: string, flags: string): string =>
    `reporter=.=source;.;response_code=.=${code};.;grpc_response_status=.=;.;response_flags=.=${flags};.;_istio_requests_total`
  const cases: [name: string, passes: boolean][] = [
    ['server.uptime', true],
    ['server.total_connections', false],
    ['cluster_manager.active_clusters', true],
    ['cluster_manager.cds.update_time', true],
    ['cluster_manager.cds.update_duration', false],
    ['cluster_manager.cds.update_rejected', true],
    ['listener_manager.lds.update_time', true],
    ['listener_manager.lds.update_rejected', true],
    ['cluster.xds-grpc;.upstream_cx_rx_bytes_total', true],
    ['cluster.xds-grpc.upstream_cx_rx_bytes_total', true],
    ['cluster.xds-grpc;.upstream_cx_rx_bytes_buffered', false],
    [requests('503', 'UF,URX'), true],
    [requests('500', '-'), true],
    [requests('200', 'UH'), true],
    [requests('200', 'DI,URX'), true],
    [requests('200', '-'), false],
    [requests('0', 'DC'), false],
    [requests('503', 'UC').replace('requests_total', 'request_bytes'), false],
    [older('503', 'UF'), true],
    [older('200', 'UC'), true],
    [older('200', '-'), false],
  ]
  for (const [name, passes] of cases) t.equal(filter.test(name), passes, name)
})

t.test('a proxy that names more than any would', async (t) => {
  const some = 'envoy_server_uptime{} 1\n'
  const lines = Array.from({ length: 6_000 }, (_, i) => requestsLine(i, { destination_service_name: `s${i}` }))
  const many = await parseStats(some + lines.join(''))
  t.equal(many.failed.length, 5_000)
  t.equal(many.rejectedRows, 1_000)
  const { stats: crowded } = await readStats(piecesOf(some + lines.join('')), { room: 200 })
  t.same([crowded.failed.length, crowded.rejectedRows], [200, 5_800], 'where there is little room left')
  const long = await parseStats(some + requestsLine(1, { destination_service_name: 'x'.repeat(1_000) }))
  t.match(long, { failed: [], rejectedRows: 1 })
})
