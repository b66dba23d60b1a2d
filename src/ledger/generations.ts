// What was last read of each pair in each generation of kernel sets.

export interface Columns {
  readonly id: number
  seen: Float64Array
  via: Float64Array
}

export interface Generations {
  /** The columns of a generation, made at its first reading, with room for `size` pairs. */
  columnsOf(id: number, size: number): Columns
  /** Bytes of a pair over all generations. */
  seenOf(pair: number): number
  viaOf(pair: number): number
  drop(id: number): void
  clear(): void
}

export function createGenerations(): Generations {
  let all: Columns[] = []

  function columnsOf(id: number, size: number): Columns {
    let columns = all.find((columns) => columns.id === id)
    if (!columns) {
      columns = { id, seen: new Float64Array(size), via: new Float64Array(0) }
      all.push(columns)
    }
    columns.seen = grown(columns.seen, size)
    return columns
  }

  return {
    columnsOf,
    seenOf: (pair) => all.reduce((sum, { seen }) => sum + (seen[pair] ?? 0), 0),
    viaOf: (pair) => all.reduce((sum, { via }) => sum + (via[pair] ?? 0), 0),
    drop: (id) => {
      all = all.filter((columns) => columns.id !== id)
    },
    clear: () => {
      all = []
    },
  }
}

/** The same column with room for `size` entries. */
export function grown(column: Float64Array, size: number): Float64Array {
  if (column.length >= size) return column
  const larger = new Float64Array(Math.max(size, column.length * 2))
  larger.set(column)
  return larger
}
