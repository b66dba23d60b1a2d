// One thing after the other: what awaits the kernel in the middle must not meet another that writes to it.

export interface Turns {
  readonly isIdle: boolean
  take<T>(task: () => T | Promise<T>): Promise<T>
}

export function createTurns(): Turns {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return {
    get isIdle() {
      return waiting === 0
    },
    async take(task) {
      waiting++
      const turn = last.then(task)
      last = turn.catch(() => undefined)
      try {
        return await turn
      } finally {
        waiting--
      }
    },
  }
}
