// The series that are sent, by their ids. Most of a text is in the texts of others as well, so that each of its pieces is kept once:
//   "metric":"meshtoll.flow.bytes","type":1,...,"tags":["src_zone:a","src_namespace:shop",...]
//   -> "metric":"meshtoll.flow.bytes"   type":1   ...   tags":["src_zone:a"   src_namespace:shop"   ...
// A series takes some 100 bytes then, rather than 800.
import { grown } from './marks.js'

/** `bytes`, `count`: windows of it are added up. `level`: the later one holds. `peak`: the larger one does. */
export type Kind = 'bytes' | 'count' | 'level' | 'peak'

/** What is sent under one name and one set of tags. `text`: its JSON, but for interval and point. */
export interface SentSeries {
  readonly id: number
  readonly metric: string
  readonly kind: Kind
  readonly text: string
}

type Head = Omit<SentSeries, 'text'>

export interface SeriesBook {
  readonly size: number
  /** By which a text is found and added here, and in books beside this one. */
  numbersOf(pieces: Pieces): Numbers
  /** Ids ascend. */
  add(series: Head, numbers: Numbers): void
  /** All of another book, whose ids are larger; one step for each. */
  addAll(others: SeriesBook): Generator<void>
  has(id: number): boolean
  get(id: number): SentSeries | undefined
  kindOf(id: number): Kind | undefined
  /** The id of the one with this text. */
  find(numbers: Numbers): number | undefined
  /** How many have smaller ids; undefined where it is not there. */
  rowOf(id: number): number | undefined
  idAt(row: number): number
  headAt(row: number): Head
  piecesAt(row: number): Pieces
  numbersAt(row: number): Numbers
  /** The same for books that are beside each other. */
  readonly pieces: object
  /** Those that are wanted, in a book of their own; one step for each. */
  only(isWanted: (row: number) => boolean): Generator<void, SeriesBook>
  /** For series that may be added to this one: what they are made of is kept once. */
  beside(): SeriesBook
  /** By id, ascending. */
  [Symbol.iterator](): IterableIterator<SentSeries>
}

/** Of a text. Those that are cut out of one are new strings each time; that of a tag is best the same one always: it is looked up sooner. */
export type Pieces = readonly string[]

/** Of its pieces, each of which has one. */
export type Numbers = ArrayLike<number>

const KINDS: readonly Kind[] = ['bytes', 'count', 'level', 'peak']
const BETWEEN = ',"'
const FIRST_ROWS = 64
const FIRST_SLOTS = 256

export const piecesOf = (text: string): Pieces => text.split(BETWEEN)

export const createSeriesBook = (): SeriesBook => createBookOf(createPieceBook())

function createBookOf(pieces: PieceBook): SeriesBook {
  let size = 0
  let ids = new Float64Array(FIRST_ROWS)
  /** Of each its metric and its kind, and where its pieces begin in `pool`. */
  let metrics = new Int32Array(FIRST_ROWS)
  let starts = new Int32Array(FIRST_ROWS)
  let pool = new Int32Array(FIRST_ROWS * 16)
  let used = 0
  /** Rows, counted from 1, where the hashes of their pieces say. */
  let slots = new Int32Array(FIRST_SLOTS)
  let lastRow = 0

  const endOf = (row: number): number => (row + 1 < size ? (starts[row + 1] as number) : used)
  const textAt = (row: number): string => pieces.join(pool, starts[row] as number, endOf(row))

  const at = (row: number): SentSeries => ({ ...headAt(row), text: textAt(row) })

  function headAt(row: number): Head {
    const kind = (metrics[row] as number) % KINDS.length
    const metric = pieces.at(((metrics[row] as number) - kind) / KINDS.length)
    return { id: ids[row] as number, metric, kind: KINDS[kind] as Kind }
  }

  /** Most are asked for one after the other. */
  function rowOf(id: number): number | undefined {
    if (lastRow + 1 < size && ids[lastRow + 1] === id) return ++lastRow
    let [low, high] = [0, size]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ids[middle] as number) < id) low = middle + 1
      else high = middle
    }
    if (low === size || ids[low] !== id) return undefined
    lastRow = low
    return low
  }

  function add({ id, metric, kind }: Head, numbers: Numbers): void {
    if (size > 0 && id <= (ids[size - 1] as number)) return
    if (size === ids.length) {
      ids = grown(ids)
      metrics = longer(metrics, ids.length)
      starts = longer(starts, ids.length)
    }
    if (used + numbers.length > pool.length) pool = longer(pool, (used + numbers.length) * 1.25)
    ids[size] = id
    metrics[size] = pieces.numberOf(metric) * KINDS.length + KINDS.indexOf(kind)
    starts[size] = used
    pool.set(numbers, used)
    used += numbers.length
    size++
    if (size * 2 > slots.length) rehash()
    else slots[freeSlotOf(numbers)] = size
  }

  function rehash(): void {
    slots = new Int32Array(slots.length * 2)
    for (let row = 0; row < size; row++) slots[freeSlotOf(numbersAt(row))] = row + 1
  }

  function freeSlotOf(numbers: ArrayLike<number>): number {
    let slot = hashOf(numbers) & (slots.length - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
    return slot
  }

  function isOf(row: number, numbers: Numbers): boolean {
    const start = starts[row] as number
    if (endOf(row) - start !== numbers.length) return false
    for (let i = 0; i < numbers.length; i++) if (pool[start + i] !== numbers[i]) return false
    return true
  }

  const numbersOf = (text: Pieces): Numbers => text.map(pieces.numberOf)
  const numbersAt = (row: number): Int32Array => pool.subarray(starts[row] as number, endOf(row))
  const piecesAt = (row: number): Pieces => pieces.list(pool, starts[row] as number, endOf(row))

  return {
    pieces,
    get size() {
      return size
    },
    numbersOf,
    add,
    *addAll(others) {
      // It was beside this one, unless this one was made anew since.
      const isBeside = others.pieces === pieces
      for (let row = 0; row < others.size; row++) {
        add(others.headAt(row), isBeside ? others.numbersAt(row) : numbersOf(others.piecesAt(row)))
        yield
      }
    },
    has: (id) => rowOf(id) !== undefined,
    get(id) {
      const row = rowOf(id)
      return row === undefined ? undefined : at(row)
    },
    kindOf(id) {
      const row = rowOf(id)
      return row === undefined ? undefined : KINDS[(metrics[row] as number) % KINDS.length]
    },
    find(numbers) {
      for (let slot = hashOf(numbers) & (slots.length - 1); slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
        const row = (slots[slot] as number) - 1
        if (isOf(row, numbers)) return ids[row]
      }
      return undefined
    },
    rowOf,
    idAt: (row) => ids[row] as number,
    headAt,
    piecesAt,
    numbersAt,
    *only(isWanted) {
      const book = createSeriesBook()
      for (let row = 0; row < size; row++) {
        if (isWanted(row)) book.add(headAt(row), book.numbersOf(piecesAt(row)))
        yield
      }
      return book
    },
    beside: () => createBookOf(pieces),
    *[Symbol.iterator]() {
      for (let row = 0; row < size; row++) yield at(row)
    },
  }
}

interface PieceBook {
  numberOf(piece: string): number
  at(number: number): string
  join(numbers: Int32Array, from: number, to: number): string
  list(numbers: Int32Array, from: number, to: number): Pieces
}

function createPieceBook(): PieceBook {
  const numbers = new Map<string, number>()
  const pieces: string[] = []
  return {
    numberOf(piece) {
      const known = numbers.get(piece)
      if (known !== undefined) return known
      // What is cut out of a text keeps all of it in memory.
      const own = Buffer.from(piece).toString()
      numbers.set(own, pieces.length)
      return pieces.push(own) - 1
    },
    at: (number) => pieces[number] as string,
    join(row, from, to) {
      let text = pieces[row[from] as number] as string
      for (let at = from + 1; at < to; at++) text += BETWEEN + pieces[row[at] as number]
      return text
    },
    list: (row, from, to) => Array.from(row.subarray(from, to), (number) => pieces[number] as string),
  }
}

/** FNV-1a of whole numbers, and mixed: slots are told apart by its last bits. */
function hashOf(numbers: ArrayLike<number>): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < numbers.length; i++) hash = Math.imul(hash ^ (numbers[i] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

function longer(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const next = new Int32Array(Math.ceil(length))
  next.set(column)
  return next
}
