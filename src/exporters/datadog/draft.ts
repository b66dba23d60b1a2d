// The window that is being taken: its points, in the order of their ids, and the series that the state does not have yet.
import type { Kind, SeriesBook } from './series.js'
import { both, createGrowing, type Points } from './windows.js'

export interface Draft {
  /** Those that the state does not have yet. */
  readonly fresh: SeriesBook
  /** Of one series more than once where two targets are sent under the same tags. */
  put(id: number, value: number, kind: Kind): void
  points(): Points
}

export function createDraft(known: SeriesBook): Draft {
  const fresh = known.beside()
  /** By the rows of their series; NaN where nothing is sent. */
  const values = new Float64Array(known.size).fill(Number.NaN)
  const added: number[] = []

  return {
    fresh,
    put(id, value, kind) {
      const row = known.rowOf(id)
      const [column, at] = row === undefined ? ([added, fresh.rowOf(id) as number] as const) : ([values, row] as const)
      const before = column[at]
      column[at] = before === undefined || Number.isNaN(before) ? value : both(kind, before, value)
    },
    points() {
      const sent = createGrowing(known.size + added.length)
      for (let row = 0; row < values.length; row++)
        if (!Number.isNaN(values[row] as number)) sent.add(known.idAt(row), values[row] as number)
      for (let row = 0; row < added.length; row++) sent.add(fresh.idAt(row), added[row] as number)
      return sent.points()
    },
  }
}
