// A clock that was set back. Between two processes what the first wrote down is told by the clock of the second, since all it is compared with is.
import type { ClockMark } from '../deps.js'
import type { LastRead } from './last-read.js'
import { orderOf, type State } from './state.js'

/** Of a time that ends then. Where the clock was set back since it began that is any time before: never one that ends before it begins. */
export const startOf = (fromMs: number, toMs: number): number => (fromMs <= toMs ? fromMs : 0)

/** One that was set forward, or a machine that slept, leaves it as it is: somebody may have come and gone meanwhile. */
export function byClockOfNow(state: State, now: ClockMark | undefined): State {
  const headBackMs = setBackMs(state.head.clock, now)
  const { head, lastRead } = state
  return {
    ...state,
    head: { ...head, orderMs: orderOf(head), atMs: head.atMs - headBackMs },
    ...(lastRead && { lastRead: earlier(lastRead, setBackMs(lastRead.clock, now)) }),
  }
}

const setBackMs = (then: ClockMark | undefined, now: ClockMark | undefined): number =>
  then && now ? Math.max(0, then.bootedMs - now.bootedMs) : 0

function earlier(lastRead: LastRead, byMs: number): LastRead {
  const { atMs, readAtMs, waitedThen } = lastRead
  return {
    ...lastRead,
    orderMs: orderOf(lastRead),
    atMs: atMs - byMs,
    readAtMs: readAtMs - byMs,
    async *waitedThen(...waiting) {
      for await (const { fromMs, toMs, column } of waitedThen(...waiting)) yield { fromMs: fromMs - byMs, toMs: toMs - byMs, column }
    },
  }
}
