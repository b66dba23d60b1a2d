// HTTP to the API server: credentials, time limits, and errors that say what to do. The paths are the caller's.
import { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { createSecureContext, type SecureContext } from 'node:tls'
import { promisify } from 'node:util'
import { gzip as gzipWith } from 'node:zlib'
import request from 'undici/lib/api/api-request.js'
import Pool from 'undici/lib/dispatcher/pool.js'
import type { Deps } from '../deps.js'
import { AccessError } from './access-error.js'
import { createExchange, piecesOf, readText } from './exchange.js'
import { brokenOf, refusalOf, type Target } from './kube-error.js'
import type { ReadToken } from './token.js'

export interface ClientOptions {
  /** URL, with a path where the API is behind one: `https://rancher.example.com/k8s/clusters/c-1`. */
  readonly server: string
  /** PEM. Absent: the authorities that Node knows. */
  readonly ca?: string | undefined
  readonly token?: ReadToken | undefined
  /** PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string } | undefined
  /** Takes any certificate. */
  readonly insecure?: boolean | undefined
  /** Name in the server's certificate, where it is not the host of `server`. */
  readonly serverName?: string | undefined
  /** At most; a watch holds one, further requests wait. */
  readonly connections?: number | undefined
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number>> | undefined
  readonly accept?: string | undefined
  /** GET unless told otherwise. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  /** Compresses a body that is longer than a packet; for servers that take that. */
  readonly gzip?: boolean | undefined
  /** Of the body; a PATCH says its kind by it. */
  readonly contentType?: string | undefined
  /** Longest silence before the answer. */
  readonly headersMs?: number | undefined
  /** Longest silence within the answer. */
  readonly idleMs?: number | undefined
  readonly signal: AbortSignal
}

export interface KubeResponse {
  /** 2xx. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** To be iterated; leaving the loop early ends the connection. */
  readonly body: AsyncIterable<Buffer>
}

export interface KubeClient {
  /** Without a trailing slash. */
  readonly server: string
  /** Rejects with a KubeError for any answer but 2xx, an AccessError where there is no token, the signal's reason when aborted. */
  request(path: string, options: RequestOptions): Promise<KubeResponse>
  /** Ends all connections; requests under way fail. */
  close(): Promise<void>
}

const CONNECTIONS = 16
const CONNECT_MS = 10_000
/**
 * A peer that is gone without a word is found 10 s later (libuv probes each second, ten times): 13 s, before `identity.handover` is over, since
 * who believes itself current posts what a node that joins meanwhile posts as well.
 */
const PROBE_AFTER_MS = 3_000
/** The API server gives up after 60 s by itself, and says what it waited for. */
const HEADERS_MS = 65_000
const IDLE_MS = 30_000
/** Less than the 90 s of the API server, so that no request meets a connection that it is about to close. */
const KEEP_ALIVE_MS = 60_000
const MAX_ERROR_BYTES = 65_536
const MAX_JSON_BYTES = 16 << 20
/** What fits into one packet gets there no sooner. */
const MIN_GZIP_LENGTH = 1_400
const UNAUTHORIZED = 401
const OK = 200
const REDIRECT = 300

const compress = promisify(gzipWith)

/** Throws an AccessError where certificates or the URL cannot be used. */
export function createKubeClient(options: ClientOptions, { clock }: Pick<Deps, 'clock'>): KubeClient {
  const url = parseServer(options.server)
  const prefix = url.pathname.replace(/\/+$/, '')
  const server = `${url.origin}${prefix}`
  const readToken: ReadToken = options.token ?? (async () => undefined)
  const pool = new Pool(url.origin, {
    connections: options.connections ?? CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_MS, keepAliveInitialDelay: PROBE_AFTER_MS, ...tlsOf(options, url) },
  })

  const targetOf = (path: string, { method = 'GET', query }: RequestOptions): Target => ({
    method,
    server,
    path,
    isWatch: query?.['watch'] !== undefined,
  })

  /** One attempt, whatever its status. */
  const send = async (path: string, options: RequestOptions, token: string | undefined): Promise<KubeResponse> => {
    const { body, encoding } = await encodedOf(options)
    const exchange = createExchange(options.signal, (error) => brokenOf(targetOf(path, options), error))
    try {
      const begun = request.call(pool, {
        path: `${prefix}${path}${renderQuery(options.query)}`,
        method: options.method ?? 'GET',
        headers: { ...headersOf(options, token), ...encoding },
        body,
        signal: exchange.controller.signal,
      })
      const { statusCode, headers, body: answer } = await exchange.waitFor(begun, { ms: options.headersMs ?? HEADERS_MS, clock })
      return { status: statusCode, headers, body: piecesOf({ body: answer, exchange, idleMs: options.idleMs ?? IDLE_MS }, clock) }
    } catch (error) {
      throw exchange.failed(error)
    }
  }

  /** Once more with another token where the first is refused and there is another. */
  const sendWithToken = async (path: string, options: RequestOptions): Promise<KubeResponse> => {
    const token = await readToken(undefined, options.signal)
    const response = await send(path, options, token)
    if (response.status !== UNAUTHORIZED || token === undefined) return response
    const renewed = await readToken(token, options.signal)
    if (renewed === token) return response
    await readText(response.body, MAX_ERROR_BYTES)
    return send(path, options, renewed)
  }

  return {
    server,
    close: () => pool.destroy(),
    async request(path, options) {
      const response = await sendWithToken(path, options)
      const { status, headers } = response
      if (status >= OK && status < REDIRECT) return response
      const body = await readText(response.body, MAX_ERROR_BYTES)
      throw refusalOf(targetOf(path, options), { status, retryAfter: headers['retry-after'], body })
    },
  }
}

/** A whole answer, parsed. */
export async function readJson(client: KubeClient, path: string, options: RequestOptions): Promise<unknown> {
  const { body } = await client.request(path, options)
  const text = await readText(body, MAX_JSON_BYTES)
  try {
    return JSON.parse(text)
  } catch (error) {
    const { method = 'GET' } = options
    throw brokenOf({ method, server: client.server, path, isWatch: false }, new Error('the answer is no JSON', { cause: error }))
  }
}

function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '') return url
  throw new AccessError(`the API server "${server}" is no URL; expected https://HOST:PORT`)
}

interface Tls {
  readonly secureContext?: SecureContext
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
}

/** The certificates are parsed once, not for each connection. */
function tlsOf({ ca, clientCertificate, insecure = false, serverName }: ClientOptions, { protocol }: URL): Tls {
  if (protocol !== 'https:') return {}
  const authority = ca === undefined ? {} : { ca }
  const own = clientCertificate ? { cert: clientCertificate.certificate, key: clientCertificate.key } : {}
  try {
    // An authority that is nonsense would be taken without a word.
    if (ca !== undefined) new X509Certificate(ca)
    const secureContext = createSecureContext({ ...authority, ...own })
    return { secureContext, rejectUnauthorized: !insecure, ...(serverName === undefined ? {} : { servername: serverName }) }
  } catch (error) {
    const which = clientCertificate ? 'the client certificate, its key or the certificate authority' : 'the certificate authority'
    throw new AccessError(`${which} cannot be used: ${(error as Error).message}; expected PEM`, { cause: error })
  }
}

function headersOf({ accept = 'application/json', body, contentType = 'application/json' }: RequestOptions, token: string | undefined) {
  return {
    accept,
    'user-agent': 'meshtoll',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': contentType }),
  }
}

async function encodedOf({
  body,
  gzip = false,
}: RequestOptions): Promise<{ body: string | Buffer | null; encoding: Readonly<Record<string, string>> }> {
  const text = body === undefined ? null : JSON.stringify(body)
  if (!gzip || text === null || text.length < MIN_GZIP_LENGTH) return { body: text, encoding: {} }
  return { body: await compress(text), encoding: { 'content-encoding': 'gzip' } }
}

function renderQuery(query: RequestOptions['query']): string {
  const entries = Object.entries(query ?? {}).map(([key, value]): [string, string] => [key, String(value)])
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`
}
