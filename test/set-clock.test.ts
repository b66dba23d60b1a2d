import t from 'tap'
import type { ClockMark } from '../src/deps.js'
import { createSetClock, TRUSTED_AFTER_MS } from '../src/set-clock.js'

const HOUR_MS = 3_600_000
const START_MS = 1_763_715_600_000

/** A machine whose clock is in the test's hands; a process of it may be slow between two looks. */
function createMachine() {
  let bootMs = 50_000
  let aheadMs = START_MS
  let slowMs = 0
  let boots = 1
  return {
    /** Off for so long, its clock runs on. */
    beginAnew(offMs: number) {
      aheadMs += bootMs + offMs
      bootMs = 0
      boots++
    },
    set(ms: number) {
      aheadMs += ms
    },
    pass(ms: number) {
      bootMs += ms
    },
    beSlow(ms: number) {
      slowMs = ms
    },
    /** `knows`: which boot it is. */
    process(knows = true) {
      const startMs = bootMs
      const monotonic = () => {
        bootMs += slowMs
        return bootMs - startMs
      }
      const bootId = knows ? { bootId: `boot-${boots}` } : {}
      return createSetClock({ now: () => bootMs + aheadMs, monotonic, sinceBoot: () => bootMs, sleep: async () => undefined, ...bootId })
    },
  }
}

t.test('a clock that is set may be off by that for a while', async (t) => {
  const machine = createMachine()
  const clock = machine.process()
  const doubtAfter = (ms: number): number => {
    machine.set(ms)
    machine.pass(1_000)
    clock.now()
    return clock.settings.doubtMs()
  }
  t.equal(doubtAfter(0), 0, 'time that passes is no doubt')
  t.equal(doubtAfter(-HOUR_MS), HOUR_MS, 'set back')
  t.equal(doubtAfter(HOUR_MS), HOUR_MS, 'and right again: what was meanwhile is off still')
  t.equal(doubtAfter(5_000), HOUR_MS + 5_000, 'forward')
  machine.pass(TRUSTED_AFTER_MS - 2_000)
  t.equal(doubtAfter(0), HOUR_MS + 5_000)
  t.equal(doubtAfter(0), 0, 'as nobody has put it right since')
  t.equal(doubtAfter(-2_000), 2_000, 'from where it is by now')
})

t.test('little by little it comes to as much, and a machine that is busy is no step', async (t) => {
  const machine = createMachine()
  const clock = machine.process()
  for (let times = 0; times < 10; times++) {
    machine.set(60)
    clock.now()
  }
  t.ok(clock.settings.doubtMs() >= 400 && clock.settings.doubtMs() <= 600, `${clock.settings.doubtMs()}`)
  const other = machine.process()
  machine.beSlow(3_000)
  for (let times = 0; times < 10; times++) other.now()
  t.equal(other.settings.doubtMs(), 0)
  machine.set(HOUR_MS)
  other.now()
  t.ok(other.settings.doubtMs() >= HOUR_MS, 'where it is one, no less')
})

t.test('another process of the machine goes on', async (t) => {
  const cases = [
    { name: 'nothing was set', before: 0, between: 0, awayMs: 60_000, doubtMs: 0 },
    { name: 'while the first one ran', before: -HOUR_MS, between: 0, awayMs: 60_000, doubtMs: HOUR_MS },
    { name: 'between the two', before: 0, between: HOUR_MS, awayMs: 60_000, doubtMs: HOUR_MS },
    { name: 'there, and back between the two', before: -HOUR_MS, between: HOUR_MS, awayMs: 60_000, doubtMs: HOUR_MS },
    { name: 'both ways', before: -HOUR_MS, between: 2 * HOUR_MS, awayMs: 60_000, doubtMs: 2 * HOUR_MS },
    { name: 'long ago', before: -HOUR_MS, between: 0, awayMs: TRUSTED_AFTER_MS, doubtMs: 0 },
  ]
  for (const { name, before, between, awayMs, doubtMs } of cases) {
    const machine = createMachine()
    const first = machine.process()
    machine.pass(1_000)
    machine.set(before)
    const mark = JSON.parse(JSON.stringify(first.settings.mark())) as ClockMark
    machine.set(between)
    machine.pass(awayMs)
    const second = machine.process()
    second.settings.resume(mark)
    second.now()
    t.equal(second.settings.doubtMs(), doubtMs, name)
    machine.pass(TRUSTED_AFTER_MS)
    second.now()
    t.equal(second.settings.doubtMs(), 0, `${name}: and not for ever`)
  }
})

t.test('a machine that began anew is no clock that was set', async (t) => {
  const cases = [
    { name: 'sooner than the first process after the last start', knows: true, afterMs: 10_000, doubtMs: 0 },
    { name: 'later', knows: true, afterMs: 200_000, doubtMs: 0 },
    { name: 'sooner, as an earlier version wrote it', knows: false, afterMs: 10_000, doubtMs: 0 },
    { name: 'later, as an earlier version wrote it', knows: false, afterMs: 200_000, doubtMs: 150_000 + HOUR_MS },
  ]
  for (const { name, knows, afterMs, doubtMs } of cases) {
    const machine = createMachine()
    machine.pass(100_000)
    const mark = machine.process(knows).settings.mark() as ClockMark
    machine.beginAnew(HOUR_MS)
    machine.pass(afterMs)
    const clock = machine.process()
    clock.settings.resume(mark)
    t.equal(clock.settings.doubtMs(), doubtMs, name)
  }
})

t.test('what was doubted before a machine began anew is doubted on for as long as was left', async (t) => {
  const machine = createMachine()
  const first = machine.process()
  machine.set(-HOUR_MS)
  first.now()
  machine.pass(100_000)
  const mark = first.settings.mark() as ClockMark
  machine.beginAnew(HOUR_MS)
  machine.pass(200_000)
  const second = machine.process()
  second.settings.resume(mark)
  t.equal(second.settings.doubtMs(), HOUR_MS)
  machine.pass(TRUSTED_AFTER_MS - 100_001)
  second.now()
  t.equal(second.settings.doubtMs(), HOUR_MS)
  machine.pass(1)
  second.now()
  t.equal(second.settings.doubtMs(), 0)
})

t.test('a time of another process by the clock of now', async (t) => {
  const cases = [
    { name: 'the clock went on', anew: false, setMs: 0, byMs: 0 },
    { name: 'it was set back', anew: false, setMs: -HOUR_MS, byMs: -HOUR_MS },
    { name: 'it was set forward', anew: false, setMs: HOUR_MS, byMs: 0 },
    { name: 'the machine began anew', anew: true, setMs: 0, byMs: 0 },
    { name: 'and its clock was set back: before that all was over', anew: true, setMs: -HOUR_MS, byMs: 60_000 - HOUR_MS },
  ]
  for (const { name, anew, setMs, byMs } of cases) {
    const machine = createMachine()
    const first = machine.process()
    const thenMs = first.now()
    const mark = first.settings.mark()
    machine.set(setMs)
    if (anew) machine.beginAnew(60_000)
    machine.pass(100_000)
    t.equal(machine.process().settings.byNow(mark)(thenMs), thenMs + byMs, name)
  }
  const { settings } = createMachine().process()
  t.equal(settings.byNow(undefined)(5), 5, 'where nobody wrote down by which clock')
})

t.test('what cannot be compared says nothing', async (t) => {
  const now = { now: () => 0, monotonic: () => 0, sleep: async () => undefined }
  t.equal(createSetClock(now).settings.mark(), undefined, 'nor is anything written where nobody knows when it began')
})
