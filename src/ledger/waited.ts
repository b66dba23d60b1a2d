// When the bytes of pending pairs came, reading by reading: who had an address meanwhile is often known by the time that they are placed.
// A column for each reading, since on a large node all pairs may wait at once.
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
  stretch: Stretch
  bytes: Float64Array
}

/** Of 100,000 pairs each takes 0.8 MB. Beyond it the oldest two become one, whose stretch is that of both. */
const MOST_READINGS = 16

export function createWaited(): Waited {
  let readings: Reading[] = []
  /** Of a pair that waits, 1 more than all its bytes so far; 0: it does not. */
  let known: Float64Array = new Float64Array(0)
  let count = 0
  const handedOn = new Set<number>()

  function columnOf(stretch: Stretch): Reading {
    const last = readings.at(-1)
    if (last?.stretch === stretch) return last
    if (readings.length === MOST_READINGS) readings = [merged(readings[0] as Reading, readings[1] as Reading), ...readings.slice(2)]
    const reading = { stretch, bytes: new Float64Array(known.length) }
    readings.push(reading)
    return reading
  }

  function clear(): void {
    readings = []
    known = new Float64Array(0)
    count = 0
    handedOn.clear()
  }

  function drop(pair: number): void {
    if ((known[pair] ?? 0) === 0) return
    known[pair] = 0
    handedOn.delete(pair)
    for (const { bytes } of readings) if (pair < bytes.length) bytes[pair] = 0
    if (--count === 0) clear()
  }

  function sharesOf(pair: number): readonly Share[] {
    return readings.flatMap(({ stretch, bytes }) => {
      const came = bytes[pair] ?? 0
      return came > 0 ? [{ ...stretch, bytes: came }] : []
    })
  }

  const knownOf = (pair: number, booked: number): number => ((known[pair] ?? 0) === 0 ? booked : (known[pair] as number) - 1)

  function note(pair: number, stretch: Stretch | undefined, { seen, booked }: { readonly seen: number; readonly booked: number }): void {
    known = grown(known, pair + 1)
    const before = knownOf(pair, booked)
    if (known[pair] === 0) count++
    known[pair] = Math.max(seen, before) + 1
    if (!stretch || seen <= before) return
    const reading = columnOf(stretch)
    reading.bytes = grown(reading.bytes, known.length)
    reading.bytes[pair] = (reading.bytes[pair] as number) + seen - before
  }

  return {
    note,
    recall(pair, stretch, { came, seen, booked }) {
      note(pair, stretch, { seen: Math.min(seen, knownOf(pair, booked) + came), booked })
    },
    sharesOf,
    *arrivals() {
      for (const { stretch, bytes } of readings) yield { ...stretch, column: columnWith(bytes) }
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
  for (const [pair, came] of one.bytes.entries()) if (came > 0) bytes[pair] = (bytes[pair] as number) + came
  const stretch = {
    fromMs: Math.min(one.stretch.fromMs, next.stretch.fromMs),
    toMs: Math.max(one.stretch.toMs, next.stretch.toMs),
  }
  return { stretch, bytes }
}

function columnWith(all: Float64Array): PairColumn {
  let count = 0
  const [pair, bytes] = [new Int32Array(all.length), new Float64Array(all.length)]
  for (let id = 0; id < all.length; id++) {
    if (all[id] === 0) continue
    pair[count] = id
    bytes[count++] = all[id] as number
  }
  return { count, pair, bytes }
}
