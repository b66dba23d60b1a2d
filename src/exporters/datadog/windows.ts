// Windows that wait are added together: coarser in time, the same in sum. Their points are in the order of their series' ids.
import { grown } from './marks.js'
import type { Kind } from './series.js'
import type { State, Window } from './state.js'

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
  return { fromMs: Math.min(one.fromMs, next.fromMs), toMs: Math.max(one.toMs, next.toMs), ...sum.points() }
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
