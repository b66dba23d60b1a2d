// The bytes of a file that may be packed and may grow, piece by piece: never a whole file in memory.
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { GrowingFile } from '../../deps.js'

interface From {
  readonly isPacked: boolean
  /** Offset in what is unpacked. */
  readonly from: number
  readonly signal: AbortSignal
}

const CHUNK_BYTES = 128 * 1024

/** Until there is no more for now. A chunk is valid until the next one is asked for. */
export async function* chunksOf(file: GrowingFile, { isPacked, from, signal }: From): AsyncGenerator<Buffer> {
  if (!isPacked) {
    yield* plainChunksOf(file, from, signal)
    return
  }
  let toSkip = from
  for await (const chunk of unpacked(file, signal)) {
    const skipped = Math.min(toSkip, chunk.length)
    toSkip -= skipped
    if (skipped < chunk.length) yield chunk.subarray(skipped)
  }
}

/** The first bytes; fewer where there are no more. */
export async function headOf(
  file: GrowingFile,
  { isPacked, bytes }: { readonly isPacked: boolean; readonly bytes: number },
): Promise<Buffer> {
  if (!isPacked) {
    const head = Buffer.alloc(bytes)
    return head.subarray(0, await file.read(head, 0))
  }
  let head = Buffer.alloc(0)
  for await (const chunk of unpacked(file)) {
    head = Buffer.concat([head, chunk]).subarray(0, bytes)
    if (head.length === bytes) break
  }
  return head
}

async function* plainChunksOf(file: GrowingFile, from: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  let position = from
  for (;;) {
    const length = await file.read(buffer, position)
    // What comes after a deadline is read again.
    signal?.throwIfAborted()
    if (length === 0) return
    position += length
    yield buffer.subarray(0, length)
  }
}

async function* copiesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk)
}

function unpacked(file: GrowingFile, signal?: AbortSignal): AsyncIterable<Buffer> {
  const packed = Readable.from(copiesOf(plainChunksOf(file, 0, signal)))
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  packed.on('error', (error) => gunzip.destroy(error))
  gunzip.on('close', () => packed.destroy())
  return packed.pipe(gunzip)
}
