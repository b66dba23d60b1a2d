/**
 * At most so many tasks at once; the others wait, first come, first served. Who waits longer than its signal lets it is not begun: it rejects with
 * the signal's reason.
 */
export function createSlots(count: number): <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  const waiting = new Set<() => void>()
  let free = count

  const wait = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        waiting.delete(begin)
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        waiting.delete(begin)
        reject(signal?.reason)
      }
      waiting.add(begin)
      signal?.addEventListener('abort', leave, { once: true })
    })

  return async (task, signal) => {
    signal?.throwIfAborted()
    if (free > 0) free--
    else await wait(signal)
    try {
      return await task()
    } finally {
      const [next] = waiting
      if (next) next()
      else free++
    }
  }
}
