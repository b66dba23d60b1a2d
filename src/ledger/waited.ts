// When the bytes of pending pairs came, reading by reading: who had an address meanwhile is often known by the time that they are placed.
// A column for each reading, since on a large node all pairs may wait at once; a row in it for each pair that waits, since those that do are mostly
// few, new, and numbered high.
import type { PairColumn } from '../model/flows.js'
import type { Stretch } from '../model.js'
import { grown } from './generations.js'

/** Bytes that came within a stretch. */
export interface Share extends Stretch {
  readonly bytes: number
}

/** What came within a stretch, pair by pair. */
export interface Arrivals extends Stretch {
  readonly column: PairColumn
}

export interface Waited {
  /** `seen`: all bytes of the pair so far; what is new since the last time came then, if that is known. `booked`: those that never waited. */
  note(pair: number, stretch: Stretch | undefined, bytes: { readonly seen: number; readonly booked: number }): void
  /** As a process before noted it; no more than the pair has seen. */
  recall(pair: number, stretch: Stretch, bytes: { readonly came: number; readonly seen: number; readonly booked: number }): void
  sharesOf(pair: number): readonly Share[]
  /** All shares, to be written down. */
  arrivals(): Generator<Arrivals>
  /** One of its ends is somebody else from now on. `waits`: for the other; otherwise it is dropped. */
  turn(pair: number, waits: boolean): void
  /** One end became somebody else while it waited for the other. */
  isHandedOn(pair: number): boolean
  drop(pair: number): void
  clear(): void
}

interface Reading {
  readonly stretch: Stretch
  /** By row. */
  bytes: Float64Array
}

/** Of 100,000 pairs that wait each takes 0.8 MB. Beyond it the oldest two become one, whose stretch is that of both. */
const MOST_READINGS = 16

export function createWaited(): Waited {
  let readings: Reading[] = []
  /** Of each pair that waits. */
  const rows = new Map<number, number>()
  let free: number[] = []
  /** By row, all bytes of the pair so far. */
  let known: Float64Array = new Float64Array(0)
  const handedOn = new Set<number>()

  function columnOf(stretch: Stretch): Reading {
    const last = readings.at(-1)
    if (last?.stretch === stretch) return last
    if (readings.length === MOST_READINGS) readings = [merged(readings[0] as Reading, readings[1] as Reading), ...readings.slice(2)]
    const reading = { stretch, bytes: new Float64Array(known.length) }
    readings.push(reading)
    return reading
  }

  /** Where none is free all up to their number are taken. */
  function takeRow(pair: number): number {
    const row = free.pop() ?? rows.size
    rows.set(pair, row)
    known = grown(known, row + 1)
    return row
  }

  function clear(): void {
    readings = []
    rows.clear()
    free = []
    known = new Float64Array(0)
    handedOn.clear()
  }

  function drop(pair: number): void {
    const row = rows.get(pair)
    if (row === undefined) return
    rows.delete(pair)
    free.push(row)
    handedOn.delete(pair)
    for (const { bytes } of readings) if (row < bytes.length) bytes[row] = 0
    if (rows.size === 0) clear()
  }

  function sharesOf(pair: number): readonly Share[] {
    const row = rows.get(pair)
    if (row === undefined) return []
    return readings.flatMap(({ stretch, bytes }) => {
      const came = bytes[row] ?? 0
      return came > 0 ? [{ ...stretch, bytes: came }] : []
    })
  }

  function knownOf(pair: number, booked: number): number {
    const row = rows.get(pair)
    return row === undefined ? booked : (known[row] as number)
  }

  function note(pair: number, stretch: Stretch | undefined, { seen, booked }: { readonly seen: number; readonly booked: number }): void {
    const before = knownOf(pair, booked)
    const row = rows.get(pair) ?? takeRow(pair)
    known[row] = Math.max(seen, before)
    if (!stretch || seen <= before) return
    const reading = columnOf(stretch)
    reading.bytes = grown(reading.bytes, known.length)
    reading.bytes[row] = (reading.bytes[row] as number) + seen - before
  }

  return {
    note,
    recall(pair, stretch, { came, seen, booked }) {
      note(pair, stretch, { seen: Math.min(seen, knownOf(pair, booked) + came), booked })
    },
    sharesOf,
    *arrivals() {
      for (const { stretch, bytes } of readings) yield { ...stretch, column: columnWith(bytes, rows) }
    },
    turn(pair, waits) {
      if (!waits) drop(pair)
      else if (sharesOf(pair).length > 0) handedOn.add(pair)
    },
    isHandedOn: (pair) => handedOn.has(pair),
    drop,
    clear,
  }
}

function merged(one: Reading, next: Reading): Reading {
  const bytes = grown(next.bytes, Math.max(one.bytes.length, next.bytes.length))
  for (let row = 0; row < one.bytes.length; row++) bytes[row] = (bytes[row] as number) + (one.bytes[row] as number)
  const stretch = {
    fromMs: Math.min(one.stretch.fromMs, next.stretch.fromMs),
    toMs: Math.max(one.stretch.toMs, next.stretch.toMs),
  }
  return { stretch, bytes }
}

function columnWith(all: Float64Array, rows: ReadonlyMap<number, number>): PairColumn {
  let count = 0
  const [pair, bytes] = [new Int32Array(rows.size), new Float64Array(rows.size)]
  for (const [id, row] of rows) {
    const came = all[row] ?? 0
    if (came === 0) continue
    pair[count] = id
    bytes[count++] = came
  }
  return { count, pair, bytes }
}
