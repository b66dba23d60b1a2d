// Not to fight somebody who keeps at our table, and not to fill the log with it.
import type { Clock, Log } from '../../deps.js'

export interface Pace {
  /** Whether it is time for a repair, which then counts as made. */
  takeRepair(): boolean
  /** A warning, once a minute; in between for who debugs. */
  readonly warn: Log['warn']
}

/** Repairs that follow each other at once. */
const QUICK = 3
const REPAIR_EVERY_MS = 5_000
/** Without a repair for this long, it is somebody new. */
const QUIET_MS = 10_000
const WARN_EVERY_MS = 60_000

export function createPace({ clock, log }: { readonly clock: Clock; readonly log: Log }): Pace {
  const warnedAtMs = new Map<string, number>()
  let row = 0
  let repairedAtMs = Number.NEGATIVE_INFINITY
  return {
    takeRepair() {
      const nowMs = clock.monotonic()
      const sinceMs = nowMs - repairedAtMs
      if (sinceMs >= QUIET_MS) row = 0
      if (row >= QUICK && sinceMs < REPAIR_EVERY_MS) return false
      row++
      repairedAtMs = nowMs
      return true
    },
    warn(message, fields) {
      const nowMs = clock.monotonic()
      const isDue = nowMs - (warnedAtMs.get(message) ?? Number.NEGATIVE_INFINITY) >= WARN_EVERY_MS
      if (isDue) warnedAtMs.set(message, nowMs)
      log[isDue ? 'warn' : 'debug'](message, fields)
    },
  }
}
