// The body of a request: as many points of a batch as one may hold (docs.datadoghq.com/api/latest/metrics/submit-metrics, and the limits of
// the Datadog Agent's serializer_max_payload_size and serializer_max_uncompressed_payload_size).
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { isCount } from './points.js'
import type { Batch, State } from './state.js'

export type Encoding = 'deflate' | 'zstd'

export interface Body {
  readonly bytes: Buffer
  /** Behind its last point. */
  readonly to: number
}

const MAX_POINTS = 10_000
const MAX_RAW_BYTES = 4_500_000
const MAX_BYTES = 500_000
const PIECE_LENGTH = 64 * 1024

/** Of Node 22.15 and newer. */
const { createZstdCompress } = zlib as { readonly createZstdCompress?: () => Transform }

export const encodingHere: Encoding = createZstdCompress ? 'zstd' : 'deflate'

export interface Wanted {
  readonly from: number
  readonly maxPoints?: number
  readonly encoding?: Encoding
}

export async function renderBody(
  state: Pick<State, 'series'>,
  batch: Batch,
  { from, maxPoints = MAX_POINTS, encoding = encodingHere }: Wanted,
): Promise<Body> {
  const to = endOf(state, batch, { from, maxPoints: Math.min(maxPoints, MAX_POINTS) })
  const bytes = await compressed(renderPieces(state, batch, { from, to }), encoding)
  if (bytes.length <= MAX_BYTES || to - from === 1) return { bytes, to }
  return renderBody(state, batch, { from, maxPoints: Math.ceil((to - from) / 2), encoding })
}

/** A point takes its text and its numbers. */
const NUMBERS_LENGTH = 100
const AROUND_LENGTH = 20

function endOf(
  { series }: Pick<State, 'series'>,
  { ids }: Batch,
  { from, maxPoints }: Required<Pick<Wanted, 'from' | 'maxPoints'>>,
): number {
  const last = Math.min(from + maxPoints, ids.length)
  let bytes = AROUND_LENGTH
  for (let at = from; at < last; at++) {
    bytes += Buffer.byteLength(series.get(ids[at] as number)?.text ?? '') + NUMBERS_LENGTH
    if (bytes > MAX_RAW_BYTES && at > from) return at
  }
  return last
}

function* renderPieces(
  state: Pick<State, 'series'>,
  batch: Batch,
  { from, to }: { readonly from: number; readonly to: number },
): Generator<string> {
  let piece = '{"series":['
  for (let at = from; at < to; at++) {
    piece += `${at === from ? '' : ','}${renderPoint(state, batch, at)}`
    if (piece.length < PIECE_LENGTH) continue
    yield piece
    piece = ''
  }
  yield `${piece}]}`
}

function renderPoint({ series }: Pick<State, 'series'>, { ids, values, stamp, interval }: Batch, at: number): string {
  const one = series.get(ids[at] as number)
  if (!one) throw new Error(`series ${ids[at]} is not in the state file`)
  const ofCount = isCount(one.kind) ? `"interval":${interval},` : ''
  return `{${one.text},${ofCount}"points":[{"timestamp":${stamp},"value":${values[at]}}]}`
}

/** Off the main thread. */
async function compressed(pieces: Iterable<string>, encoding: Encoding): Promise<Buffer> {
  const buffers: Buffer[] = []
  const compress = encoding === 'zstd' && createZstdCompress ? createZstdCompress() : zlib.createDeflate()
  await pipeline(pieces, compress, async (source: AsyncIterable<Buffer>) => {
    for await (const buffer of source) buffers.push(buffer)
  })
  return Buffer.concat(buffers)
}
