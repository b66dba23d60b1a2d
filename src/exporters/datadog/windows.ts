// Windows that wait are added together: coarser in time, the same in sum. Their points are in the order of their series' ids.
import type { Kind } from './series.js'
import type { State, Window } from './state.js'

export interface Points {
  readonly ids: readonly number[]
  readonly values: readonly number[]
}

/** The later one is the second. */
export function sumOf(one: Window, next: Window, { series }: Pick<State, 'series'>): Window {
  const ids: number[] = []
  const values: number[] = []
  let [i, j] = [0, 0]
  const idOf = ({ ids }: Points, at: number): number => ids[at] ?? Number.POSITIVE_INFINITY
  while (i < one.ids.length || j < next.ids.length) {
    const [a, b] = [idOf(one, i), idOf(next, j)]
    const id = Math.min(a, b)
    const first = a === id ? (one.values[i++] as number) : undefined
    const second = b === id ? (next.values[j++] as number) : undefined
    ids.push(id)
    values.push(first === undefined || second === undefined ? ((first ?? second) as number) : both(series.kindOf(id), first, second))
  }
  return { fromMs: Math.min(one.fromMs, next.fromMs), toMs: Math.max(one.toMs, next.toMs), ids, values }
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
