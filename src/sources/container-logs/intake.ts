// Bytes that came and were not looked at yet, as many as there is room for: who brings more waits.

/** What comes next is another answer; or it comes again. */
export type Mark = 'answer' | 'again'

export interface Intake {
  /** Resolves as soon as there is room for more. */
  put(bytes: Buffer, signal: AbortSignal): Promise<void>
  /** Between what came and what comes. */
  mark(mark: Mark): void
  /** In the order that it came; undefined where there is nothing. */
  take(): Buffer | Mark | undefined
  /** Somebody waits for room. */
  readonly isFull: boolean
}

export function createIntake(maxBytes: number): Intake {
  const items: (Buffer | Mark)[] = []
  let bytes = 0
  let makeRoom = (): void => undefined

  return {
    async put(more, signal) {
      signal.throwIfAborted()
      items.push(more)
      bytes += more.length
      if (bytes < maxBytes) return
      const stop = (): void => makeRoom()
      signal.addEventListener('abort', stop, { once: true })
      await new Promise<void>((resolve) => {
        makeRoom = resolve
      })
      signal.removeEventListener('abort', stop)
      signal.throwIfAborted()
    },
    mark: (mark) => void items.push(mark),
    take() {
      const item = items.shift()
      if (item instanceof Buffer) bytes -= item.length
      if (bytes < maxBytes) makeRoom()
      return item
    },
    get isFull() {
      return bytes >= maxBytes
    },
  }
}
