// The window that is being taken: its points, in the order of their ids, and the series that the state does not have yet.
import { createSeriesBook, type Kind, type SeriesBook } from './series.js'
import { both, type Points } from './windows.js'

export interface Draft {
  /** Those that the state does not have yet. */
  readonly fresh: SeriesBook
  /** Of one series more than once where two targets are sent under the same tags. */
  put(id: number, value: number, kind: Kind): void
  points(): Points
}

export function createDraft(known: SeriesBook): Draft {
  const fresh = createSeriesBook()
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
      const sent = { ids: [] as number[], values: [] as number[] }
      const add = (id: number, value: number): void => {
        sent.ids.push(id)
        sent.values.push(value)
      }
      for (let row = 0; row < values.length; row++) if (!Number.isNaN(values[row] as number)) add(known.idAt(row), values[row] as number)
      for (let row = 0; row < added.length; row++) add(fresh.idAt(row), added[row] as number)
      return sent
    },
  }
}
