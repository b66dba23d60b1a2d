// What one generation has counted: bytes by pair, and of each dump whether it told the same as the one before.
import type { PairColumn } from '../../model/flows.js'
import { enlarged } from './interner.js'
import type { PairTable } from './pairs.js'

/** Of one dump: elements, repeated ones, ones that the dump before had not, ones with less than before, and the sum of their bytes. */
export interface DumpCount {
  elements: number
  repeated: number
  fresh: number
  shrunk: number
  bytes: number
}

/** Not the number of any dump, nor of the one before the first. */
const NEVER = -1

export interface Totals {
  readonly column: PairColumn
  /** Every dump has a number, one more than the dump before. */
  raise(pair: number, bytes: number, dump: number): void
  /** Of the dump with this number; zeros before its first element. */
  countOf(dump: number): DumpCount
  drop(): void
}

export function createTotals(pairs: PairTable): Totals {
  let pair = new Int32Array(256)
  let bytes = new Float64Array(256)
  let lastDump = new Int32Array(256)
  let places = new Int32Array(256)
  let count = 0
  let current = 0
  let counted = noneCounted()

  function placeOf(id: number): number {
    if (id >= places.length) places = enlarged(places, new Int32Array(Math.max(id + 1, places.length * 2)))
    const known = places[id] ?? 0
    if (known !== 0) return known - 1
    if (count === pair.length) grow()
    pair[count] = id
    lastDump[count] = NEVER
    places[id] = count + 1
    pairs.hold(id)
    return count++
  }

  function grow(): void {
    pair = enlarged(pair, new Int32Array(count * 2))
    bytes = enlarged(bytes, new Float64Array(count * 2))
    lastDump = enlarged(lastDump, new Int32Array(count * 2))
  }

  function begin(dump: number): void {
    if (dump === current) return
    current = dump
    counted = noneCounted()
  }

  return {
    column: {
      get count() {
        return count
      },
      get pair() {
        return pair
      },
      get bytes() {
        return bytes
      },
    },
    // A dump made while the set grows may miss elements or repeat them (rhashtable resize), so the largest value seen stands.
    raise(id, value, dump) {
      begin(dump)
      const place = placeOf(id)
      const known = bytes[place] ?? 0
      if (value < known) counted.shrunk++
      else bytes[place] = value
      const before = lastDump[place] ?? 0
      if (before === dump) counted.repeated++
      else if (before !== dump - 1) counted.fresh++
      lastDump[place] = dump
      counted.elements++
      counted.bytes += value
    },
    countOf(dump) {
      begin(dump)
      return counted
    },
    drop() {
      for (let i = 0; i < count; i++) pairs.drop(pair[i] ?? 0)
      count = 0
      places = new Int32Array(0)
    },
  }
}

const noneCounted = (): DumpCount => ({ elements: 0, repeated: 0, fresh: 0, shrunk: 0, bytes: 0 })
