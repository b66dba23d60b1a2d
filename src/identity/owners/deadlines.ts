import type { Clock } from '../../deps.js'

export interface Deadline {
  /** Aborted after the time, and when all end. */
  readonly signal: AbortSignal
  /** Nobody waits any more. */
  release(): void
}

export interface Deadlines {
  start(ms: number): Deadline
}

/**
 * All end with `signal`, which outlives each of them and has one listener for all: Node warns of more than ten, and
 * AbortSignal.any leaks on Node 20.
 */
export function createDeadlines(clock: Clock, signal: AbortSignal): Deadlines {
  const running = new Set<AbortController>()
  const stop = (): void => {
    for (const controller of running) controller.abort(signal.reason)
  }
  signal.addEventListener('abort', stop, { once: true })
  return {
    start(ms) {
      const controller = new AbortController()
      running.add(controller)
      if (signal.aborted) stop()
      clock.sleep(ms, controller.signal).then(
        () => controller.abort(new Error(`not done within ${Math.round(ms / 1000)} s`)),
        () => undefined,
      )
      return {
        signal: controller.signal,
        release() {
          running.delete(controller)
          controller.abort()
        },
      }
    },
  }
}
