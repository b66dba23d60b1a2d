// How far each total was taken, in columns: an object for each of 100,000 totals would take five times as much.
import type { Target } from './targets.js'

export interface Mark {
  readonly value: number
  /** When it began to count; 0 where that is not known. */
  readonly sinceMs: number
}

export interface Marks {
  readonly size: number
  get(key: string): Mark | undefined
  set(key: string, mark: Mark): void
  delete(key: string): void
  keys(): IterableIterator<string>
  /** Where a total is in a column of others that are beside these; undefined where it has no mark. It stays there until its mark is deleted. */
  placeOf(key: string): number | undefined
  /** No place is beyond it. */
  readonly places: number
  [Symbol.iterator](): IterableIterator<readonly [key: string, value: number, sinceMs: number]>
}

const FIRST_PLACES = 256

export function createMarks(): Marks {
  const placeByKey = new Map<string, number>()
  const free: number[] = []
  let values = new Float64Array(FIRST_PLACES)
  let since = new Float64Array(FIRST_PLACES)
  let places = 0

  function grow(): void {
    values = grown(values)
    since = grown(since)
  }

  function newPlace(key: string): number {
    const place = free.pop() ?? places++
    if (place >= values.length) grow()
    placeByKey.set(key, place)
    return place
  }

  const at = (place: number): Mark => ({ value: values[place] as number, sinceMs: since[place] as number })

  return {
    get size() {
      return placeByKey.size
    },
    get(key) {
      const place = placeByKey.get(key)
      return place === undefined ? undefined : at(place)
    },
    set(key, { value, sinceMs }) {
      const place = placeByKey.get(key) ?? newPlace(key)
      values[place] = value
      since[place] = sinceMs
    },
    delete(key) {
      const place = placeByKey.get(key)
      if (place === undefined) return
      placeByKey.delete(key)
      free.push(place)
    },
    keys: () => placeByKey.keys(),
    placeOf: (key) => placeByKey.get(key),
    get places() {
      return places
    },
    *[Symbol.iterator]() {
      for (const [key, place] of placeByKey) yield [key, values[place] as number, since[place] as number]
    },
  }
}

/** A mark that is to be, what came since the one before, and what that is sent as. */
export type MovedRow = readonly [key: string, value: number, sinceMs: number, came: number, target: Target | undefined]

/** In columns. */
export interface Moved extends Iterable<MovedRow> {
  add(key: string, mark: Mark, came: { readonly came: number; readonly target: Target | undefined }): void
  clear(): void
}

export function createMoved(): Moved {
  const keys: string[] = []
  const targets: (Target | undefined)[] = []
  let values = new Float64Array(FIRST_PLACES)
  let since = new Float64Array(FIRST_PLACES)
  let cames = new Float64Array(FIRST_PLACES)
  let count = 0

  return {
    add(key, { value, sinceMs }, { came, target }) {
      if (count === values.length) {
        values = grown(values)
        since = grown(since)
        cames = grown(cames)
      }
      keys[count] = key
      targets[count] = target
      values[count] = value
      since[count] = sinceMs
      cames[count++] = came
    },
    clear() {
      // Those of a time when there were many more are not kept.
      if (keys.length > count * 2) {
        keys.length = count
        targets.length = count
      }
      count = 0
    },
    *[Symbol.iterator]() {
      for (let at = 0; at < count; at++)
        yield [keys[at] as string, values[at] as number, since[at] as number, cames[at] as number, targets[at]]
    },
  }
}

/** Half as long again. */
export function grown(column: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(Math.ceil(column.length * 1.5))
  next.set(column)
  return next
}
