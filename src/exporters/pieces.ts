import { setImmediate as turnOfTheLoop } from 'node:timers/promises'

/** All pieces, with a turn of the event loop between two of them: nothing else waits longer than for one piece. */
export async function bufferPieces(pieces: Iterable<string>): Promise<readonly Buffer[]> {
  const buffers: Buffer[] = []
  for (const piece of pieces) {
    buffers.push(Buffer.from(piece))
    await turnOfTheLoop()
  }
  return buffers
}
