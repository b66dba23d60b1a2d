// Windows that wait are added together: coarser in time, the same in sum. Their points are in the order of their series' ids.
import type { Clock } from '../../deps.js'
import { grown } from './marks.js'
import type { Kind } from './series.js'
import type { State, Steady, Window } from './state.js'

export interface Points {
  readonly ids: Float64Array
  readonly values: Float64Array
}

/** Points that are added one by one, in columns that grow. */
export interface Growing {
  add(id: number, value: number): void
  points(): Points
}

const FIRST_POINTS = 64

export function createGrowing(length = FIRST_POINTS): Growing {
  let ids = new Float64Array(length)
  let values = new Float64Array(length)
  let count = 0
  return {
    add(id, value) {
      if (count === ids.length) {
        ids = grown(ids)
        values = grown(values)
      }
      ids[count] = id
      values[count++] = value
    },
    points: () => (count === ids.length ? { ids, values } : { ids: ids.slice(0, count), values: values.slice(0, count) }),
  }
}

/** The later one is the second. */
export function sumOf(one: Window, next: Window, { series }: Pick<State, 'series'>): Window {
  const sum = createGrowing(one.ids.length + next.ids.length)
  let [i, j] = [0, 0]
  while (i < one.ids.length || j < next.ids.length) {
    const [a, b] = [one.ids[i] ?? Number.POSITIVE_INFINITY, next.ids[j] ?? Number.POSITIVE_INFINITY]
    if (a === b) sum.add(a, both(series.kindOf(a), one.values[i++] as number, next.values[j++] as number))
    else if (a < b) sum.add(a, one.values[i++] as number)
    else sum.add(b, next.values[j++] as number)
  }
  const began = one.began && { began: one.began }
  return { fromMs: Math.min(one.fromMs, next.fromMs), toMs: Math.max(one.toMs, next.toMs), ...began, ...sum.points() }
}

/** Of its oldest bytes, whatever the clock was set to since. What another boot began is older than this one. */
export function ageOf({ fromMs, began }: Pick<Window, 'fromMs' | 'began'>, clock: Clock): number {
  const sinceFromMs = Math.max(0, clock.now() - fromMs)
  const up = steadyNow(clock)
  if (!began || !up) return sinceFromMs
  return began[0] === up[0] ? up[1] - began[1] : Math.max(sinceFromMs, up[1])
}

export function steadyNow({ bootId, sinceBoot }: Pick<Clock, 'bootId' | 'sinceBoot'>): Steady | undefined {
  return bootId === undefined || !sinceBoot ? undefined : [bootId, sinceBoot()]
}

export function both(kind: Kind | undefined, first: number, second: number): number {
  if (kind === 'level') return second
  return kind === 'peak' ? Math.max(first, second) : first + second
}

/** Which window to add to the one after it, so that there are not more points than that; undefined where nothing is to be done. */
export function joinable(windows: readonly Window[], maxPoints: number): number | undefined {
  const points = windows.reduce((sum, { ids }) => sum + ids.length, 0)
  if (points <= maxPoints || windows.length < 2) return undefined
  let best = 0
  // The two that are shortest together: so all of a long outage becomes coarse, not its beginning alone.
  for (let at = 1; at + 1 < windows.length; at++) if (lengthOf(windows, at) < lengthOf(windows, best)) best = at
  return best
}

const lengthOf = (windows: readonly Window[], at: number): number => (windows[at + 1]?.toMs ?? 0) - (windows[at]?.fromMs ?? 0)
