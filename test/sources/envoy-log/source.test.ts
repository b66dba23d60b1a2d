import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { GrowingFiles } from '../../../src/deps.js'
import { growingFiles } from '../../../src/growing-files.js'
import type { EventReading, Reading } from '../../../src/model.js'
import type { LogTarget } from '../../../src/sources/container-logs/following.js'
import { fileLog, podLog } from '../../../src/sources/container-logs/segments.js'
import { createEnvoyLog } from '../../../src/sources/envoy-log/source.js'
import { testSourceContract } from '../../contract/source.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { createCriLog } from '../container-logs/cri-log.js'
import { createLogWorld, sumOf, watchFiles } from '../container-logs/world.js'

const OWNER = { owner_zone: 'us-east-1a', owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: 'cart' }
const SETTLE_MS = 15_000
const START_MS = 1_000_000_000_000
const FAILED = 'meshtoll_proxy_failed_upstream_requests_total'
const CAPTURE = join(import.meta.dirname, '../../fixtures/istio/envoy-access.log')

const target = (name: string, place: LogTarget['place']): LogTarget => ({ name, place, labels: OWNER })

interface Line {
  readonly atMs: number
  readonly flags?: string
  readonly host?: string
  readonly tookMs?: number
}

const lineOf = ({ atMs, flags = 'UF', host = '10.1.2.2:8080', tookMs = 5 }: Line): string =>
  `[${new Date(atMs).toISOString()}] "GET / HTTP/1.1" 503 ${flags} via - "-" 0 0 ${tookMs} - "-" "curl/8" "-" "stock" "${host}" outbound|80||stock.shop.svc.cluster.local - 10.96.0.7:80 10.1.1.2:41544 - default`

function sourceOf(logs: readonly LogTarget[], files: GrowingFiles = growingFiles) {
  const watched = watchFiles(files)
  t.teardown(watched.closeAll)
  const clock = { now: () => Date.parse('2026-11-23T00:00:00Z'), monotonic: () => 0, sleep: async () => undefined }
  const deps = { clock, log: createKeptLog(), growingFiles: watched.files }
  const source = createEnvoyLog({ logs: () => logs, settleMs: SETTLE_MS }, deps)
  source.resume?.(new Map(), 0)
  return source
}

const anywhere = target('uid', podLog('/nowhere'))

// Never absent: it is asked where there is a proxy only. Never torn: what has no end yet is waited for.
testSourceContract(t, {
  empty: () => sourceOf([]),
  failing: (failure) => sourceOf([anywhere], { ...growingFiles, list: () => Promise.reject(failure) }),
  recorded: () => sourceOf([target('uid', fileLog(CAPTURE))]),
  hanging: () => sourceOf([anywhere], { ...growingFiles, list: () => new Promise(() => undefined) }),
})

const isEvent = (reading: Reading): reading is EventReading => reading.kind === 'event'

/** `ADDRESS FLAGS COUNT`, and the seconds in which that was, since the start. */
const calls = (readings: readonly Reading[]): readonly string[] =>
  readings.filter(isEvent).map(({ peer, labels, count }) => {
    const seconds = peer?.during && `${(peer.during.fromMs - START_MS) / 1000}-${(peer.during.toMs - START_MS) / 1000}`
    return [peer?.address ?? 'none', labels.response_flags, count, ...(seconds ? [seconds] : [])].join(' ')
  })

function createNode(t: Test) {
  const log = createCriLog(join(t.testdir({ pods: {} }), 'pods/shop_cart-1_u1/istio-proxy'))
  log.write('before anybody looked')
  const targets = [target('u1', podLog(log.folder))]
  const world = createLogWorld(t, (deps) => createEnvoyLog({ logs: () => targets, settleMs: SETTLE_MS }, deps))
  return { log, targets, world }
}

t.test('requests that failed are handed on once it is told who had the address', async (t) => {
  const { log, world } = createNode(t)
  await world.read()
  const atMs = START_MS + 16_200
  log.write(lineOf({ atMs }))
  log.write(lineOf({ atMs: atMs + 100, flags: 'UC' }))
  log.write(lineOf({ atMs: atMs + 200 }))
  log.write(lineOf({ atMs: atMs + 300, flags: '-' }))
  log.write(lineOf({ atMs: atMs + 400, host: '-', flags: 'UH' }))
  log.write(lineOf({ atMs, tookMs: 3_000 }))
  log.write('2026-11-22T03:04:05.678901Z\tinfo\txdsproxy\tconnected')
  t.same(calls(await world.read()), [], 'not yet')
  t.same(calls(await world.read()), ['10.1.2.2 UF 2 16-17', '10.1.2.2 UC 1 16-17', 'none UH 1', '10.1.2.2 UF 1 16-20'])
  t.same(calls(await world.read()), [], 'once')
  t.equal(sumOf(world.seriesOf('meshtoll_proxy_log_lines_total')), 7)
  t.equal(sumOf(world.seriesOf(FAILED)), 5)
})

t.test('what an agent that is killed has read is not lost, and not read twice', async (t) => {
  for (const isWritten of [true, false]) {
    const { log, world } = createNode(t)
    await world.read()
    log.write(lineOf({ atMs: START_MS + 16_200 }))
    await world.read({ kill: !isWritten })
    await world.kill()
    log.write(lineOf({ atMs: START_MS + 31_000, flags: 'UC' }))
    for (let i = 0; i < 3; i++) await world.read({ kill: !isWritten && i === 0 })
    await world.kill()
    await world.read()
    t.equal(sumOf(world.seriesOf(FAILED)), 2)
    t.equal(sumOf(world.seriesOf('meshtoll_proxy_log_lines_total')), 2)
  }
})

t.test('what a pod that is gone wrote last', async (t) => {
  const { log, targets, world } = createNode(t)
  await world.read()
  log.write(lineOf({ atMs: START_MS + 29_000 }))
  rmSync(log.folder, { recursive: true })
  targets.length = 0
  t.same(calls(await world.read()), ['10.1.2.2 UF 1 29-30'], 'does not wait: nobody asks for it again')
  t.same(await world.read(), [])
})

t.test('a line of the future', async (t) => {
  const { log, world } = createNode(t)
  await world.read()
  log.write(lineOf({ atMs: START_MS + 86_400_000 }))
  await world.read()
  t.same(calls(await world.read()), ['10.1.2.2 UF 1 30-30'])
})

t.test('more failures than are looked into', async (t) => {
  const folder = t.testdir({})
  const logs = [...Array(8).keys()].map((i) => createCriLog(join(folder, `proxy-${i}`)))
  for (const log of logs) log.write('before')
  const targets = logs.map((log) => target(log.folder, podLog(log.folder)))
  const world = createLogWorld(t, (deps) => createEnvoyLog({ logs: () => targets, settleMs: 0 }, deps))
  await world.read()
  const lines = `2026-11-21T00:00:00Z stdout F ${lineOf({ atMs: START_MS })}\n`.repeat(1_500)
  for (const log of logs) log.append(lines)
  const readings = await world.read()
  t.equal(sumOf(world.seriesOf(FAILED)), 5_000, 'of all')
  t.same(
    readings.filter(isEvent).map(({ count }) => count),
    [1_000, 1_000, 1_000, 1_000, 1_000],
    'and of each',
  )
  t.equal(sumOf(world.seriesOf('meshtoll_proxy_log_sampled_out_total')), 8 * 1_500 - 5_000, 'the others are counted')
  t.equal(sumOf(world.seriesOf('meshtoll_proxy_log_lines_total')), 8 * 1_500)
  appendFileSync(join(logs[7]?.folder ?? '', '0.log'), lines)
  await world.read()
  t.equal(sumOf(world.seriesOf(FAILED)), 6_000, 'at the next read anew')
})

t.test('lines that cannot be understood', async (t) => {
  const folder = t.testdir({})
  const log = createCriLog(join(folder, 'proxy'))
  const source = sourceOf([target('u1', podLog(log.folder))])
  log.write(`[2026-11-22T03:04:05.678Z] "GET / HTTP/1.1" 503 UF another format`)
  log.write(lineOf({ atMs: START_MS }))
  const { readings, rejected } = await source.read(new AbortController().signal)
  t.equal(rejected, 1)
  t.equal(readings.filter(isEvent).length, 1, 'the others stand')
})
