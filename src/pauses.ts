// Long loops give way, so that a scrape or a signal never waits for them.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from './deps.js'

const SLICE_MS = 5
/** To ask for the time takes longer than a step does. */
const STEPS = 64

export interface Pauses {
  /** Lets others run when this stretch of work has lasted long enough. */
  pause(): Promise<void>
  /** All steps, with a pause between two where it is due. */
  through<T>(steps: Generator<void, T>): Promise<T>
}

export function createPauses({ monotonic }: Pick<Clock, 'monotonic'>): Pauses {
  let sinceMs = monotonic()

  async function pause(): Promise<void> {
    if (monotonic() - sinceMs < SLICE_MS) return
    await turnOfTheLoop()
    sinceMs = monotonic()
  }

  return {
    pause,
    async through(steps) {
      for (let count = 1; ; count++) {
        const step = steps.next()
        if (step.done) return step.value
        if (count % STEPS === 0) await pause()
      }
    },
  }
}
