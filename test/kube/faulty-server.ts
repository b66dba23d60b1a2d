// An API server on loopback that answers as the test says, request by request, and fails in every way that the test likes.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly body: string
  json(value: unknown, more?: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> }): void
  /** An answer of something else than an API server. */
  page(status: number, text: string): void
  /** A Status object. */
  refuse(
    status: number,
    more?: { readonly reason?: string; readonly message?: string; readonly details?: unknown; readonly retryAfter?: string },
  ): void
  /** The headers of a good answer, whose body comes by `write`. */
  open(): void
  /** Resolves when the bytes are handed to the kernel. */
  write(text: string | Uint8Array): Promise<void>
  /** An event of a watch, as one line. */
  event(type: string, object: unknown): Promise<void>
  end(): void
  /** For whatever else. */
  readonly raw: ServerResponse
  /** Ends the connection in the middle. */
  drop(): void
  /** Resolves when the client has gone away. */
  readonly closed: Promise<void>
}

export interface FaultyServer {
  readonly url: string
  /** The next request, as soon as there is one. */
  next(): Promise<Asked>
  /** Connections that were made so far. */
  readonly connections: number
}

export interface ServerParts {
  readonly tls?: ServerOptions
  readonly host?: string
}

export async function createFaultyServer(t: Test, { tls, host = '127.0.0.1' }: ServerParts = {}): Promise<FaultyServer> {
  const arrived: Asked[] = []
  const waiting: ((asked: Asked) => void)[] = []
  let connections = 0
  const listener: RequestListener = async (request, response) => {
    const asked = askedOf(request, response, await bodyOf(request))
    const taker = waiting.shift()
    if (taker) taker(asked)
    else arrived.push(asked)
  }
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    next: () =>
      new Promise((resolve) => {
        const asked = arrived.shift()
        if (asked) resolve(asked)
        else waiting.push(resolve)
      }),
    get connections() {
      return connections
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const piece of request) body += piece
  return body
}

function askedOf(request: IncomingMessage, response: ServerResponse, body: string): Asked {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
  const json: Asked['json'] = (value, { status = 200, headers = {} } = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(value))
  }
  const write: Asked['write'] = (text) => new Promise((resolve) => response.write(text, () => resolve()))
  return {
    method: request.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: request.headers,
    body,
    json,
    page: (status, text) => void response.writeHead(status, { 'content-type': 'text/html' }).end(text),
    refuse: (status, { reason = '', message = '', details = {}, retryAfter } = {}) =>
      json(
        { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, details, code: status },
        { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } },
      ),
    open() {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders()
    },
    write,
    event: (type, object) => write(`${JSON.stringify({ type, object })}\n`),
    end: () => void response.end(),
    raw: response,
    drop: () => request.socket.destroy(),
    closed: new Promise((resolve) => response.on('close', resolve)),
  }
}
