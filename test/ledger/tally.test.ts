// Readings that a kernel model would not give: missed elements, sides that do not agree, very many pairs at once.
import t from 'tap'
import { createLedger } from '../../src/ledger/ledger.js'
import type { FlowReading, PairColumn } from '../../src/model/flows.js'
import type { Placement } from '../../src/model.js'
import { CART, createModelIdentity, INTERNET, STOCK } from './identity-model.js'

const clock = { now: () => 1_000_000, monotonic: () => 0, sleep: async () => undefined }
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const HERE = '10.0.0.1'
const THERE = '10.0.0.2'
const OUTSIDE = '10.0.0.3'
const identity = createModelIdentity(
  new Map([
    [HERE, { who: CART, local: 'yes', covered: 'yes' }],
    [THERE, { who: STOCK, local: 'no', covered: 'yes' }],
    [OUTSIDE, { who: INTERNET, local: 'no', covered: 'no' }],
  ]),
)

const columnOf = (bytes: readonly (readonly [pair: number, bytes: number])[]): PairColumn => ({
  count: bytes.length,
  pair: Int32Array.from(bytes, ([pair]) => pair),
  bytes: Float64Array.from(bytes, ([, bytes]) => bytes),
})

interface Said {
  readonly pairs: readonly (readonly [source: string, destination: string])[]
  readonly seen?: readonly (readonly [number, number])[]
  readonly via?: readonly (readonly [number, number])[]
  readonly counters?: Partial<FlowReading['counters']>
  readonly epoch?: string
  readonly closed?: boolean
}

function readingOf({ pairs, seen = [], via = [], counters = {}, epoch = 'e1', closed = false }: Said): FlowReading {
  const addresses = [...new Set(pairs.flat())]
  return {
    kind: 'flows',
    epoch,
    epochStartMs: 1_000_000,
    atMs: 1_000_000,
    counters: { observed: 0, tunnel: 0, overflow: 0, viaOverflow: 0, ...counters },
    pairs: {
      size: pairs.length,
      addresses: addresses.length,
      sourceOf: (pair) => addresses.indexOf(pairs[pair]?.[0] ?? ''),
      destinationOf: (pair) => addresses.indexOf(pairs[pair]?.[1] ?? ''),
      addressText: (address) => addresses[address] ?? '',
    },
    generations: [{ id: 1, closed, seen: columnOf(seen), via: columnOf(via) }],
    gapMs: 0,
    unbrokenSinceMs: 1_000_000,
    egress: { uplinks: 0, intoTunnels: 0, outerSent: 0 },
  }
}

async function ledgerAfter(readings: readonly Said[]) {
  const ledger = createLedger({ limit: 100, idleMs: 1000 }, { clock, log: SILENT })
  ledger.announce('e1')
  for (const said of readings) await ledger.post(readingOf(said), identity)
  const value = (name: string): number => ledger.accounts.book(name).value
  const { leaving } = ledger
  return { posted: value('posted'), elsewhere: value('elsewhere'), pending: value('pending'), overflow: value('overflow'), leaving }
}

t.test('what readings add up to', async (t) => {
  const pairs = [
    [HERE, THERE],
    [HERE, HERE],
    [OUTSIDE, THERE],
  ] as const
  const nothing = { posted: 0, elsewhere: 0, pending: 0, overflow: 0, leaving: 0 }
  const cases: readonly { name: string; readings: readonly Said[]; books: typeof nothing }[] = [
    { name: 'nothing', readings: [{ pairs }], books: nothing },
    {
      name: 'what leaves the node, and what does not',
      readings: [
        {
          pairs,
          seen: [
            [0, 5],
            [1, 7],
          ],
        },
      ],
      books: { ...nothing, posted: 12, leaving: 5 },
    },
    {
      name: 'a pair that a dump missed, since the set was growing',
      readings: [
        { pairs, seen: [[0, 5]] },
        { pairs, seen: [[0, 6]] },
        { pairs, seen: [[0, 0]] },
      ],
      books: { ...nothing, posted: 6, leaving: 6 },
    },
    {
      name: 'translated bytes of a pair that found no room: they are in overflow',
      readings: [
        { pairs, via: [[2, 40]], counters: { overflow: 40 } },
        { pairs, via: [[2, 40]], counters: { overflow: 40 } },
      ],
      books: { ...nothing, overflow: 40 },
    },
    {
      name: 'translated bytes beyond those seen',
      readings: [{ pairs, seen: [[2, 30]], via: [[2, 40]] }],
      books: { ...nothing, posted: 30, leaving: 30 },
    },
    {
      name: 'a table that was not announced: it may have been posted before',
      readings: [
        { pairs, seen: [[0, 5]], counters: { overflow: 9 }, epoch: 'e0' },
        { pairs, seen: [[0, 7]], counters: { overflow: 10 }, epoch: 'e0' },
      ],
      books: { ...nothing, posted: 2, overflow: 1, leaving: 2 },
    },
  ]
  for (const { name, readings, books } of cases) t.same(await ledgerAfter(readings), books, name)
})

t.test('what is written down', async (t) => {
  const ledger = createLedger({ limit: 100, idleMs: 1000 }, { clock, log: SILENT })
  const many = Array.from({ length: 3000 }, (_, at) => [`10.1.${at >> 8}.${at & 255}`, HERE] as const)
  const seen = many.map((_, at) => [at, 1] as const)
  ledger.announce('e1')
  const kindAfter = async (said: Said) => {
    await ledger.post(readingOf(said), identity)
    return ledger.take().kind
  }
  t.equal(await kindAfter({ pairs: many.slice(0, 10), seen: seen.slice(0, 10) }), 'checkpoint', 'an epoch begins with everything')
  t.equal(await kindAfter({ pairs: many.slice(0, 10), seen: [[0, 9]] }), 'nothing', 'more bytes decide nothing')
  t.equal(await kindAfter({ pairs: many.slice(0, 20), seen: seen.slice(0, 20) }), 'batch', 'new addresses do')
  t.equal(await kindAfter({ pairs: many, seen }), 'checkpoint', 'very many are no line')
})

t.test('a table that goes after a reading under load', async (t) => {
  const cases = [
    { name: 'pairs were ahead of what was observed: evened out, since no later reading does', observed: 70, afterwards: 100 },
    { name: 'observed was ahead: a fault of the books stays', observed: 130, afterwards: 130 },
  ]
  for (const { name, observed, afterwards } of cases) {
    const ledger = createLedger({ limit: 100, idleMs: 1000 }, { clock, log: SILENT })
    ledger.announce('e1')
    await ledger.post(readingOf({ pairs: [[HERE, THERE]], seen: [[0, 100]], counters: { observed } }), identity)
    t.equal(ledger.accounts.book('observed').value, observed, `${name}: as long as it is there`)
    ledger.announce('e2')
    t.equal(ledger.accounts.book('observed').value, afterwards, name)
    await ledger.post(readingOf({ pairs: [[HERE, THERE]], seen: [[0, 5]], counters: { observed: 5 }, epoch: 'e2' }), identity)
    t.equal(ledger.accounts.book('observed').value, afterwards + 5, `${name}: and goes on`)
    t.equal(ledger.accounts.book('posted').value, 105)
  }
})

t.test('others have their turn among very many pairs', async (t) => {
  const PAIRS = 4_096
  const there = Array.from({ length: PAIRS }, (_, at) => `10.1.${at >> 8}.${at & 255}`)
  const placeOf = (name: string): Placement => ({ who: { ...STOCK, name }, local: 'no', covered: 'yes' })
  const whoever = createModelIdentity(
    new Map([[HERE, { who: CART, local: 'yes', covered: 'yes' }], ...there.map((text): [string, Placement] => [text, placeOf(text)])]),
  )
  const numbered = {
    size: PAIRS,
    addresses: PAIRS + 1,
    sourceOf: () => PAIRS,
    destinationOf: (pair: number) => pair,
    addressText: (address: number) => there[address] ?? HERE,
  }
  const all = there.map((_, pair) => [pair, 1] as const)
  let nowMs = 0
  // Each look at the clock finds that it is time to give way.
  const ledger = createLedger({ limit: 100, idleMs: 1e9 }, { clock: { ...clock, monotonic: () => (nowMs += 10) }, log: SILENT })
  ledger.announce('e1')
  let turns = 0
  const beat = (): void => {
    turns++
    beating = setImmediate(beat)
  }
  let beating = setImmediate(beat)
  const turnsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = turns
    await work()
    return turns - before
  }
  const post = (said: Omit<Said, 'pairs'>) => () => {
    const reading = readingOf({ ...said, pairs: [] })
    const next = { id: 2, closed: false, seen: columnOf(said.closed ? all : []), via: columnOf([]) }
    return ledger.post({ ...reading, pairs: numbered, generations: [...reading.generations, next] }, whoever)
  }
  const cases: readonly { name: string; work: () => Promise<unknown>; pairsATurn: number }[] = [
    { name: 'that are new', work: post({ seen: all }), pairsATurn: 64 },
    { name: 'that were translated', work: post({ via: all }), pairsATurn: 64 },
    { name: 'that are written down, pair by pair and route by route', work: () => ledger.state(), pairsATurn: 128 },
    // Two generations; then what is pending, the dead, accounts, routes, and three times what is folded.
    { name: 'of a generation that is closed', work: post({ closed: true, seen: all }), pairsATurn: 64 / 8 },
  ]
  for (const { name, work, pairsATurn } of cases) {
    const had = await turnsOf(work)
    t.ok(had >= PAIRS / pairsATurn, `${name}: ${had} turns`)
  }
  clearImmediate(beating)
  t.equal(ledger.accounts.book('posted').value, 2 * PAIRS)
})
