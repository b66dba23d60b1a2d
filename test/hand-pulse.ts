// A pulse of a process that stands still when the test says so.
import type { Pulse } from '../src/deps.js'

export interface HandPulse extends Pulse {
  /** Nobody has noticed yet. */
  standStill(): void
}

export function createHandPulse(): HandPulse {
  const listeners = new Set<(error: Error) => void>()
  let isNoticed = true
  let stops = 0
  return {
    standStill() {
      isNoticed = false
    },
    look() {
      if (isNoticed) return
      isNoticed = true
      stops++
      for (const listener of listeners) listener(new Error('this process stood still for 17 s'))
    },
    get stops() {
      return stops
    },
    onStop(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    run: async () => undefined,
  }
}
