// A clock that was set back. Between two processes what the first wrote down is told by the clock of the second, since all it is compared with is.
import type { ClockSettings } from '../deps.js'
import type { LastRead } from './last-read.js'
import { orderOf, type State } from './state.js'

/** Of a time that ends then. Where the clock was set back since it began that is any time before: never one that ends before it begins. */
export const startOf = (fromMs: number, toMs: number): number => (fromMs <= toMs ? fromMs : 0)

export function byClockOfNow(state: State, byNow: ClockSettings['byNow']): State {
  const { head, lastRead } = state
  return {
    ...state,
    head: { ...head, orderMs: orderOf(head), atMs: byNow(head.clock)(head.atMs) },
    ...(lastRead && { lastRead: told(lastRead, byNow(lastRead.clock)) }),
  }
}

function told(lastRead: LastRead, byNow: (thenMs: number) => number): LastRead {
  const { atMs, readAtMs, waitedThen } = lastRead
  return {
    ...lastRead,
    orderMs: orderOf(lastRead),
    atMs: byNow(atMs),
    readAtMs: byNow(readAtMs),
    async *waitedThen(...waiting) {
      for await (const { fromMs, toMs, column } of waitedThen(...waiting)) yield { fromMs: byNow(fromMs), toMs: byNow(toMs), column }
    },
  }
}
