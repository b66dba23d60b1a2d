// What the kernel held at the last reading, pair by pair, beside the journal. The journal alone cannot say it: it tells totals by who sent, and
// what came while no agent ran may be of others than before. A line behind the CRC-32 of all that follows, then what the line announces:
//   5f9c0e31 {"version":1,"epoch":"8a51...","atMs":...,"readAtMs":...,"textBytes":...,"columns":[[7,2,0]]}
//   addresses, one a line | by column: indexes of sources, of destinations, bytes | of each address the CRC-32 of its holder's key, or 0
import { crc32 } from 'node:zlib'
import type { GenerationReading, LeftOff, PairColumn, Pairs } from '../model.js'

export interface LastRead extends LeftOff {
  readonly epoch: string
  /** When it was posted, as the journal knows it. */
  readonly atMs: number
  /** What the generation held then; nothing where it was not there yet. */
  asOfThen(generation: GenerationReading, pairs: Pairs, pause: () => Promise<void>): Promise<GenerationReading>
}

export type Moment = Pick<LastRead, 'epoch' | 'atMs' | 'readAtMs'>

interface Header extends Moment {
  readonly version: number
  readonly textBytes: number
  /** Of each generation its id, and how many pairs it has in `seen` and in `via`. */
  readonly columns: readonly (readonly [id: number, seen: number, via: number])[]
  /** How many addresses have one; absent in what an earlier version wrote. */
  readonly holders?: number
}

/** Of pairs by the indexes of their addresses. */
interface Column {
  readonly sources: Uint32Array
  readonly destinations: Uint32Array
  readonly bytes: Float64Array
}

const VERSION = 1
const PAIRS_BETWEEN_PAUSES = 1_024
/** Of a pair in a column. */
const ROW_BYTES = 16
const PREFIX_LENGTH = 9
const prefixOf = (crc: number): string => `${crc.toString(16).padStart(PREFIX_LENGTH - 1, '0')} `

const EMPTY: PairColumn = { count: 0, pair: new Int32Array(0), bytes: new Float64Array(0) }

export interface LastReadParts {
  readonly pairs: Pairs
  readonly textOf: (address: number) => string | undefined
  readonly holderOf?: ((address: string) => string | undefined) | undefined
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
  for (const { id, seen, via } of all) {
    const found = [await columnOf(seen, addresses.indexOf, parts), await columnOf(via, addresses.indexOf, parts)] as const
    columns.push([id, found[0].bytes.length, found[1].bytes.length])
    for (const { sources, destinations, bytes } of found) pieces.push(rawOf(sources), rawOf(destinations), rawOf(bytes))
  }
  const text = Buffer.from(addresses.texts.join('\n'))
  const holders = await holdersOf(addresses.texts, parts)
  pieces.push(rawOf(holders))
  const header: Header = { version: VERSION, ...moment, textBytes: text.length, columns, holders: holders.length }
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
  const columns = columnsIn(body, header)
  const { epoch, atMs, readAtMs } = header
  return {
    epoch,
    atMs,
    ...leftOffOf(texts, holdersIn(body, header), readAtMs),
    async asOfThen({ id, closed, seen, via }, pairs, pause) {
      const then = columns.get(id)
      if (!then) return { id, closed, seen: EMPTY, via: EMPTY }
      places ??= await indexesOf(texts, pause)
      const find = { pairs, places, pause }
      return { id, closed, seen: await columnThen(seen, then.seen, find), via: await columnThen(via, then.via, find) }
    },
  }
}

/** Of the whole it keeps nothing else. */
function leftOffOf(texts: readonly string[], holders: Uint32Array, readAtMs: number): LeftOff {
  const known = new Map<string, number>()
  for (const [index, sum] of holders.entries()) if (sum !== 0) known.set(texts[index] as string, sum)
  return { readAtMs, addresses: texts.filter((text) => text !== ''), had: (address, key) => known.get(address) === sumOf(key) }
}

function holdersIn(body: Buffer, { textBytes, columns, holders = 0 }: Header): Uint32Array {
  const rows = columns.reduce((sum, [, seen, via]) => sum + seen + via, 0)
  const at = body.byteOffset + textBytes + rows * ROW_BYTES
  return new Uint32Array(body.buffer.slice(at, at + 4 * holders))
}

async function indexesOf(texts: readonly string[], pause: () => Promise<void>): Promise<ReadonlyMap<string, number>> {
  const indexes = new Map<string, number>()
  for (const [index, text] of texts.entries()) {
    if (index % PAIRS_BETWEEN_PAUSES === 0) await pause()
    indexes.set(text, index)
  }
  return indexes
}

function columnsIn(body: Buffer, { textBytes, columns }: Header): Map<number, { readonly seen: Column; readonly via: Column }> {
  let at = textBytes
  const take = (count: number): Column => {
    // Copied, since typed arrays do not begin anywhere.
    const raw = body.buffer.slice(body.byteOffset + at, body.byteOffset + at + count * ROW_BYTES)
    at += count * ROW_BYTES
    return {
      sources: new Uint32Array(raw, 0, count),
      destinations: new Uint32Array(raw, 4 * count, count),
      bytes: new Float64Array(raw.slice(8 * count)),
    }
  }
  return new Map(columns.map(([id, seen, via]) => [id, { seen: take(seen), via: take(via) }]))
}

interface Find {
  readonly pairs: Pairs
  readonly places: ReadonlyMap<string, number>
  readonly pause: () => Promise<void>
}

/** The rows of a column of now with their bytes of then; a pair that was not there is left out. */
async function columnThen(now: PairColumn, then: Column, { pairs, places, pause }: Find): Promise<PairColumn> {
  const known = new Map<number, number>()
  const keyOf = (source: number, destination: number): number => source * places.size + destination
  for (let row = 0; row < then.bytes.length; row++) {
    if (row % PAIRS_BETWEEN_PAUSES === 0) await pause()
    known.set(keyOf(then.sources[row] as number, then.destinations[row] as number), then.bytes[row] as number)
  }
  const [pair, bytes] = [new Int32Array(now.count), new Float64Array(now.count)]
  let count = 0
  for (let row = 0; row < now.count; row++) {
    if (row % PAIRS_BETWEEN_PAUSES === 0) await pause()
    const id = now.pair[row] as number
    const [source, destination] = [
      places.get(pairs.addressText(pairs.sourceOf(id))),
      places.get(pairs.addressText(pairs.destinationOf(id))),
    ]
    const value = source === undefined || destination === undefined ? undefined : known.get(keyOf(source, destination))
    if (value === undefined) continue
    pair[count] = id
    bytes[count++] = value
  }
  return { count, pair, bytes }
}
