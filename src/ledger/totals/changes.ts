// What of the totals' state changed, until it is written down.
import type { Table, TotalsRows, TotalsTables } from './state.js'

export interface Changes {
  put<T extends Table>(table: T, row: TotalsTables[T]): void
  drop(table: Table, id: number | string): void
  /** Everything since the last call; undefined when there is nothing. */
  take(): TotalsRows | undefined
}

type Tables = Map<Table, Map<number | string, readonly [number | string, ...unknown[]]>>

export function createChanges(): Changes {
  let tables: Tables = new Map()

  function set(table: Table, row: readonly [number | string, ...unknown[]]): void {
    const rows = tables.get(table) ?? new Map()
    tables.set(table, rows)
    rows.set(row[0], row)
  }

  return {
    put: set,
    drop: (table, id) => set(table, [id]),
    take() {
      if (tables.size === 0) return undefined
      const taken = Object.fromEntries([...tables].map(([table, rows]) => [table, [...rows.values()]]))
      tables = new Map()
      return taken as TotalsRows
    },
  }
}
