import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { wantsGzip } from '../exporters/negotiation.js'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface Body {
  readonly contentType: string
  readonly gzip: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly buffers: readonly Buffer[]
}

export const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?')[0] ?? '/'

/** The time that one answer may take to be read; whoever is slower is cut off. */
const SEND_MS = 60_000

export function answerText({ response }: Exchange, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text), ...headers })
  response.end(text)
}

export const likesGzip = ({ request }: Exchange): boolean => wantsGzip(request.headers['accept-encoding']?.toString())

/** Sends at the reader's pace. `HEAD` gets the same head and no body: node:http drops it. */
export async function answerBuffers({ response }: Exchange, { contentType, gzip, headers, buffers }: Body): Promise<void> {
  response.writeHead(200, {
    'Content-Type': contentType,
    'Content-Length': buffers.reduce((sum, buffer) => sum + buffer.length, 0),
    ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
    Vary: 'Accept, Accept-Encoding',
    'Cache-Control': 'no-store',
    ...headers,
  })
  await pipeline(Readable.from(buffers), response, { signal: AbortSignal.timeout(SEND_MS) })
}
