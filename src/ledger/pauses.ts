// Long loops give way, so that a scrape or a signal never waits for them.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../deps.js'

const SLICE_MS = 5

export interface Pauses {
  /** Lets others run when this stretch of work has lasted long enough. */
  pause(): Promise<void>
}

export function createPauses(clock: Pick<Clock, 'monotonic'>): Pauses {
  let sinceMs = clock.monotonic()
  return {
    async pause() {
      if (clock.monotonic() - sinceMs < SLICE_MS) return
      await setImmediate()
      sinceMs = clock.monotonic()
    },
  }
}
