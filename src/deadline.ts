// A time limit beside a signal. Not by AbortSignal.any: Node 20 may collect what it combines, and then nothing is aborted.
import type { Clock } from './deps.js'

export class TimedOut extends Error {
  override readonly name = 'TimeoutError'

  constructor(ms: number) {
    super(`not done within ${ms / 1000} s`)
  }
}

export interface Limit {
  readonly ms: number
  readonly signal: AbortSignal
}

/** Without a reason one would be made, with its stack. */
const OVER = new Error('done in time')

/** Hands `task` a signal that is aborted with `limit.signal`, and with a TimedOut after `limit.ms`. */
export async function within<T>(clock: Pick<Clock, 'sleep'>, { ms, signal }: Limit, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limited = new AbortController()
  const over = new AbortController()
  const stop = (): void => limited.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  clock.sleep(ms, over.signal).then(
    () => limited.abort(new TimedOut(ms)),
    () => undefined,
  )
  try {
    return await task(limited.signal)
  } finally {
    over.abort(OVER)
    signal.removeEventListener('abort', stop)
  }
}

/** A read that hangs in the kernel cannot be stopped, only left behind. */
export async function untilAborted<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  let stopWaiting = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    stopWaiting = () => signal.removeEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([aborted, reading])
  } finally {
    stopWaiting()
  }
}
