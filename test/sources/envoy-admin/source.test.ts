import t from 'tap'
import type { Reading } from '../../../src/model.js'
import { createEnvoyAdmin, type EndedPod, type EnvoyAdminParts } from '../../../src/sources/envoy-admin/source.js'
import type { Target } from '../../../src/sources/scraping.js'
import { testSourceContract } from '../../contract/source.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { clustersOf, host } from './answers.js'

const never = new AbortController().signal
const [INTERVAL_MS, PATIENCE_MS] = [60_000, 30_000]
const targetOf = (name: string, more: Partial<Target> = {}): Target => ({
  name,
  url: 'http://127.0.0.1:15000/clusters?format=json',
  pod: { uid: name, namespace: 'shop', name: `${name}-x2x4v` },
  labels: {},
  ...more,
})

/** Ended so many milliseconds ago. */
interface Ended {
  readonly owner: string
  readonly agoMs: number | undefined
}

/** Answers by pod what the test has for it; whoever has nothing hangs, an Error rejects. */
function createNode(targets: readonly Target[], parts: Partial<EnvoyAdminParts> = {}) {
  const clock = createHandClock()
  const log = createKeptLog()
  const said = new Map<string, string | Error>()
  const ended = new Map<string, EndedPod>()
  const get: Awaited<ReturnType<EnvoyAdminParts['open']>>['get'] = async ({ pod }, take) => {
    const answer = said.get(pod.uid)
    if (answer === undefined) return new Promise(() => undefined)
    if (answer instanceof Error) throw answer
    const bytes = Buffer.from(answer)
    for (let at = 0; at < bytes.length; at += 1_000) await take(bytes.subarray(at, at + 1_000))
  }
  const source = createEnvoyAdmin(
    {
      open: async () => ({ get }),
      targets: () => targets,
      endedPod: (address) => ended.get(address),
      intervalMs: INTERVAL_MS,
      patienceMs: PATIENCE_MS,
      ...parts,
    },
    { clock, log },
  )
  return {
    source,
    clock,
    log,
    said,
    end(address: string, { owner, agoMs }: Ended) {
      const endedMs = agoMs === undefined ? undefined : clock.now() - agoMs
      ended.set(address, { uid: `uid-${owner}`, who: { namespace: 'shop', kind: 'Deployment', name: owner }, endedMs })
    },
    begin: (address: string) => void ended.delete(address),
    /** All are asked once more. */
    async pass() {
      for (let passed = 0; passed < INTERVAL_MS; passed += 500) {
        clock.advance(500)
        await new Promise((resolve) => setImmediate(resolve))
      }
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const STOCK = 'outbound|80||stock.shop.svc.cluster.local'
const listing = (...addresses: readonly string[]): string => clustersOf({ [STOCK]: addresses.map(host) })

function recorded() {
  const node = createNode([targetOf('cart')])
  node.end('10.1.0.1', { owner: 'stock', agoMs: 20_000 })
  node.said.set('cart', listing('10.1.0.1', '10.1.0.2'))
  return node.source
}

testSourceContract(t, {
  empty: () => createNode([]).source,
  failing: (failure) =>
    createNode([], {
      targets: () => {
        throw failure
      },
    }).source,
  recorded,
  hanging: () => createNode([targetOf('cart')]).source,
})

const valuesIn = (readings: readonly Reading[]): unknown[] =>
  readings.flatMap((reading) =>
    reading.kind === 'value'
      ? [[reading.family.name.replace('meshtoll_', ''), reading.pod?.uid, reading.labels.dst_owner_name, reading.value]]
      : [],
  )
const rowsIn = (readings: readonly Reading[]) => readings.flatMap((reading) => (reading.kind === 'row' ? [reading.row] : []))

t.test('proxies that list ended pods', async (t) => {
  const { source, said, end, clock } = createNode(
    ['cart', 'web', 'far', 'coming'].map((name) => targetOf(name, name === 'coming' ? { url: undefined } : {})),
  )
  end('10.1.0.1', { owner: 'stock', agoMs: 20_000 })
  end('10.1.0.3', { owner: 'stock', agoMs: 30_000 })
  end('10.1.0.4', { owner: 'queue', agoMs: 10_000 })
  end('10.1.0.5', { owner: 'fresh', agoMs: 9_999 })
  const other = 'outbound|81||stock.shop.svc.cluster.local'
  said.set(
    'cart',
    clustersOf({ [STOCK]: ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5'].map(host), [other]: [host('10.1.0.1')] }),
  )
  said.set('web', listing('10.1.0.2'))
  said.set('far', new Error('nobody listens there'))
  const { readings } = await source.read(never)
  t.same(valuesIn(readings), [
    ['proxies_lagging', 'cart', undefined, 1],
    ['proxy_stale_hosts', 'cart', 'stock', 2],
    ['proxy_stale_hosts', 'cart', 'queue', 1],
    ['proxies_lagging', 'web', undefined, 0],
  ])
  const rows = rowsIn(readings)
  t.same(
    rows.map(({ address }) => address),
    ['10.1.0.3', '10.1.0.1', '10.1.0.4'],
    'those first that ended first',
  )
  t.same(rows[1], {
    proxy: 'shop/cart-x2x4v',
    cluster: STOCK,
    address: '10.1.0.1',
    namespace: 'shop',
    ownerKind: 'Deployment',
    ownerName: 'stock',
    podUid: 'uid-stock',
    endedAt: new Date(clock.now() - 20_000).toISOString(),
    listedSince: new Date(clock.now()).toISOString(),
  })
})

t.test('one that catches up, and one whose address goes on to another', async (t) => {
  const { source, said, end, begin, pass, clock } = createNode([targetOf('cart')])
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  end('10.1.0.1', { owner: 'stock', agoMs: 20_000 })
  said.set('cart', listing('10.1.0.1'))
  void source.run?.(abort.signal)
  const since = (await source.read(never)).readings.flatMap((one) => (one.kind === 'row' ? [one.row.listedSince] : []))
  await pass()
  const later = (await source.read(never)).readings
  t.same(
    rowsIn(later).map(({ listedSince }) => listedSince),
    since,
    'since when it is seen, not asked',
  )
  t.not(since[0], new Date(clock.now()).toISOString())
  begin('10.1.0.1')
  t.same(valuesIn((await source.read(never)).readings), [['proxies_lagging', 'cart', undefined, 0]], 'at once')
  end('10.1.0.1', { owner: 'stock', agoMs: 20_000 })
  said.set('cart', listing('10.1.0.2'))
  await pass()
  t.same(valuesIn((await source.read(never)).readings), [['proxies_lagging', 'cart', undefined, 0]], 'when it is asked again')
  said.set('cart', new Error('it hung up'))
  await pass()
  t.same((await source.read(never)).readings, [], 'who does not answer is not said to keep up')
})

t.test('an address on no record is believed to be nobody after a while', async (t) => {
  const { source, said, end, clock } = createNode([targetOf('cart')])
  end('10.1.0.1', { owner: '_unknown', agoMs: undefined })
  said.set('cart', listing('10.1.0.1'))
  t.same(valuesIn((await source.read(never)).readings), [['proxies_lagging', 'cart', undefined, 0]])
  clock.advance(PATIENCE_MS)
  const { readings } = await source.read(never)
  t.same(valuesIn(readings)[1], ['proxy_stale_hosts', 'cart', '_unknown', 1])
  t.equal(rowsIn(readings)[0]?.endedAt, null)
})

t.test('there may be many of all', async (t) => {
  const { source, said, end } = createNode(['cart', 'web'].map((name) => targetOf(name)))
  const addresses = Array.from({ length: 1_100 }, (_, index) => `10.2.${index >> 8}.${index & 255}`)
  for (const [index, address] of addresses.entries()) end(address, { owner: `stock-${index}`, agoMs: 20_000 })
  said.set('cart', clustersOf({ [`outbound|80||${'x'.repeat(500)}`]: addresses.map(host) }))
  said.set('web', listing(...addresses.slice(1_000)))
  const { readings } = await source.read(never)
  const hosts = valuesIn(readings).filter((row) => (row as unknown[])[0] === 'proxy_stale_hosts')
  t.equal(hosts.length, 1_001, 'of a proxy, and of owners')
  t.same(hosts.at(-1), ['proxy_stale_hosts', 'web', '_other', 100])
  t.equal(rowsIn(readings).length, 100)
  t.equal(String(rowsIn(readings)[0]?.cluster).length, 300)
})

t.test('where none answers, twice, the source is down', async (t) => {
  const { source, said, pass } = createNode(['cart', 'web'].map((name) => targetOf(name)))
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  for (const name of ['cart', 'web']) said.set(name, new Error('nobody listens there'))
  void source.run?.(abort.signal)
  t.same((await source.read(never)).readings, [])
  await pass()
  await t.rejects(source.read(never), {
    message: 'none of 2 asked proxies answers at its admin port, such as shop/cart-x2x4v: nobody listens there',
  })
})

t.test('an answer that is none', async (t) => {
  const cases = ['{"cluster_statuses":[{"name":"outbound|80||cart"', '<html>', '{}', '']
  for (const text of cases) {
    const { source, said } = createNode([targetOf('cart')])
    said.set('cart', text)
    t.same((await source.read(never)).readings, [], text)
  }
})

t.test('a way in that could not be had is asked for again', async (t) => {
  let refused = 0
  const get: Awaited<ReturnType<EnvoyAdminParts['open']>>['get'] = async (_, take) => take(Buffer.from(listing('10.1.0.1')))
  const node = createNode([targetOf('cart')], {
    async open() {
      if (refused++ === 0) throw new Error('too many open files')
      return { get }
    },
  })
  await node.source.read(never)
  const life = new AbortController()
  t.teardown(() => life.abort())
  void node.source.run?.(life.signal)
  await node.pass()
  const { readings } = await node.source.read(never)
  t.match(readings, [{ family: { name: 'meshtoll_proxies_lagging' }, value: 0 }])
})
