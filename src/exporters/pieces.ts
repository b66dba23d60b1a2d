import { pipeline } from 'node:stream/promises'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { createGzip } from 'node:zlib'

/**
 * All pieces, with a turn of the event loop between two of them: nothing else waits longer than for one piece. Compressed on the
 * way when that is wanted, so that the whole text is never in memory: 50,000 series are 13 MB, or 1 MB.
 */
export function bufferPieces(pieces: Iterable<string>, gzip: boolean): Promise<readonly Buffer[]> {
  return gzip ? compressed(pieces) : plain(pieces)
}

async function plain(pieces: Iterable<string>): Promise<readonly Buffer[]> {
  const buffers: Buffer[] = []
  for (const piece of pieces) {
    buffers.push(Buffer.from(piece))
    await turnOfTheLoop()
  }
  return buffers
}

/** At the fastest level, off the main thread. */
async function compressed(pieces: Iterable<string>): Promise<readonly Buffer[]> {
  const buffers: Buffer[] = []
  await pipeline(pieces, createGzip({ level: 1 }), async (source: AsyncIterable<Buffer>) => {
    for await (const buffer of source) buffers.push(buffer)
  })
  return buffers
}
