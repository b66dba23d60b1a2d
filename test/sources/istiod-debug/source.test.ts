import t from 'tap'
import type { Labels, Reading } from '../../../src/model.js'
import { createIstiodDebug } from '../../../src/sources/istiod-debug/source.js'
import type { Target } from '../../../src/sources/scraping.js'
import { testSourceContract } from '../../contract/source.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { CAPTURED, CDS, createHttp, EDS, partOf, type Said, say } from './said.js'

const INTERVAL_MS = 15_000
const OWNER = { owner_zone: 'a', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }
const NONCE = '2026-11-21T05:47:03Z/54e52f0b54-e66b-4b3c-8169-635f0cc006c9'

const targetOf = (name: string, more: Partial<Target> = {}): Target => ({
  name,
  url: `http://${name}/debug/syncz`,
  labels: OWNER,
  ...more,
})

/** Answers by host what the test has for it; whoever has nothing hangs, an Error rejects. */
function createMesh(targets: readonly Target[] | (() => never)) {
  const clock = createHandClock()
  const log = createKeptLog()
  const said = new Map<string, Said | Error>()
  const http = createHttp((url) => {
    const answer = said.get(url.host)
    return answer instanceof Error ? answer : answer?.[partOf(url)]
  })
  const credentials = { namespaces: ['istio-system'], token: async () => 'a' }
  const source = createIstiodDebug(
    { open: async () => http, targets: typeof targets === 'function' ? targets : () => targets, credentials, intervalMs: INTERVAL_MS },
    { clock, log },
  )
  const abort = new AbortController()
  t.teardown(() => abort.abort(new Error('over')))
  source.run?.(abort.signal).catch(() => undefined)
  return {
    source,
    clock,
    log,
    said,
    /** Each was asked, and said `answers`. */
    async read(answers: Readonly<Record<string, Said | Error>>): Promise<readonly Reading[]> {
      for (const [name, answer] of Object.entries(answers)) said.set(name, answer)
      for (let passed = 0; passed < INTERVAL_MS; passed += 500) {
        clock.advance(500)
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      return (await source.read(abort.signal)).readings
    },
  }
}

const one = (said: Said | undefined) => {
  const mesh = createMesh([targetOf('istiod')])
  if (said) mesh.said.set('istiod', said)
  return mesh.source
}

testSourceContract(t, {
  empty: () => createMesh([]).source,
  failing: (failure) =>
    createMesh(() => {
      throw failure
    }).source,
  recorded: () => one(CAPTURED),
  // An istiod that is cut off hangs up: that is an answer that failed.
  hanging: () => one(undefined),
})

/** Of a family without `meshtoll_pilot_`: the last labels, and the value. */
const valuesOf = (readings: readonly Reading[], name: string): readonly unknown[] =>
  readings.flatMap((reading) =>
    reading.kind === 'value' && reading.family.name === `meshtoll_pilot_${name}` ? [[...ownOf(reading.labels), reading.value]] : [],
  )
const ownOf = (labels: Labels): readonly string[] =>
  Object.entries(labels).flatMap(([name, value]) => (name.startsWith('owner_') ? [] : [value]))
const rowsOf = (readings: readonly Reading[]) => readings.flatMap((reading) => (reading.kind === 'row' ? [reading] : []))

t.test('a real capture: three proxies, each of which rejects its listeners', async (t) => {
  const { read, clock } = createMesh([targetOf('istiod')])
  clock.advance(Date.parse('2026-11-21T05:50:00Z') - clock.now())
  const readings = await read({ istiod: CAPTURED })
  t.same(valuesOf(readings, 'connected_proxies'), [['sidecar', 3]])
  t.same(valuesOf(readings, 'unacknowledged_proxies'), [
    ['cds', 'stale', 0],
    ['cds', 'error', 0],
    ['eds', 'stale', 0],
    ['eds', 'error', 0],
    ['lds', 'stale', 0],
    ['lds', 'error', 3],
  ])
  const seconds = Number((valuesOf(readings, 'unacknowledged_seconds').at(-1) as readonly unknown[]).at(-1))
  t.ok(seconds > 176 && seconds < 177 + INTERVAL_MS / 1000, `${seconds} s`)
  const rows = rowsOf(readings)
  t.equal(rows.length, 3)
  t.match(rows[0], {
    row: {
      proxy: 'cart-7d9f8b6c5d-0.shop',
      type: 'sidecar',
      version: '1.31.0',
      istiod: 'istiod',
      address: '127.0.0.1',
      connectedAt: '2026-11-21T05:45:19.429Z',
      unacknowledged: [{ xds: 'lds', status: 'error', error: /^Error adding/ }],
    },
    peer: { address: '127.0.0.1', says: { zone: 'zone' } },
  })
})

t.test('a proxy that stands still while others are sent more and more', async (t) => {
  const { read, clock } = createMesh([targetOf('istiod')])
  const iso = (ms: number): string => new Date(ms).toISOString()
  const sent = (acked: string, sentMs: number) => ({ [CDS]: { sent: 'n', acked, sentTime: iso(sentMs) }, [EDS]: { sent: 'e', acked: 'e' } })
  const beganMs = clock.now()
  const answer = (atMs: number) =>
    say([
      { proxy: 'stock-1.shop', resources: sent(`other ${atMs}`, atMs), address: '10.1.0.3' },
      { proxy: 'gate-1.edge', type: 'router', resources: sent('n', atMs), address: '10.1.0.4' },
      { proxy: 'cart-1.shop', resources: sent(NONCE, atMs), address: '10.1.0.2' },
    ])
  await read({ istiod: answer(beganMs) })
  await read({ istiod: answer(clock.now()) })
  const readings = await read({ istiod: answer(clock.now()) })
  t.same(valuesOf(readings, 'unacknowledged_proxies'), [
    ['cds', 'stale', 2],
    ['cds', 'error', 0],
    ['eds', 'stale', 0],
    ['eds', 'error', 0],
  ])
  const [[, , seconds]] = valuesOf(readings, 'unacknowledged_seconds') as [[string, string, number]]
  t.ok(seconds > 2 * (INTERVAL_MS / 1000) && seconds <= 3 * (INTERVAL_MS / 1000), `${seconds} s`)
  t.same(
    rowsOf(readings).map(({ row, peer }) => [row['proxy'], peer?.address, (row['unacknowledged'] as unknown[]).length]),
    [
      ['cart-1.shop', '10.1.0.2', 1],
      ['stock-1.shop', '10.1.0.3', 1],
      ['gate-1.edge', '10.1.0.4', 0],
    ],
    'who is furthest behind comes first',
  )
  const readingsOf = readings.filter(({ kind }) => kind === 'value').length
  t.equal(readingsOf, 3 + 4 + 4)
})

t.test('thousands of proxies', async (t) => {
  const { read } = createMesh([targetOf('istiod', { pod: { uid: 'u1', namespace: 'istio-system', name: 'istiod-1' }, labels: {} })])
  const many = Array.from({ length: 3_000 }, (_, i) => ({
    proxy: `cart-${i}.shop`,
    address: `10.${i >> 8}.${i & 255}.1`,
    resources: { [CDS]: { sent: NONCE, acked: i === 2_999 ? '' : NONCE } },
  }))
  const readings = await read({ istiod: say(many) })
  t.equal(valuesOf(readings, 'connected_proxies').length, 3_000)
  const rows = rowsOf(readings)
  t.same([rows.length, rows[0]?.row['proxy'], rows[0]?.row['istiod']], [500, 'cart-2999.shop', 'istiod-1.istio-system'])
  const labels = new Set(readings.flatMap((reading) => (reading.kind === 'value' && reading.peer ? [reading.labels] : [])))
  t.equal(labels.size, 1, 'they share their labels')
})

t.test('who does not answer', async (t) => {
  const refused = Object.assign(new Error('it answers 403'), { status: 403 })
  const { read, log, source } = createMesh([targetOf('istiod'), targetOf('b')])
  const says =
    "it answers 403; run the agent in istiod's namespace, or name the agent's in DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES in the environment of istiod"
  const b = say([{ proxy: 'cart-1.shop' }])
  for (let i = 0; i < 4; i++) {
    const readings = await read({ istiod: refused, b })
    t.equal(valuesOf(readings, 'connected_proxies').length, 1, 'another does')
  }
  const said = { source: 'istiod-debug', reason: says, targets: 1, first: 'http://istiod/debug/syncz' }
  t.same(log.lines, [`warn targets do not answer ${JSON.stringify(said)}`], 'said once')
  await read({ istiod: refused, b: refused })
  await t.rejects(read({ istiod: refused, b: refused }), {
    message: `none of 2 asked istiods tells of its proxies, such as http://istiod/debug/syncz: ${says}`,
  })
  await read({ istiod: b, b })
  t.equal(valuesOf((await source.read(new AbortController().signal)).readings, 'connected_proxies').length, 2)
})

t.test('rows that make no sense are counted once', async (t) => {
  const { read, source } = createMesh([targetOf('istiod')])
  await read({ istiod: { syncz: '[7,{"proxy":"cart-1.shop","resources":{}}]', connections: '{"clients":[]}' } })
  t.same((await source.read(new AbortController().signal)).rejected, 0)
  const fresh = one({ syncz: '[7]', connections: '{"clients":[]}' })
  t.equal((await fresh.read(new AbortController().signal)).rejected, 1)
})
