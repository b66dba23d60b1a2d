export interface Slots {
  /** Starts `task` as soon as a slot is free, in the order of asking. Rejects with the signal's reason when that comes first. */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** At most `count` tasks at once. */
export function createSlots(count: number): Slots {
  const waiting = new Set<() => void>()
  let free = count

  const take = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(begin)
        reject(signal.reason)
      }
      const begin = (): void => {
        waiting.delete(begin)
        signal.removeEventListener('abort', leave)
        free--
        resolve()
      }
      if (signal.aborted) return leave()
      if (free > 0) return begin()
      waiting.add(begin)
      signal.addEventListener('abort', leave, { once: true })
    })

  const give = (): void => {
    free++
    const [next] = waiting
    next?.()
  }

  return {
    async run(task, signal) {
      await take(signal)
      try {
        return await task()
      } finally {
        give()
      }
    },
  }
}
