import type { IncomingMessage } from 'node:http'

/** More than a body may have. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'

  constructor(mostBytes: number) {
    super(`the body is longer than ${mostBytes} bytes`)
  }
}

/** Rejects with a BodyTooLarge, and where whoever sends it goes away. */
export async function readBody(request: IncomingMessage, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > mostBytes) throw new BodyTooLarge(mostBytes)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}
