// A clock that was set back between two processes: what the first wrote down is told by the clock of the second, since all it is compared with is.
import type { Clock } from '../deps.js'
import type { LastRead } from './last-read.js'

/** By the clock; undefined where that is not known. */
export const bootedMsOf = ({ now, sinceBoot }: Pick<Clock, 'now' | 'sinceBoot'>): number | undefined => sinceBoot && now() - sinceBoot()

/** Of a time that ends then. Where the clock was set back since it began that is any time before: never one that ends before it begins. */
export const startOf = (fromMs: number, toMs: number): number => (fromMs <= toMs ? fromMs : 0)

/** One that was set forward, or a machine that slept, leaves it as it is: somebody may have come and gone meanwhile. */
export function byClockOfNow(lastRead: LastRead, clock: Pick<Clock, 'now' | 'sinceBoot'>): LastRead {
  const bootedMs = bootedMsOf(clock)
  const setBackMs = lastRead.bootedMs === undefined || bootedMs === undefined ? 0 : lastRead.bootedMs - bootedMs
  if (setBackMs <= 0) return lastRead
  const { atMs, readAtMs, waitedThen } = lastRead
  return {
    ...lastRead,
    atMs: atMs - setBackMs,
    readAtMs: readAtMs - setBackMs,
    async *waitedThen(...waiting) {
      for await (const { fromMs, toMs, column } of waitedThen(...waiting))
        yield { fromMs: fromMs - setBackMs, toMs: toMs - setBackMs, column }
    },
  }
}
