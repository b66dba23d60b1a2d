// A clock that moves only when the test says so.
import type { Clock } from '../../src/deps.js'

export interface HandClock extends Clock {
  /** Moves on and wakes whoever is due. */
  advance(ms: number): void
  /** As somebody sets a clock: no time passes. */
  set(ms: number): void
  /** Resolves as soon as somebody sleeps for so long, now or later. */
  untilSleeping(ms: number): Promise<void>
  /** How long the sleepers still have to sleep. */
  readonly sleeping: readonly number[]
}

interface Sleeper {
  readonly ms: number
  readonly dueMs: number
  wake(): void
}

export function createHandClock(): HandClock {
  let nowMs = 1_000_000
  let setMs = 0
  const sleepers = new Set<Sleeper>()
  const waiting = new Set<{ readonly ms: number; readonly resolve: () => void }>()
  return {
    now: () => nowMs + setMs,
    monotonic: () => nowMs,
    set(ms) {
      setMs += ms
    },
    get sleeping() {
      return [...sleepers].map(({ dueMs }) => dueMs - nowMs)
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const stop = (): void => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper: Sleeper = {
          ms,
          dueMs: nowMs + ms,
          wake() {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', stop)
            resolve()
          },
        }
        signal?.addEventListener('abort', stop, { once: true })
        sleepers.add(sleeper)
        for (const one of waiting) {
          if (one.ms !== ms) continue
          waiting.delete(one)
          one.resolve()
        }
      })
    },
    advance(ms) {
      nowMs += ms
      for (const sleeper of [...sleepers].sort((a, b) => a.dueMs - b.dueMs)) if (sleeper.dueMs <= nowMs) sleeper.wake()
    },
    untilSleeping(ms) {
      if ([...sleepers].some((sleeper) => sleeper.ms === ms)) return Promise.resolve()
      return new Promise((resolve) => waiting.add({ ms, resolve }))
    },
  }
}
