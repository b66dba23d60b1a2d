// Knows when this process stood still: stopped, frozen with its cgroup, or asleep with its machine. Nobody says so, and its connections stand.
// What was heard before is of then, and so is what waits in them to be read:
//   look ─ look ─ look ───────────── 17 s ───────────── look      from here on nothing counts as heard that was asked for before
// The clock that never jumps stops where the machine sleeps; the other one is ahead by as much afterwards.
import type { Clock, Log, Pulse } from './deps.js'

const LOOK_EVERY_MS = 500
/** A change takes this long at most to come to all agents that hear anything (agent/cluster.ts). */
const LONGEST_MS = 3_000

export function createPulse(clock: Clock, log: Pick<Log, 'warn'>): Pulse {
  const listeners = new Set<(error: Error) => void>()
  let isRunning = false
  let last = timesOf(clock)
  let stops = 0

  function look(): void {
    const now = timesOf(clock)
    const stoodMs = Math.max(now.steadyMs - last.steadyMs, now.wallMs - last.wallMs)
    last = now
    if (isRunning && stoodMs > LONGEST_MS) stood(Math.round(stoodMs / 1000))
  }

  function stood(seconds: number): void {
    stops++
    log.warn('this process or its machine stood still: what others say is asked for anew, and bytes wait for it', { for_s: seconds })
    const error = new Error(`this process or its machine stood still for ${seconds} s`)
    for (const listener of [...listeners]) listener(error)
  }

  return {
    look,
    get stops() {
      return stops
    },
    onStop(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async run(signal) {
      last = timesOf(clock)
      isRunning = true
      while (!signal.aborted) {
        await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined)
        // Also of one that is ended as soon as it goes on.
        look()
      }
      isRunning = false
    },
  }
}

export const withPulse = (clock: Clock, log: Pick<Log, 'warn'>): Clock & { readonly pulse: Pulse } => ({
  ...clock,
  pulse: createPulse(clock, log),
})

const timesOf = (clock: Clock) => ({ steadyMs: clock.monotonic(), wallMs: clock.now() })
