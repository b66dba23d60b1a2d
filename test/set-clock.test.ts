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
  return {
    set(ms: number) {
      aheadMs += ms
    },
    pass(ms: number) {
      bootMs += ms
    },
    beSlow(ms: number) {
      slowMs = ms
    },
    process() {
      const startMs = bootMs
      const monotonic = () => {
        bootMs += slowMs
        return bootMs - startMs
      }
      return createSetClock({ now: () => bootMs + aheadMs, monotonic, sinceBoot: () => bootMs, sleep: async () => undefined })
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

t.test('what a machine wrote down before it began anew says nothing', async (t) => {
  const before = createMachine()
  before.pass(HOUR_MS)
  const clock = createMachine().process()
  clock.settings.resume({ ...(before.process().settings.mark() as ClockMark), bootedMs: 0 })
  t.equal(clock.settings.doubtMs(), 0)
  const now = { now: () => 0, monotonic: () => 0, sleep: async () => undefined }
  t.equal(createSetClock(now).settings.mark(), undefined, 'nor is anything written where nobody knows when it began')
})
