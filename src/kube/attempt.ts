/** Runs `task` until it is over, or the attempt (`own`) or the whole of them (`all`) is aborted: that is up to the task. */
export async function attempted<T>(own: AbortController, all: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = (): void => own.abort(all.reason)
  all.addEventListener('abort', end, { once: true })
  try {
    return await task(own.signal)
  } finally {
    all.removeEventListener('abort', end)
  }
}
