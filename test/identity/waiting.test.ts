import t from 'tap'
import { createWaiting } from '../../src/identity/waiting.js'

const PATIENCE_MS = 30_000
const CART = '10.1.0.7'
const WEB = '10.1.0.8'

t.test('how long the bytes of an address wait', async (t) => {
  const cases: { name: string; asked: readonly number[]; ended?: number; atMs: number; waits: boolean }[] = [
    { name: 'asked for the first time', asked: [], atMs: 100_000, waits: true },
    { name: 'just before its patience is over', asked: [100_000], atMs: 129_999, waits: true },
    { name: 'when it is over', asked: [100_000], atMs: 130_000, waits: false },
    { name: 'asked for again meanwhile', asked: [100_000, 110_000, 120_000], atMs: 130_000, waits: false },
    { name: 'long after it was over', asked: [100_000, 130_000], atMs: 900_000, waits: false },
    { name: 'it was somebody meanwhile', asked: [100_000], ended: 120_000, atMs: 130_000, waits: true },
  ]
  for (const { name, asked, ended, atMs, waits } of cases) {
    const waiting = createWaiting(PATIENCE_MS)
    for (const askedMs of asked) waiting.waits(CART, askedMs)
    if (ended) waiting.end(CART)
    t.equal(waiting.waits(CART, atMs), waits, name)
  }
  t.notOk(createWaiting(0).waits(CART, 100_000), 'without patience nothing does')
})

t.test('since when there are bytes', async (t) => {
  const waiting = createWaiting(PATIENCE_MS)
  t.equal(waiting.sinceMs(CART), undefined, 'never asked for')
  waiting.waits(CART, 100_000, 90_000)
  t.equal(waiting.sinceMs(CART), 90_000, 'before it was asked for')
  t.ok(waiting.waits(CART, 129_999, 125_000), 'the patience begins when it is asked for')
  t.notOk(waiting.waits(CART, 130_000))
  t.equal(waiting.sinceMs(CART), 90_000, 'the first bytes stand, and stay')
  waiting.end(CART)
  t.equal(waiting.sinceMs(CART), undefined, 'it was somebody')
})

t.test('each end of patience is told once', async (t) => {
  const waiting = createWaiting(PATIENCE_MS)
  t.notOk(waiting.isAnyOver(100_000), 'nobody waits')
  waiting.waits(CART, 100_000)
  t.notOk(waiting.isAnyOver(110_000))
  waiting.waits(WEB, 110_000)
  t.same(
    [129_999, 130_000, 130_001, 139_999, 140_000, 500_000].filter((atMs) => waiting.isAnyOver(atMs)),
    [130_000, 140_000],
  )
  waiting.end(WEB)
  waiting.waits(WEB, 500_000)
  t.same(
    [500_001, 530_000, 530_001].filter((atMs) => waiting.isAnyOver(atMs)),
    [530_000],
    'and once more when it waits anew',
  )
})

t.test('of too many those that nobody asks for are forgotten', async (t) => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `10.2.${index >> 8}.${index & 255}`)
  const cases: { name: string; count: number; asks: readonly string[]; atMs: number; forgotten: boolean }[] = [
    { name: 'few are all kept', count: 1_000, asks: [], atMs: 200_000, forgotten: false },
    { name: 'many, not asked for', count: 20_001, asks: [], atMs: 200_000, forgotten: true },
    { name: 'many, asked for', count: 20_001, asks: [CART], atMs: 200_000, forgotten: false },
    { name: 'many, not asked for, and still waiting', count: 20_001, asks: [], atMs: 102_010, forgotten: false },
  ]
  for (const { name, count, asks, atMs, forgotten } of cases) {
    const waiting = createWaiting(PATIENCE_MS)
    waiting.waits(CART, 100_000)
    for (const address of many(count)) waiting.waits(address, 100_001)
    // Three rounds follow each other; before each of them some are asked for.
    const others = ['10.3.0.1', '10.3.0.2', '10.3.0.3']
    others.forEach((other, index) => {
      waiting.waits(other, atMs - PATIENCE_MS + index)
    })
    others.forEach((_, index) => {
      for (const address of asks) waiting.waits(address, atMs + index)
      waiting.isAnyOver(atMs + index)
    })
    t.equal(waiting.sinceMs(CART) !== 100_000, forgotten, name)
  }
})

t.test('within a round nobody runs out of patience', async (t) => {
  const waiting = createWaiting(30_000)
  waiting.isAnyOver(1_000)
  t.equal(waiting.waits(CART, 1_500), true)
  t.equal(waiting.waits(CART, 40_000), true, 'a reading takes time')
  t.equal(waiting.isAnyOver(40_000), true)
  t.equal(waiting.waits(CART, 40_000), false)
})

t.test('what is nobody’s for certain waits no more, until it is somebody’s', async (t) => {
  const waiting = createWaiting(PATIENCE_MS)
  t.equal(waiting.waits(CART, 100_000), true)
  t.equal(waiting.isSettled(CART), false)
  waiting.settle(CART, 101_000)
  waiting.settle(WEB, 101_000)
  t.same([waiting.waits(CART, 101_000), waiting.sinceMs(CART), waiting.isSettled(CART)], [false, 100_000, true])
  t.same([waiting.waits(WEB, 100_500), waiting.sinceMs(WEB)], [false, 101_000], 'that never waited')
  waiting.end(CART)
  t.same([waiting.isSettled(CART), waiting.waits(CART, 102_000)], [false, true])
})

t.test('what another process waited for counts', async (t) => {
  let nowMs = 500
  const waiting = createWaiting(PATIENCE_MS, () => nowMs)
  waiting.resume(
    new Map([
      [CART, 20_000],
      [WEB, 40_000],
      ['10.1.0.9', 20_000],
      ['10.1.0.10', 20_000],
    ]),
  )
  t.same([waiting.waits(CART, 0), waiting.waits(WEB, 0)], [true, false])
  waiting.end('10.1.0.9')
  nowMs += 10_000
  t.same([waiting.waits(CART, 0), waiting.waits(WEB, 0)], [false, false])
  t.equal(waiting.waits('10.1.0.9', 0), true, 'not of who was somebody meanwhile')
  waiting.end(WEB)
  t.equal(waiting.waits(WEB, 0), true)
  nowMs += PATIENCE_MS
  t.equal(waiting.waits('10.1.0.10', 0), true, 'nor long after')
})
