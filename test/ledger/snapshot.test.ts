import t from 'tap'
import { parseLastRead } from '../../src/ledger/last-read.js'
import { createLedger, type Ledger } from '../../src/ledger/ledger.js'
import { snapshotOf } from '../../src/ledger/snapshot.js'
import { parseState, renderState } from '../../src/ledger/state.js'
import type { Snapshot } from '../../src/model.js'
import { CART, createModelIdentity, STOCK, UNKNOWN, WEB } from './identity-model.js'
import { createKernel, createReader, type Kernel } from './kernel-model.js'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const PRICES = { same_zone: 0, cross_zone: 2e-11 } as const
const LIMIT = 2

/** Two owners here, one elsewhere; the clock stands still unless it is moved. */
async function setUp() {
  const time = { wallMs: 1_000_000, monotonicMs: 0 }
  const clock = { now: () => time.wallMs, monotonic: () => time.monotonicMs, sleep: async () => undefined }
  const identity = createModelIdentity(
    new Map([
      ['10.0.0.1', { who: CART, local: 'yes', covered: 'yes' }],
      ['10.0.0.2', { who: WEB, local: 'yes', covered: 'yes' }],
      ['10.0.0.3', { who: STOCK, local: 'no', covered: 'yes' }],
    ]),
  )
  const kernel = createKernel()
  const start = async (of?: Ledger) => {
    const text = of && [...renderState(await of.state())].join('')
    const state = text === undefined ? undefined : (await parseState(Buffer.from(text), async () => undefined)).state
    const lastRead = of && parseLastRead(Buffer.concat(await of.lastRead()))
    const restored = state && { ...state, ...(lastRead && { lastRead }) }
    return createLedger({ limit: LIMIT, idleMs: 60_000 }, { clock, log: SILENT }, restored)
  }
  const ledger = await start()
  ledger.announce('e1')
  kernel.create('e1', time.wallMs)
  const readInto = async (into: Ledger) => into.post(createReader(kernel, 1).read(time.wallMs, 0), identity)
  const pass = (ms: number, wallMs = ms) => {
    time.monotonicMs += ms
    time.wallMs += wallMs
  }
  const look = (of: Ledger, zeroFirstMs = 0): Snapshot =>
    snapshotOf(of, { limit: LIMIT, zeroFirstMs, prices: PRICES }, { atMs: 7, monotonicMs: time.monotonicMs, coverage: undefined })
  return { kernel, identity, ledger, start, readInto, pass, look }
}

const send = (kernel: Kernel, source: string, destination: string, bytes: number): void =>
  kernel.send({ source, destination, bytes, path: 'plain' }, false)

const valuesOf = ({ families }: Snapshot, name: string): number[] =>
  [...(families.find(({ family }) => family.name === name)?.series ?? [])].map(({ value }) => value)
const FLOWS = 'meshtoll_flow_bytes_total'

t.test('every series has the labels of its family, in its order', async (t) => {
  const { kernel, ledger, readInto, look } = await setUp()
  for (const source of ['10.0.0.1', '10.0.0.2']) for (const to of ['10.0.0.1', '10.0.0.3']) send(kernel, source, to, 5)
  await readInto(ledger)
  const { families, atMs, books } = look(ledger)
  t.equal(atMs, 7)
  t.same(books, { observed: 20, posted: 20, elsewhere: 0, tunnel: 0, multicast: 0, overflow: 0, pending: 0, difference: 0 })
  for (const { family, series } of families) for (const { labels } of series) t.same(Object.keys(labels), family.labels, family.name)
  t.equal(new Set(families.map(({ family }) => family.name)).size, families.length, 'no family twice')
  t.same(valuesOf(look(ledger), FLOWS), [5, 5, 5, 5], 'two series of their own, the others folded by zones')
  t.same(valuesOf(look(ledger), 'meshtoll_series'), [2])
  t.same(valuesOf(look(ledger), 'meshtoll_series_limit'), [2])
  t.same(valuesOf(look(ledger), 'meshtoll_series_folded_bytes_total'), [10])
  t.same(valuesOf(look(ledger), 'meshtoll_transfer_price_dollars_per_byte'), [0, 2e-11])
  t.same(valuesOf(look(ledger), 'meshtoll_flow_coverage_ratio'), [], 'absent while it is not known')
})

t.test('bytes to pods that ended', async (t) => {
  const { kernel, identity, ledger, start, readInto, pass, look } = await setUp()
  const end = (endedMs: number): void => identity.change('10.0.0.3', { who: STOCK, local: 'no', covered: 'yes', endedMs })
  const phantoms = (of: Ledger) => [
    valuesOf(look(of), 'meshtoll_phantom_bytes_total'),
    valuesOf(look(of), 'meshtoll_phantom_window_seconds'),
  ]
  send(kernel, '10.0.0.1', '10.0.0.3', 5)
  await readInto(ledger)
  end(1_000_000)
  pass(4_000)
  await readInto(ledger)
  t.same(phantoms(ledger), [[], []], 'no series before there are any')
  t.same(valuesOf(look(ledger), 'meshtoll_series'), [1])
  pass(10_000)
  send(kernel, '10.0.0.1', '10.0.0.3', 7)
  await readInto(ledger)
  t.same(phantoms(ledger), [[7], [4]], 'sent at some time since the reading before')
  t.same(valuesOf(look(ledger), FLOWS), [12])
  t.same(valuesOf(look(ledger), 'meshtoll_series'), [2])
  send(kernel, '10.0.0.2', '10.0.0.3', 2)
  await readInto(ledger)
  t.same(
    phantoms(ledger),
    [
      [7, 2],
      [4, 14],
    ],
    'another caller, for whom there is no room',
  )
  t.same(valuesOf(look(ledger), 'meshtoll_series_folded_bytes_total'), [2], 'which are folded once')
  for (const { family, series } of look(ledger).families) for (const { labels } of series) t.same(Object.keys(labels), family.labels)
  pass(10_000)
  const next = await start(ledger)
  await readInto(next)
  t.same(phantoms(next), [[7, 2], []], 'what was read by the process before did not come since')
  pass(10_000)
  send(kernel, '10.0.0.1', '10.0.0.3', 1)
  await readInto(next)
  t.same(phantoms(next), [[8, 2], [24]], 'the window is found again when it lasts')
})

t.test('bytes to a pod that ended, which waited for who has its address next', async (t) => {
  const { kernel, identity, ledger, readInto, pass, look } = await setUp()
  const nobodyYet = { who: UNKNOWN, local: 'unknown', covered: 'unknown', endedMs: 1_000_000 } as const
  send(kernel, '10.0.0.1', '10.0.0.3', 5)
  await readInto(ledger)
  identity.change('10.0.0.3', nobodyYet)
  pass(4_000)
  await readInto(ledger)
  pass(10_000)
  send(kernel, '10.0.0.1', '10.0.0.3', 7)
  await readInto(ledger)
  pass(20_000)
  t.same(valuesOf(look(ledger), 'meshtoll_phantom_window_seconds'), [])
  const nobodyCame = { who: STOCK, local: 'no', covered: 'yes', endedMs: 1_000_000 } as const
  identity.change('10.0.0.3', nobodyCame, nobodyCame)
  await readInto(ledger)
  t.same(valuesOf(look(ledger), 'meshtoll_phantom_window_seconds'), [4], 'when they came, not when that was decided')
  t.same(valuesOf(look(ledger), 'meshtoll_phantom_bytes_total'), [7])
})

t.test('known zone pairs are there at 0', async (t) => {
  const { ledger, readInto, look } = await setUp()
  await readInto(ledger)
  t.same(valuesOf(look(ledger), 'meshtoll_zone_bytes_total'), [0, 0, 0, 0, 0, 0, 0, 0], 'of two zones, and between each and the outside')
})

t.test('of very many zones only pairs that bytes come from are there: they grow with the square', async (t) => {
  const { kernel, identity, ledger, readInto, look } = await setUp()
  Object.assign(identity, { zones: Array.from({ length: 33 }, (_, index) => ({ zone: `z${index}`, region: 'r1' })) })
  send(kernel, '10.0.0.1', '10.0.0.3', 5)
  await readInto(ledger)
  t.same(valuesOf(look(ledger), 'meshtoll_zone_bytes_total'), [5])
})

t.test('a new series is served at 0 first; the books do not know of it', async (t) => {
  const { kernel, ledger, start, readInto, pass, look } = await setUp()
  send(kernel, '10.0.0.1', '10.0.0.3', 5)
  await readInto(ledger)
  t.same(valuesOf(look(ledger, 30_000), FLOWS), [0])
  t.equal(look(ledger, 30_000).books.posted, 5)
  t.same(valuesOf(look(ledger, 0), FLOWS), [5], 'unless that is switched off')
  pass(29_999)
  t.same(valuesOf(look(ledger, 30_000), FLOWS), [0], 'to the end of that time')
  pass(1)
  t.same(valuesOf(look(ledger, 30_000), FLOWS), [5])
  pass(1000, -20_000)
  const next = await start(ledger)
  await readInto(next)
  t.same(valuesOf(look(next, 30_000), FLOWS), [5], 'not again by the next process, though the clock was set back')
})

t.test('a withdrawn series is not served, and comes back from 0', async (t) => {
  const { kernel, ledger, readInto, pass, look } = await setUp()
  pass(30_000)
  send(kernel, '10.0.0.1', '10.0.0.3', 5)
  await readInto(ledger)
  pass(59_999)
  await readInto(ledger)
  t.same(valuesOf(look(ledger), FLOWS), [5], 'not before it was idle for long enough')
  pass(60_000)
  await readInto(ledger)
  t.same(valuesOf(look(ledger), FLOWS), [])
  t.same(valuesOf(look(ledger), 'meshtoll_series'), [0])
  t.equal(
    valuesOf(look(ledger), 'meshtoll_zone_bytes_total').reduce((sum, value) => sum + value),
    5,
    'its bytes stay in its zones',
  )
  send(kernel, '10.0.0.1', '10.0.0.3', 3)
  await readInto(ledger)
  t.same(valuesOf(look(ledger), FLOWS), [3])
  t.same(valuesOf(look(ledger, 30_000), FLOWS), [0], 'new again')
})

t.test('books that do not balance are told of to the byte, however much is in them', async (t) => {
  const { ledger, readInto, look } = await setUp()
  await readInto(ledger)
  const offBy = () => valuesOf(look(ledger), 'meshtoll_flow_books_difference_bytes')
  t.same(offBy(), [0])
  for (const name of ['observed', 'posted']) ledger.accounts.book(name).units += 2 ** 13
  ledger.accounts.book('overflow').value += 3
  t.same(offBy(), [-3])
})
