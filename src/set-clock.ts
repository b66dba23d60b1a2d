// A clock that knows by how much it was set of late. It goes by the clock that never jumps: between the two a step shows, and nothing else does,
// for whatever corrects a clock by and by corrects both. Nobody can say at once which was right, the time before the step or the one after it.
// So for a while all times may be off by as much:
//   10:00:00 ──▶ 10:30:00 set back by an hour ──▶ 09:30:00 ...          for 35 minutes `doubtMs` is an hour
// Where the machine began anew in between, that clock did as well, and nothing shows: what was doubted is doubted on.
import type { Clock, ClockMark, ClockSettings } from './deps.js'

export interface SetClock extends Clock {
  readonly settings: ClockSettings
}

/** Less is what two looks at two clocks differ by. */
const NOTICED_MS = 100
/** systemd-timesyncd asks what time it is every 34 minutes 8 s at the latest, chrony every 17: a clock that was set wrong has been put right by then. */
export const TRUSTED_AFTER_MS = 2_100_000

export function createSetClock(clock: Clock): SetClock {
  const { monotonic, sinceBoot, bootId } = clock
  /** What it is ahead of the one that never jumps, and between what that was of late. */
  let aheadMs = clock.now() - monotonic()
  let [leastMs, mostMs] = [aheadMs, aheadMs]
  let trustedMs = Number.NEGATIVE_INFINITY

  function doubt(least: number, most: number, untilMs: number): void {
    leastMs = Math.min(leastMs, least)
    mostMs = Math.max(mostMs, most)
    trustedMs = Math.max(trustedMs, untilMs)
  }

  /** Between two looks at the other clock, which may be far apart on a machine that is busy. */
  function look(least: number, most: number, atMs: number): void {
    if (most < aheadMs - NOTICED_MS || least > aheadMs + NOTICED_MS) {
      aheadMs = (least + most) / 2
      doubt(least, most, atMs + TRUSTED_AFTER_MS)
    } else if (atMs >= trustedMs) leastMs = mostMs = aheadMs
  }

  function now(): number {
    const beforeMs = monotonic()
    const nowMs = clock.now()
    const afterMs = monotonic()
    look(nowMs - afterMs, nowMs - beforeMs, afterMs)
    return nowMs
  }

  function mark(): ClockMark | undefined {
    if (!sinceBoot) return undefined
    now()
    const bootMs = sinceBoot()
    const startedMs = monotonic() - bootMs
    const [bootedMs, least, most] = [aheadMs + startedMs, leastMs + startedMs, mostMs + startedMs]
    return { atMs: bootMs, bootedMs, leastMs: least, mostMs: most, trustedMs: Math.max(0, trustedMs - startedMs), bootId }
  }

  function resume(past: ClockMark): void {
    const here = mark()
    if (here && isSameBoot(past, here)) goOn(past, here)
    else if (here) doubtOn(past)
  }

  function goOn(past: ClockMark, here: ClockMark): void {
    const startedMs = here.bootedMs - aheadMs
    if (past.trustedMs > here.atMs) doubt(past.leastMs - startedMs, past.mostMs - startedMs, past.trustedMs + startedMs)
    const before = past.bootedMs - startedMs
    if (Math.abs(before - aheadMs) > NOTICED_MS) doubt(before, before, monotonic() + TRUSTED_AFTER_MS)
  }

  /** For as long as was left: nobody can say for how long the machine was off. */
  function doubtOn({ atMs, trustedMs, bootedMs, leastMs: least, mostMs: most }: ClockMark): void {
    if (trustedMs > atMs) doubt(aheadMs + least - bootedMs, aheadMs + most - bootedMs, monotonic() + trustedMs - atMs)
  }

  /** One that was set forward, or a machine that slept, leaves it as it is: somebody may have come and gone meanwhile. */
  function byNow(past: ClockMark | undefined): (thenMs: number) => number {
    const here = mark()
    if (!past || !here) return (thenMs) => thenMs
    // Before a machine began anew, all was over.
    if (!isSameBoot(past, here)) return (thenMs) => Math.min(thenMs, here.bootedMs)
    const setBackMs = Math.max(0, past.bootedMs - here.bootedMs)
    return (thenMs) => thenMs - setBackMs
  }

  return { ...clock, now, settings: { doubtMs: () => mostMs - leastMs, mark, resume, byNow } }
}

/** Where it is not said which one it was, one that is younger is another. */
export const isSameBoot = (past: ClockMark, here: ClockMark): boolean =>
  past.bootId !== undefined && here.bootId !== undefined ? past.bootId === here.bootId : here.atMs >= past.atMs
