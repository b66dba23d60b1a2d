import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createTotals } from '../../../src/ledger/totals/totals.js'
import type { Reading, TotalReading } from '../../../src/model.js'
import { createEnvoy, type EnvoyParts } from '../../../src/sources/envoy/source.js'
import { createHttpGet } from '../../../src/sources/http-get.js'
import type { Target } from '../../../src/sources/scraping.js'
import { testSourceContract } from '../../contract/source.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { captureOf, PHASES, requestsLine } from './captures.js'

const never = new AbortController().signal
const INTERVAL_MS = 15_000
const OWNER = { owner_zone: 'a', owner_namespace: 'shop', owner_kind: 'Deployment' }
const targetOf = (name: string, more: Partial<Target> = {}): Target => ({
  name,
  url: `http://${name}/stats/prometheus`,
  labels: { ...OWNER, owner_name: name },
  ...more,
})

/** Answers by host what the test has for it; whoever has nothing hangs, an Error rejects. */
function createMesh(targets: readonly Target[], parts: Partial<EnvoyParts> = {}) {
  const clock = createHandClock()
  const log = createKeptLog()
  const said = new Map<string, string | Error>()
  const get = async (url: string): Promise<string> => {
    const answer = said.get(new URL(url).host)
    if (answer instanceof Error) throw answer
    return answer ?? new Promise(() => undefined)
  }
  const open = async () => ({ get, leave: () => undefined, close: async () => undefined })
  const source = createEnvoy(
    { open, targets: () => targets, agents: () => [], intervalMs: INTERVAL_MS, agentIntervalMs: 'off', ...parts },
    { clock, log },
  )
  return { source, clock, log, said }
}

const one = (text: string | Error | undefined) => {
  const { source, said } = createMesh([targetOf('cart')])
  if (text !== undefined) said.set('cart', text)
  return source
}

testSourceContract(t, {
  empty: () => createMesh([]).source,
  failing: (failure) =>
    createMesh([], {
      targets: () => {
        throw failure
      },
    }).source,
  recorded: () => one(captureOf('cart', 3)),
  // A proxy that is cut off hangs up: that is an answer that failed.
  hanging: () => one(undefined),
})

const valuesOf = (readings: readonly Reading[], name: string): unknown[] =>
  readings.flatMap((reading) =>
    (reading.kind === 'total' || reading.kind === 'value') && reading.family.name === name
      ? [[reading.labels.owner_name, reading.value]]
      : [],
  )

t.test('real captures: the bytes of each phase', async (t) => {
  const pods = ['cart', 'checkout', 'flapper'] as const
  const { source, clock, said } = createMesh(pods.map((pod) => targetOf(pod)))
  const totals = createTotals({ idleMs: 3_600_000, families: source.families }, { clock })
  const abort = new AbortController()
  const running = source.run?.(abort.signal)
  const served: Record<string, number[]> = { cart: [], checkout: [], flapper: [] }
  for (const phase of PHASES.keys()) {
    for (const pod of pods) said.set(pod, captureOf(pod, phase))
    for (let passed = 0; passed < INTERVAL_MS; passed += 500) {
      clock.advance(500)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { readings } = await source.read(abort.signal)
    const entries = readings.filter((reading): reading is TotalReading => reading.kind === 'total')
    totals.post(
      'envoy',
      entries.map((entry) => ({ ...entry, whose: 'certain' as const })),
      clock.now(),
    )
    const family = totals.families().find(({ family: { name } }) => name === 'meshtoll_proxy_xds_receive_bytes_total')
    for (const { labels, value } of family?.series ?? []) served[labels.owner_name ?? '']?.push(value)
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
  abort.abort()
  await running
})

t.test('who answers, and who does not', async (t) => {
  const targets = [targetOf('cart'), targetOf('stock'), targetOf('coming', { url: undefined })]
  const { source, said, log } = createMesh(targets)
  said.set('cart', captureOf('cart', 0))
  said.set('stock', new Error('it answers 403'))
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
  const { source, said, clock } = createMesh([targetOf('cart'), targetOf('stock'), targetOf('coming', { url: undefined })])
  for (const name of ['cart', 'stock']) said.set(name, new Error('nobody listens there'))
  t.equal(valuesOf((await source.read(never)).readings, 'meshtoll_proxies_unreachable').length, 3)
  const abort = new AbortController()
  void source.run?.(abort.signal)
  for (let passed = 0; passed < INTERVAL_MS; passed += 500) {
    clock.advance(500)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await t.rejects(source.read(never), {
    message: 'none of 2 asked proxies answers, such as http://cart/stats/prometheus: nobody listens there',
  })
  abort.abort()
})

/** Asks again and again, each time what the test has by then. */
async function createLife(t: Test, target: Target) {
  const mesh = createMesh([target])
  const { source, clock, said } = mesh
  const totals = createTotals({ idleMs: 3_600_000, families: source.families }, { clock })
  const abort = new AbortController()
  void source.run?.(abort.signal)
  t.teardown(() => abort.abort())
  return {
    async say(text: string, ms = INTERVAL_MS) {
      said.set(target.name, text)
      for (let passed = 0; passed < ms; passed += 500) {
        clock.advance(500)
        await new Promise((resolve) => setImmediate(resolve))
      }
      const atMs = clock.now()
      const { readings } = await source.read(never)
      const entries = readings.filter((reading): reading is TotalReading => reading.kind === 'total')
      const resets = totals.post(
        'envoy',
        entries.map((entry) => ({ ...entry, whose: 'certain' as const })),
        atMs,
      )
      const sums = totals
        .families()
        .map(({ family: { name }, series }) => [name, [...series].reduce((sum, { value }) => sum + value, 0)] as const)
      return { resets, served: Object.fromEntries(sums) as Record<string, number> }
    },
    clock,
  }
}

const BYTES = 'meshtoll_proxy_xds_receive_bytes_total'
const FAILED = 'meshtoll_proxy_failed_requests_total'
const lineOf = (uptime: number, bytes: number): string =>
  `envoy_server_uptime{} ${uptime}\nenvoy_cluster_upstream_cx_rx_bytes_total{cluster_name="xds-grpc"} ${bytes}\n`

t.test('a proxy that begins anew, with as many bytes as before', async (t) => {
  const { say } = await createLife(t, targetOf('cart'))
  await say(lineOf(100, 500))
  t.same((await say(lineOf(115, 700))).served[BYTES], 200)
  t.same(await say(lineOf(10, 700)), { resets: 1, served: { [BYTES]: 900 } }, 'all of it is new')
  t.same(await say(lineOf(25, 700)), { resets: 0, served: { [BYTES]: 900 } }, 'once')
  t.same(await say(lineOf(25, 710)), { resets: 0, served: { [BYTES]: 910 } }, 'its uptime may lag')
  t.same(await say(lineOf(20, 300)), { resets: 1, served: { [BYTES]: 1_210 } })
})

t.test('a proxy that was not there the last time', async (t) => {
  const targets: Target[] = []
  const { source, clock, said } = createMesh(targets)
  const totals = createTotals({ idleMs: 3_600_000, families: source.families }, { clock })
  const post = async (): Promise<unknown> => {
    const atMs = clock.now()
    const { readings } = await source.read(never)
    const entries = readings.filter((reading): reading is TotalReading => reading.kind === 'total')
    totals.post(
      'envoy',
      entries.map((entry) => ({ ...entry, whose: 'certain' as const })),
      atMs,
    )
    return [...(totals.families()[0]?.series ?? [])].map(({ value }) => value)
  }
  await post()
  clock.advance(60_000)
  targets.push(targetOf('cart'))
  said.set('cart', lineOf(20, 500))
  t.same(await post(), [500], 'its first configuration counts')
  targets.push(targetOf('old'))
  said.set('old', lineOf(3_600, 9_000))
  t.same(await post(), [500, 0], 'what was before is not known to be ours')
  clock.advance(15_000)
  targets.push(targetOf('coming', { url: undefined, startedMs: clock.now() - 5_000 }))
  await post()
  clock.advance(60_000)
  targets[2] = targetOf('coming')
  said.set('coming', lineOf(3_000, 700))
  t.same(await post(), [500, 0, 700], 'it was told of before it had an address')
})

t.test('failed requests whose counters are rotated away', async (t) => {
  const { say } = await createLife(t, targetOf('cart'))
  await say(lineOf(100, 0))
  t.same((await say(lineOf(115, 0) + requestsLine(7))).served[FAILED], 7, 'a counter that is new in a known proxy')
  t.same((await say(lineOf(130, 0))).served[FAILED], 7)
  t.same((await say(lineOf(145, 0) + requestsLine(9))).served[FAILED], 16)
})

t.test('the labels of a failed request come behind those of its owner', async (t) => {
  const { source, said } = createMesh([targetOf('cart')])
  said.set('cart', lineOf(1, 1) + requestsLine(2))
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
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const text = url.startsWith('/agent') ? agent : url.startsWith('/cart') ? captureOf('cart', 5) : 'hello'
    response.end(text)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const at = (name: string): Target => targetOf(name, { url: `http://127.0.0.1:${port}/${name}` })
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
