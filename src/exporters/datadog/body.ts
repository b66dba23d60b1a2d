// The body of a request: as many points of a batch as one may hold (docs.datadoghq.com/api/latest/metrics/submit-metrics, and the limits of
// the Datadog Agent's serializer_max_payload_size and serializer_max_uncompressed_payload_size).
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { isCount } from './points.js'
import type { SeriesBook } from './series.js'
import type { Batch } from './state.js'

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

interface Source {
  readonly series: Pick<SeriesBook, 'get'>
}

export async function renderBody(
  state: Source,
  batch: Batch,
  { from, maxPoints = MAX_POINTS, encoding = encodingHere }: Wanted,
): Promise<Body> {
  const written = { to: from }
  const bytes = await compressed(renderPieces(state, batch, { written, maxPoints: Math.min(maxPoints, MAX_POINTS) }), encoding)
  const count = written.to - from
  if (bytes.length <= MAX_BYTES || count === 1) return { bytes, to: written.to }
  return renderBody(state, batch, { from, maxPoints: Math.ceil(count / 2), encoding })
}

/** `written.to` moves on behind the last point that there was room for. */
function* renderPieces(
  state: Source,
  batch: Batch,
  { written, maxPoints }: { readonly written: { to: number }; readonly maxPoints: number },
): Generator<string> {
  const from = written.to
  const last = Math.min(from + maxPoints, batch.ids.length)
  let piece = '{"series":['
  let bytes = piece.length
  for (; written.to < last; written.to++) {
    const point = renderPoint(state, batch, written.to)
    bytes += Buffer.byteLength(point) + 1
    if (bytes > MAX_RAW_BYTES && written.to > from) break
    piece += `${written.to === from ? '' : ','}${point}`
    if (piece.length < PIECE_LENGTH) continue
    yield piece
    piece = ''
  }
  yield `${piece}]}`
}

function renderPoint({ series }: Source, { ids, values, stamp, interval }: Batch, at: number): string {
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
