// Requests that failed, by address and time, until it is told who had it: the end of a pod is heard of later than the lines that it causes.
import type { Clock } from '../../deps.js'
import { type FailedUpstream, parseAccessLogLine } from '../../formats/envoy-access-log.js'
import type { LineCounts } from '../container-logs/following.js'

export interface Counts extends LineCounts {
  sampledOut: number
  /** By `FROM TO FLAGS ADDRESS`, in seconds since 1970, what is not handed on yet. */
  readonly failed: Record<string, number>
}

/** Requests that failed in the same way within the same seconds; `address` is undefined where none was called. */
export interface FailedAlike {
  readonly fromMs: number
  readonly toMs: number
  readonly flags: string
  readonly address: string | undefined
  readonly count: number
}

export interface Failures {
  /** Whether there is room for one more line of it; where there is none that is counted. */
  takes(counts: Counts): boolean
  reader(counts: Counts): (text: string) => void
  /** From here on lines are looked into again, as many as may be. */
  begin(): void
  /** Of one log, what had failed by then: it is handed on, and no longer among its counts. */
  take(counts: Counts, untilMs: number): readonly FailedAlike[]
  /** Lines that could not be understood since this was last asked. */
  takeRejected(): number
}

/** Of all logs at each read, and of one: so that one cannot take all. */
const MAX_TELLING = 5_000
const MAX_OF_ONE = 1_000
const SECOND_MS = 1_000

export function createFailures({ now }: Pick<Clock, 'now'>): Failures {
  let left = MAX_TELLING
  let rejected = 0
  let looked = new WeakMap<Counts, number>()

  /** Whatever a line says, it is not of the future. */
  function gather({ failed }: Counts, { fromMs, toMs, flags, address = '' }: FailedUpstream): void {
    const endMs = Math.min(toMs, now())
    const key = [Math.floor(Math.min(fromMs, endMs) / SECOND_MS), Math.ceil(endMs / SECOND_MS), flags, address].join(' ')
    failed[key] = (failed[key] ?? 0) + 1
  }

  return {
    takes(counts) {
      const count = looked.get(counts) ?? 0
      const isRoom = left > 0 && count < MAX_OF_ONE
      if (isRoom) left--
      else counts.sampledOut++
      looked.set(counts, isRoom ? count + 1 : count)
      return isRoom
    },
    reader: (counts) => (text) => {
      const found = parseAccessLogLine(text)
      if (found === 'malformed') rejected++
      else if (found) gather(counts, found)
    },
    begin() {
      left = MAX_TELLING
      looked = new WeakMap()
    },
    take({ failed }, untilMs) {
      const due = Object.entries(failed).flatMap(([key, count]) => {
        const [from = '', to = '', flags = '', address = ''] = key.split(' ')
        const [fromMs, toMs] = [Number(from) * SECOND_MS, Number(to) * SECOND_MS]
        return toMs > untilMs ? [] : [{ key, fromMs, toMs, flags, address: address || undefined, count }]
      })
      for (const { key } of due) delete failed[key]
      return due
    },
    takeRejected() {
      const taken = rejected
      rejected = 0
      return taken
    },
  }
}
