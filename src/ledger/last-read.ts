// What the kernel held at the last reading, pair by pair, beside the journal. The journal alone cannot say it: it tells totals by who sent, and
// what came while no agent ran may be of others than before. A line behind the CRC-32 of all that follows, then what the line announces:
//   5f9c0e31 {"version":1,"epoch":"8a51...","atMs":...,"readAtMs":...,"textBytes":...,"columns":[[7,2,0]],"holders":2,"waiting":[[...,...,1]]}
//   addresses, one a line | by column: indexes of sources, of destinations, bytes | of each address the CRC-32 of who held it last, or 0
//   | of what still waits the same columns again, with the bytes that came between two times
import { crc32 } from 'node:zlib'
import type { GenerationReading, PairColumn, Pairs } from '../model/flows.js'
import type { LeftOff } from '../model.js'
import type { Moment as StateMoment } from './state.js'
import type { Arrivals } from './waited.js'

export interface LastRead extends LeftOff, Pick<StateMoment, 'orderMs' | 'clock'> {
  readonly epoch: string
  /** What the generation held then; nothing where it was not there yet. */
  asOfThen(generation: GenerationReading, pairs: Pairs, pause: () => Promise<void>): Promise<GenerationReading>
  /** When it came what of these pairs waited then; what is missing there came nobody knows when. */
  waitedThen(waiting: PairColumn, pairs: Pairs, pause: () => Promise<void>): AsyncGenerator<Arrivals>
}

export type Moment = Pick<LastRead, 'epoch' | 'atMs' | 'readAtMs' | 'orderMs' | 'clock'>

interface Header extends Moment {
  readonly version: number
  readonly textBytes: number
  /** Of each generation its id, and how many pairs it has in `seen` and in `via`. */
  readonly columns: readonly (readonly [id: number, seen: number, via: number])[]
  /** How many addresses have one; absent in what an earlier version wrote, as is what waits. */
  readonly holders?: number
  readonly waiting?: readonly (readonly [fromMs: number, toMs: number, count: number])[]
}

/** Of pairs by the indexes of their addresses. */
interface Column {
  readonly sources: Uint32Array
  readonly destinations: Uint32Array
  readonly bytes: Float64Array
}

const VERSION = 1
const PAIRS_BETWEEN_PAUSES = 1_024
const PREFIX_LENGTH = 9
const prefixOf = (crc: number): string => `${crc.toString(16).padStart(PREFIX_LENGTH - 1, '0')} `

const EMPTY: PairColumn = { count: 0, pair: new Int32Array(0), bytes: new Float64Array(0) }

export interface LastReadParts {
  readonly pairs: Pairs
  readonly textOf: (address: number) => string | undefined
  readonly holderOf?: ((address: string) => string | undefined) | undefined
  readonly waiting?: Iterable<Arrivals>
  readonly pause: () => Promise<void>
}

export async function renderLastRead(
  moment: Moment,
  all: readonly GenerationReading[],
  parts: LastReadParts,
): Promise<readonly Uint8Array[]> {
  const addresses = numberAddresses(parts)
  const columns: Header['columns'][number][] = []
  const pieces: Uint8Array[] = []
  const add = async (held: PairColumn, to: Uint8Array[]): Promise<void> => {
    const { sources, destinations, bytes } = await columnOf(held, addresses.indexOf, parts)
    to.push(rawOf(sources), rawOf(destinations), rawOf(bytes))
  }
  for (const { id, seen, via } of all) {
    for (const held of [seen, via]) await add(held, pieces)
    columns.push([id, seen.count, via.count])
  }
  const waiting: [number, number, number][] = []
  const last: Uint8Array[] = []
  for (const { fromMs, toMs, column } of parts.waiting ?? []) {
    await add(column, last)
    waiting.push([fromMs, toMs, column.count])
  }
  const text = Buffer.from(addresses.texts.join('\n'))
  const holders = await holdersOf(addresses.texts, parts)
  pieces.push(rawOf(holders), ...last)
  const header: Header = { version: VERSION, ...moment, textBytes: text.length, columns, holders: holders.length, waiting }
  // Of nothing crc32 makes 0, whatever came before it (Node 20).
  const body = [Buffer.from(`${JSON.stringify(header)}\n`), text, ...pieces].filter(({ length }) => length > 0)
  const crc = body.reduce((sum, piece) => crc32(piece, sum), 0)
  return [Buffer.from(prefixOf(crc)), ...body]
}

async function holdersOf(texts: readonly string[], { holderOf, pause }: LastReadParts): Promise<Uint32Array> {
  const sums = new Uint32Array(holderOf ? texts.length : 0)
  for (const index of sums.keys()) {
    if (index % PAIRS_BETWEEN_PAUSES === 0) await pause()
    sums[index] = sumOf(holderOf?.(texts[index] as string))
  }
  return sums
}

/** Never 0 of a key. */
const sumOf = (key: string | undefined): number => (key === undefined ? 0 : crc32(key) || 1)

function numberAddresses({ pairs, textOf }: LastReadParts) {
  const texts: string[] = []
  /** One more than the index; 0: it has none. */
  const places = new Uint32Array(pairs.addresses)
  const indexOf = (address: number): number => {
    if (places[address] === 0) places[address] = texts.push(textOf(address) ?? pairs.addressText(address))
    return (places[address] as number) - 1
  }
  return { texts, indexOf }
}

async function columnOf(held: PairColumn, indexOf: (address: number) => number, { pairs, pause }: LastReadParts): Promise<Column> {
  const { count } = held
  const [sources, destinations] = [new Uint32Array(count), new Uint32Array(count)]
  for (let row = 0; row < count; row++) {
    if (row % PAIRS_BETWEEN_PAUSES === 0) await pause()
    const pair = held.pair[row] as number
    sources[row] = indexOf(pairs.sourceOf(pair))
    destinations[row] = indexOf(pairs.destinationOf(pair))
  }
  return { sources, destinations, bytes: held.bytes.slice(0, count) }
}

const rawOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Float64Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

/** Undefined where it is not whole, or of another version. */
export function parseLastRead(file: Buffer): LastRead | undefined {
  const announced = file.subarray(PREFIX_LENGTH)
  if (announced.length === 0 || file.toString('latin1', 0, PREFIX_LENGTH) !== prefixOf(crc32(announced))) return undefined
  const end = announced.indexOf(10)
  const header = JSON.parse(announced.toString('utf8', 0, end)) as Header
  const body = announced.subarray(end + 1)
  if (header.version !== VERSION) return undefined
  const texts = body.toString('utf8', 0, header.textBytes).split('\n')
  let places: ReadonlyMap<string, number> | undefined
  const { columns, holders, waiting } = columnsIn(body, header)
  const { epoch, atMs, orderMs, clock, readAtMs } = header
  const finding = async (pairs: Pairs, pause: () => Promise<void>): Promise<Find> => {
    places ??= await indexesOf(texts, pause)
    return { pairs, places, pause }
  }
  return {
    epoch,
    orderMs,
    clock,
    ...leftOffOf(texts, holders, { atMs, readAtMs }),
    async asOfThen({ id, closed, seen, via }, pairs, pause) {
      const then = columns.get(id)
      if (!then) return { id, closed, seen: EMPTY, via: EMPTY }
      const find = await finding(pairs, pause)
      const was = async (now: PairColumn, held: Column) => columnThen(now, held, await rowsOf(now, find), pause)
      return { id, closed, seen: await was(seen, then.seen), via: await was(via, then.via) }
    },
    async *waitedThen(now, pairs, pause) {
      const rows = waiting.length > 0 ? await rowsOf(now, await finding(pairs, pause)) : new Map<number, number>()
      for (const { fromMs, toMs, column } of waiting) yield { fromMs, toMs, column: await columnThen(now, column, rows, pause) }
    },
  }
}

/** Of the whole it keeps nothing else. */
function leftOffOf(texts: readonly string[], holders: Uint32Array, times: Pick<LeftOff, 'atMs' | 'readAtMs'>): LeftOff {
  const known = new Map<string, number>()
  for (const [index, sum] of holders.entries()) if (sum !== 0) known.set(texts[index] as string, sum)
  const had = (address: string, holder: string): boolean | undefined => {
    const sum = known.get(address)
    return sum === undefined ? undefined : sum === sumOf(holder)
  }
  return { ...times, addresses: texts.filter((text) => text !== ''), had }
}

async function indexesOf(texts: readonly string[], pause: () => Promise<void>): Promise<ReadonlyMap<string, number>> {
  const indexes = new Map<string, number>()
  for (const [index, text] of texts.entries()) {
    if (index % PAIRS_BETWEEN_PAUSES === 0) await pause()
    indexes.set(text, index)
  }
  return indexes
}

function columnsIn(body: Buffer, { textBytes, columns, holders = 0, waiting = [] }: Header) {
  let at = textBytes
  // Copied, since typed arrays do not begin anywhere.
  const raw = (length: number): ArrayBuffer => {
    at += length
    return body.buffer.slice(body.byteOffset + at - length, body.byteOffset + at) as ArrayBuffer
  }
  const take = (count: number): Column => ({
    sources: new Uint32Array(raw(4 * count)),
    destinations: new Uint32Array(raw(4 * count)),
    bytes: new Float64Array(raw(8 * count)),
  })
  return {
    columns: new Map(columns.map(([id, seen, via]) => [id, { seen: take(seen), via: take(via) }])),
    holders: new Uint32Array(raw(4 * holders)),
    waiting: waiting.map(([fromMs, toMs, count]) => ({ fromMs, toMs, column: take(count) })),
  }
}

interface Find {
  readonly pairs: Pairs
  readonly places: ReadonlyMap<string, number>
  readonly pause: () => Promise<void>
}

/** A pair by the indexes of its addresses; a file has no more than 2^26 of them. */
const keyOf = (source: number, destination: number): number => source * 2 ** 26 + destination

/** Of the pairs of a column that have one, by key. */
async function rowsOf({ count, pair }: PairColumn, { pairs, places, pause }: Find): Promise<ReadonlyMap<number, number>> {
  const rows = new Map<number, number>()
  for (let row = 0; row < count; row++) {
    if (row % PAIRS_BETWEEN_PAUSES === 0) await pause()
    const id = pair[row] as number
    const source = places.get(pairs.addressText(pairs.sourceOf(id)))
    const destination = places.get(pairs.addressText(pairs.destinationOf(id)))
    if (source !== undefined && destination !== undefined) rows.set(keyOf(source, destination), row)
  }
  return rows
}

/** The rows of a column of now with their bytes of then; a pair that was not there is left out. */
async function columnThen(
  now: PairColumn,
  then: Column,
  rows: ReadonlyMap<number, number>,
  pause: () => Promise<void>,
): Promise<PairColumn> {
  const most = Math.min(now.count, then.bytes.length)
  const [pair, bytes] = [new Int32Array(most), new Float64Array(most)]
  let count = 0
  for (let at = 0; at < then.bytes.length; at++) {
    if (at % PAIRS_BETWEEN_PAUSES === 0) await pause()
    const row = rows.get(keyOf(then.sources[at] as number, then.destinations[at] as number))
    if (row === undefined) continue
    pair[count] = now.pair[row] as number
    bytes[count++] = then.bytes[at] as number
  }
  return { count, pair, bytes }
}
