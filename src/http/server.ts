// The only door: serves routes on one address, with TLS and passwords when a web configuration asks for them.
import { createServer as createPlain, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import type { Log } from '../deps.js'
import { answerText, type Exchange, pathOf } from './answer.js'
import { createBasicAuth, TooManyAttempts } from './basic-auth.js'
import { type ListenAddress, listenErrorOf, renderListenAddress } from './listen-error.js'
import type { Routes } from './router.js'
import { createWebWatch, OPEN_WEB, readWeb, reasonOf, type Web, WebError, type WebFiles, type WebTls, type WebWatch } from './web.js'

export interface ServerParts {
  readonly routes: Routes
  readonly listenAddress: ListenAddress
  /** Absent: plain HTTP for everybody. */
  readonly web?: WebFiles
  readonly log: Pick<Log, 'warn' | 'error'>
  /** At once; further ones are closed. */
  readonly maxConnections?: number
}

export interface Server {
  /** With the port that was found when 0 was asked for. */
  readonly url: string
  /** Lets answers under way end; those still under way when `signal` aborts are cut off. */
  close(signal?: AbortSignal): Promise<void>
}

type NodeServer = ReturnType<typeof createPlain> | ReturnType<typeof createSecure>

/** Longer than the usual scrape interval of a minute, so that a scraper keeps its connection. */
const KEEP_ALIVE_MS = 75_000

const LIMITS: ServerOptions = {
  headersTimeout: 5_000,
  requestTimeout: 30_000,
  keepAliveTimeout: KEEP_ALIVE_MS,
  maxHeaderSize: 16 * 1024,
}
const MAX_CONNECTIONS = 1_024
const SILENT_MS = 30_000

/** Rejects with a ListenError, a WebError, or whatever `web.config` rejects with. */
export async function createServer(parts: ServerParts): Promise<Server> {
  const { listenAddress } = parts
  const first = parts.web === undefined ? OPEN_WEB : await readWeb(parts.web)
  const server = serverOf(first, parts)
  const watch = watchOf(server, { ...parts, first })
  server.on('request', requestListenerOf(parts, watch))
  await listen(server, listenAddress)
  return { url: urlOf(server, listenAddress, first.secureContext !== undefined), close: (signal) => close(server, signal) }
}

function serverOf({ config: { tls }, secureContext }: Web, { maxConnections = MAX_CONNECTIONS }: ServerParts): NodeServer {
  const server = tls === undefined ? createPlain(LIMITS) : createTls(tls, secureContext)
  server.maxConnections = maxConnections
  server.setTimeout(SILENT_MS)
  return server
}

function createTls({ certFile, keyFile, clientCaFile }: WebTls, context: SecureContextOptions | undefined): NodeServer {
  const asksForCertificate = clientCaFile !== undefined
  try {
    return createSecure({ ...LIMITS, ...context, requestCert: asksForCertificate, rejectUnauthorized: asksForCertificate })
  } catch (error) {
    throw new WebError(`${certFile} and ${keyFile} cannot be used as certificate and key: ${reasonOf(error)}`, error)
  }
}

function watchOf(server: NodeServer, { web, first, log }: ServerParts & { readonly first: Web }): WebWatch {
  if (web === undefined) return { current: async () => first }
  const apply = (context: SecureContextOptions): void => {
    if ('setSecureContext' in server) server.setSecureContext(context)
  }
  const watch = createWebWatch(web, first, { log, apply })
  // A new certificate is there for the connection after the one that made us look.
  server.on('connection', () => void watch.current())
  return watch
}

function requestListenerOf({ routes, log }: ServerParts, watch: WebWatch) {
  const auth = createBasicAuth()

  async function isAdmitted({ request, response }: Exchange): Promise<boolean> {
    const { users, headers } = (await watch.current()).config
    for (const [name, value] of Object.entries({ 'X-Content-Type-Options': 'nosniff', ...headers })) response.setHeader(name, value)
    const isOpen = users.size === 0 || routes.isOpen(pathOf(request))
    return isOpen || auth.admits(request.headers.authorization, users)
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const exchange = { request, response }
    try {
      if (await isAdmitted(exchange)) await routes.answer(exchange)
      else answerText(exchange, 401, 'A user and a password are needed.\n', { 'WWW-Authenticate': 'Basic realm="meshtoll"' })
    } catch (error) {
      if (error instanceof TooManyAttempts) {
        answerText(exchange, 503, 'Too many passwords wait to be compared; try again.\n', { 'Retry-After': '5' })
        return
      }
      log.error('a password could not be compared', { error: String(error) })
      answerText(exchange, 500, 'This could not be answered; the log says why.\n')
    }
  }
}

function listen(server: NodeServer, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenErrorOf(error, address))
    server.once('error', onError)
    server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function close(server: NodeServer, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => server.closeAllConnections()
    signal?.addEventListener('abort', cut, { once: true })
    server.close(() => {
      signal?.removeEventListener('abort', cut)
      resolve()
    })
    server.closeIdleConnections()
    if (signal?.aborted) cut()
  })
}

/** Where it can be reached from this machine. */
function urlOf(server: NodeServer, { host }: ListenAddress, isSecure: boolean): string {
  const { port } = server.address() as AddressInfo
  const reachable = ['', '0.0.0.0', '::'].includes(host) ? 'localhost' : host
  return `${isSecure ? 'https' : 'http'}://${renderListenAddress({ host: reachable, port })}`
}
