import type { Clock } from '../deps.js'

/** Runs `task` again and again, `ms` after it was done, until aborted. */
export async function every(clock: Clock, { ms, signal }: { ms: number; signal: AbortSignal }, task: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ms, signal).catch(() => undefined)
    if (!signal.aborted) await task()
  }
}
