import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

/** More than a body may have. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'

  constructor(mostBytes: number) {
    super(`the body is longer than ${mostBytes} bytes`)
  }
}

/** Compressed, but not as it says, or not as we know. */
export class BodyUnreadable extends Error {
  override readonly name = 'BodyUnreadable'
}

const decompress = promisify(gunzip)

/** As it was before it was compressed with gzip, if it was. Rejects with a BodyTooLarge, a BodyUnreadable, and where whoever sends it goes away. */
export async function readBody(request: IncomingMessage, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > mostBytes) throw new BodyTooLarge(mostBytes)
    pieces.push(piece)
  }
  return String(await decoded(Buffer.concat(pieces), { encoding: request.headers['content-encoding'] ?? 'identity', mostBytes }))
}

async function decoded(body: Buffer, { encoding, mostBytes }: { readonly encoding: string; readonly mostBytes: number }): Promise<Buffer> {
  if (encoding === 'identity') return body
  if (encoding !== 'gzip') throw new BodyUnreadable(`the body is encoded with ${encoding}; expected gzip, or no encoding`)
  try {
    return await decompress(body, { maxOutputLength: mostBytes })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new BodyTooLarge(mostBytes)
    throw new BodyUnreadable(`the body is no gzip: ${message}`, { cause: error })
  }
}
