import t from 'tap'
import { createWaited } from '../../src/ledger/waited.js'

const at = (fromMs: number, toMs: number) => ({ fromMs, toMs })

t.test('what came in which reading', async (t) => {
  const waited = createWaited()
  t.same(waited.sharesOf(3), [])
  const third = at(20, 30)
  waited.note(3, at(0, 10), { seen: 500, booked: 400 })
  waited.note(3, at(10, 20), { seen: 500, booked: 400 })
  waited.note(3, third, { seen: 530, booked: 400 })
  waited.note(4_000, third, { seen: 7, booked: 0 })
  t.same(waited.sharesOf(3), [
    { fromMs: 0, toMs: 10, bytes: 100 },
    { fromMs: 20, toMs: 30, bytes: 30 },
  ])
  waited.drop(3)
  t.same(waited.sharesOf(3), [])
  t.same(waited.sharesOf(4_000), [{ fromMs: 20, toMs: 30, bytes: 7 }])
})

t.test('what came nobody knows when is no share', async (t) => {
  const waited = createWaited()
  waited.note(1, undefined, { seen: 100, booked: 0 })
  waited.note(1, at(10, 20), { seen: 130, booked: 0 })
  t.same(waited.sharesOf(1), [{ fromMs: 10, toMs: 20, bytes: 30 }])
})

t.test('it is bounded: the oldest become one', async (t) => {
  const waited = createWaited()
  for (let reading = 0; reading < 100; reading++) waited.note(1, at(reading, reading + 1), { seen: reading + 1, booked: 0 })
  const shares = waited.sharesOf(1)
  t.equal(shares.length, 16)
  t.same(shares[0], { fromMs: 0, toMs: 85, bytes: 85 })
  t.equal(
    shares.reduce((sum, { bytes }) => sum + bytes, 0),
    100,
  )
})

t.test('what another process noted, no more than there is', async (t) => {
  const before = createWaited()
  before.note(3, at(0, 10), { seen: 500, booked: 400 })
  before.note(4_000, at(10, 20), { seen: 7, booked: 0 })
  before.note(3, at(10, 20), { seen: 530, booked: 400 })
  const waited = createWaited()
  for (const { fromMs, toMs, column } of before.arrivals())
    for (let row = 0; row < column.count; row++)
      waited.recall(column.pair[row] ?? 0, at(fromMs, toMs), { came: column.bytes[row] ?? 0, seen: 520, booked: 400 })
  t.same(waited.sharesOf(3), [
    { fromMs: 0, toMs: 10, bytes: 100 },
    { fromMs: 10, toMs: 20, bytes: 20 },
  ])
  waited.note(3, at(20, 30), { seen: 525, booked: 400 })
  t.same(waited.sharesOf(3).at(-1), { fromMs: 20, toMs: 30, bytes: 5 })
})

t.test('a pair that waits anew begins anew', async (t) => {
  const waited = createWaited()
  waited.note(1, at(0, 10), { seen: 50, booked: 0 })
  waited.drop(1)
  waited.note(1, at(10, 20), { seen: 80, booked: 60 })
  t.same(waited.sharesOf(1), [{ fromMs: 10, toMs: 20, bytes: 20 }])
})

t.test('all pairs of a large node wait through an outage: some megabytes', async (t) => {
  const waited = createWaited()
  const before = process.memoryUsage().arrayBuffers
  for (let reading = 1; reading <= 40; reading++) {
    const stretch = at(reading - 1, reading)
    for (let pair = 0; pair < 100_000; pair++) waited.note(pair, stretch, { seen: reading, booked: 0 })
  }
  t.equal(waited.sharesOf(99_999).length, 16)
  t.ok(waited.sharesOf(5).every(({ bytes }) => bytes >= 1))
  for (let pair = 0; pair < 100_000; pair++) waited.drop(pair)
  t.same(waited.sharesOf(5), [])
  t.ok(process.memoryUsage().arrayBuffers - before < 100e6)
})

t.test('a few of very many pairs wait: some kilobytes', async (t) => {
  const MOST_PAIRS = 4_194_304
  const waited = createWaited()
  const before = process.memoryUsage().arrayBuffers
  for (let reading = 1; reading <= 40; reading++) {
    const stretch = at(reading - 1, reading)
    for (let nth = 1; nth <= 100; nth++) waited.note(MOST_PAIRS - nth, stretch, { seen: reading * nth, booked: 0 })
    // Others come and go: their rows are those of whoever comes next.
    waited.note(reading, stretch, { seen: 7, booked: 0 })
    waited.drop(reading - 1)
  }
  t.ok(process.memoryUsage().arrayBuffers - before < 1e6)
  for (const nth of [1, 50, 100]) {
    const shares = waited.sharesOf(MOST_PAIRS - nth)
    t.equal(shares.length, 16)
    t.equal(
      shares.reduce((sum, { bytes }) => sum + bytes, 0),
      40 * nth,
    )
  }
  t.same(waited.sharesOf(39), [])
  t.same(waited.sharesOf(40), [{ fromMs: 39, toMs: 40, bytes: 7 }])
  const all = [...waited.arrivals()].flatMap(({ column }) => [...column.bytes.subarray(0, column.count)])
  t.equal(
    all.reduce((sum, bytes) => sum + bytes, 0),
    40 * 5_050 + 7,
  )
})
