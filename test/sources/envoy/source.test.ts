import t from 'tap'
import type { Reading } from '../../../src/model.js'
import { createEnvoy } from '../../../src/sources/envoy/source.js'
import { createHttpGet } from '../../../src/sources/http-get.js'
import type { Target } from '../../../src/sources/scraping.js'
import { testSourceContract } from '../../contract/source.js'
import { serve } from '../../http/serving.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { type Answers, createMesh, INTERVAL_MS, type Mesh, type MeshParts, type Targets } from '../mesh.js'
import { captureOf, PHASES, requestsLine } from './captures.js'

const never = new AbortController().signal
const OWNER = { owner_zone: 'a', owner_namespace: 'shop', owner_kind: 'Deployment' }
const targetOf = (name: string, more: Partial<Target> = {}): Target => ({
  name,
  url: `http://${name}/stats/prometheus`,
  labels: { ...OWNER, owner_name: name },
  ...more,
})

/** Without pilot-agents. */
const envoyOf: MeshParts['create'] = (parts, deps) => createEnvoy({ ...parts, agents: () => [], agentIntervalMs: 'off' }, deps)
const meshOf = (targets: Targets, answers: Answers = {}): Mesh => createMesh({ create: envoyOf, targets, answers })

testSourceContract(t, {
  empty: () => meshOf([]).source,
  failing: (failure) =>
    meshOf(() => {
      throw failure
    }).source,
  recorded: () => meshOf([targetOf('cart')], { cart: captureOf('cart', 3) }).source,
  // A proxy that is cut off hangs up: that is an answer that failed.
  hanging: () => meshOf([targetOf('cart')]).source,
})

const valuesOf = (readings: readonly Reading[], name: string): unknown[] =>
  readings.flatMap((reading) =>
    (reading.kind === 'total' || reading.kind === 'value') && reading.family.name === name
      ? [[reading.labels.owner_name, reading.value]]
      : [],
  )

const BYTES = 'meshtoll_proxy_xds_receive_bytes_total'
const FAILED = 'meshtoll_proxy_failed_requests_total'
const lineOf = (uptime: number, bytes: number): string =>
  `envoy_server_uptime{} ${uptime}\nenvoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc"} ${bytes}\n`

t.test('real captures: the bytes of each phase', async (t) => {
  const pods = ['cart', 'checkout', 'flapper'] as const
  const { read, seriesOf } = meshOf(pods.map((pod) => targetOf(pod))).run(t)
  const served: Record<string, number[]> = { cart: [], checkout: [], flapper: [] }
  for (const phase of PHASES.keys()) {
    const { readings } = await read(Object.fromEntries(pods.map((pod) => [pod, captureOf(pod, phase)])))
    for (const { labels, value } of seriesOf(BYTES)) served[labels.owner_name ?? '']?.push(value)
    if (phase === 0) continue
    t.same(
      valuesOf(readings, 'meshtoll_proxy_clusters'),
      // Since exportTo the others no longer hold the cluster of flapper.
      pods.map((pod) => [pod, phase >= 4 && pod !== 'flapper' ? 11 : 12]),
    )
  }
  const first = { cart: 14_623, checkout: 14_635, flapper: 14_664 }
  t.same(served, {
    cart: [14_623, 14_640, 45_677, 165_833, 175_054, 175_054].map((bytes) => bytes - first.cart),
    checkout: [14_635, 14_652, 45_689, 166_049, 175_282, 175_282].map((bytes) => bytes - first.checkout),
    flapper: [14_664, 14_681, 45_705, 166_041, 176_069, 207_122].map((bytes) => bytes - first.flapper),
  })
})

t.test('who answers, and who does not', async (t) => {
  const targets = [targetOf('cart'), targetOf('stock'), targetOf('coming', { url: undefined })]
  const { source, log } = meshOf(targets, { cart: captureOf('cart', 0), stock: new Error('it answers 403') })
  const { readings } = await source.read(never)
  const names = ['cart', 'stock', 'coming']
  t.same(
    valuesOf(readings, 'meshtoll_proxies'),
    names.map((name) => [name, 1]),
  )
  t.same(valuesOf(readings, 'meshtoll_proxies_unreachable'), [
    ['cart', 0],
    ['stock', 1],
    ['coming', 0],
  ])
  t.same(valuesOf(readings, 'meshtoll_proxy_xds_receive_bytes_total'), [
    ['cart', 14_623],
    ['stock', undefined],
    ['coming', undefined],
  ])
  t.same(valuesOf(readings, 'meshtoll_proxy_config_update_timestamp_seconds').length, 1)
  t.same(log.lines, [])
})

t.test('where nobody answers, twice, the source is down', async (t) => {
  const silent = new Error('nobody listens there')
  const targets = [targetOf('cart'), targetOf('stock'), targetOf('coming', { url: undefined })]
  const { source, run } = meshOf(targets, { cart: silent, stock: silent })
  t.equal(valuesOf((await source.read(never)).readings, 'meshtoll_proxies_unreachable').length, 3)
  await run(t).pass()
  await t.rejects(source.read(never), {
    message: 'none of 2 asked proxies answers, such as http://cart/stats/prometheus: nobody listens there',
  })
})

/** What one says, and what is served of it: sums of families. */
const saidOf = async (
  mesh: Mesh,
  text: string,
): Promise<{ readonly resets: number; readonly served: Readonly<Record<string, number>> }> => {
  const { resets } = await mesh.read({ cart: text })
  const families = mesh.totals.families().map(({ family, series }) => [family.name, [...series].reduce((sum, { value }) => sum + value, 0)])
  return { resets, served: Object.fromEntries(families) }
}

t.test('a proxy that begins anew, with as many bytes as before', async (t) => {
  const mesh = meshOf([targetOf('cart')]).run(t)
  await saidOf(mesh, lineOf(100, 500))
  t.same((await saidOf(mesh, lineOf(115, 700))).served[BYTES], 200)
  t.same(await saidOf(mesh, lineOf(10, 700)), { resets: 1, served: { [BYTES]: 900 } }, 'all of it is new')
  t.same(await saidOf(mesh, lineOf(25, 700)), { resets: 0, served: { [BYTES]: 900 } }, 'once')
  t.same(await saidOf(mesh, lineOf(25, 710)), { resets: 0, served: { [BYTES]: 910 } }, 'its uptime may lag')
  t.same(await saidOf(mesh, lineOf(20, 300)), { resets: 1, served: { [BYTES]: 1_210 } })
})

t.test('a proxy that was not there the last time', async (t) => {
  const targets: Target[] = []
  const { clock, say, post, seriesOf } = meshOf(targets)
  const posted = async (): Promise<readonly number[]> => {
    await post()
    return seriesOf(BYTES).map(({ value }) => value)
  }
  await posted()
  clock.advance(60_000)
  targets.push(targetOf('cart'))
  say({ cart: lineOf(20, 500) })
  t.same(await posted(), [500], 'its first configuration counts')
  targets.push(targetOf('old'))
  say({ old: lineOf(3_600, 9_000) })
  t.same(await posted(), [500, 0], 'what was before is not known to be ours')
  clock.advance(15_000)
  targets.push(targetOf('coming', { url: undefined, startedMs: clock.now() - 5_000 }))
  await posted()
  clock.advance(60_000)
  targets[2] = targetOf('coming')
  say({ coming: lineOf(3_000, 700) })
  t.same(await posted(), [500, 0, 700], 'it was told of before it had an address')
})

t.test('failed requests whose counters are rotated away', async (t) => {
  const mesh = meshOf([targetOf('cart')]).run(t)
  await saidOf(mesh, lineOf(100, 0))
  t.same((await saidOf(mesh, lineOf(115, 0) + requestsLine(7))).served[FAILED], 7, 'a counter that is new in a known proxy')
  t.same((await saidOf(mesh, lineOf(130, 0))).served[FAILED], 7)
  t.same((await saidOf(mesh, lineOf(145, 0) + requestsLine(9))).served[FAILED], 16)
})

t.test('proxies that name more than a node keeps', async (t) => {
  const text = Array.from(
    { length: 5_000 },
    (_, i) => `istio_requests_total{reporter="source",response_code="503",destination_version="${i}"} 1\n`,
  ).join('')
  const names = Array.from({ length: 12 }, (_, i) => `p${i}`)
  const { read } = meshOf(names.map((name) => targetOf(name))).run(t)
  const answers = Object.fromEntries(names.map((name) => [name, `${lineOf(1, 1)}${text}`]))
  await read(answers)
  const { readings } = await read(answers)
  const failed = readings.filter((reading) => reading.kind === 'total' && reading.family.name === FAILED && reading.value === 1)
  t.ok(failed.length >= 49_000 && failed.length <= 50_000, `${failed.length} of 60,000`)
})

t.test('the labels of a failed request come behind those of its owner', async (t) => {
  const { source } = meshOf([targetOf('cart')], { cart: lineOf(1, 1) + requestsLine(2) })
  const { readings } = await source.read(never)
  const failed = readings.find((reading) => reading.kind === 'total' && reading.family.name === FAILED)
  t.match(failed, {
    labels: {
      owner_name: 'cart',
      dst_service_namespace: 'shop',
      dst_service_name: 'stock',
      response_code: '503',
      response_flags: 'UF,URX',
    },
    value: 2,
  })
})

t.test('a real server, its pilot-agent, and one that is neither', async (t) => {
  const asked: string[] = []
  const agent = 'istio_agent_istiod_connection_failures 2\nistio_agent_istiod_connection_terminations{type="error"} 3\n'
  const origin = await serve(t, ({ url = '' }, response) => {
    asked.push(url)
    const text = url.startsWith('/agent') ? agent : url.startsWith('/cart') ? captureOf('cart', 5) : 'hello'
    response.end(text)
  })
  const at = (name: string): Target => targetOf(name, { url: `${origin}/${name}` })
  const deps = { clock: createHandClock(), log: createKeptLog() }
  const http = createHttpGet({ deadlineMs: 3_000, maxBytes: 1 << 20 }, deps)
  t.teardown(() => http.close())
  const source = createEnvoy(
    {
      open: async () => http,
      targets: () => [at('cart'), at('other')],
      agents: () => [at('agent')],
      intervalMs: INTERVAL_MS,
      agentIntervalMs: 60_000,
    },
    deps,
  )
  const { readings } = await source.read(never)
  t.same(valuesOf(readings, BYTES), [
    ['cart', 175_054],
    ['other', undefined],
  ])
  t.same(valuesOf(readings, 'meshtoll_proxy_istiod_connection_failures_total'), [['agent', 2]])
  t.same(valuesOf(readings, 'meshtoll_proxy_istiod_connection_terminations_total'), [['agent', 3]])
  t.equal(asked.length, 3)
})
