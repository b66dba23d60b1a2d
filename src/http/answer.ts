import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { wantsGzip } from '../exporters/negotiation.js'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface Body {
  readonly contentType: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

export const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?')[0] ?? '/'

/** The time that one answer may take to be read; whoever is slower is cut off. */
const SEND_MS = 60_000

export function answerText({ response }: Exchange, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text), ...headers })
  response.end(text)
}

/** Sends at the reader's pace, compressed when it likes that. `HEAD` gets the same head and no body: node:http drops it. */
export async function answerBuffers({ request, response }: Exchange, body: Body, buffers: readonly Buffer[]): Promise<void> {
  const gzip = wantsGzip(request.headers['accept-encoding']?.toString())
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  response.writeHead(body.status ?? 200, {
    'Content-Type': body.contentType,
    Vary: 'Accept, Accept-Encoding',
    'Cache-Control': 'no-store',
    ...(gzip ? { 'Content-Encoding': 'gzip' } : { 'Content-Length': length }),
    ...body.headers,
  })
  const signal = AbortSignal.timeout(SEND_MS)
  if (gzip) await pipeline(Readable.from(buffers), createGzip({ level: 1 }), response, { signal })
  else await pipeline(Readable.from(buffers), response, { signal })
}
