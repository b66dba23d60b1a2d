// One connection at a time to where Datadog is sent to, kept open between requests, through a proxy where there is one.
import type { ClientRequest, Agent as HttpAgent, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

export interface Connection {
  /** Rejects when it cannot be connected, ends too early, or is aborted. */
  post(body: Uint8Array, options: PostOptions): Promise<IncomingMessage>
  close(): void
}

interface PostOptions {
  readonly headers: OutgoingHttpHeaders
  readonly signal: AbortSignal
  /** Called when something of the request may have left. */
  readonly left: () => void
}

interface ConnectOptions {
  readonly proxy: URL | undefined
  /** Of each step on the way through the proxy. */
  readonly timeoutMs: number
}

const KEEP_ALIVE_MS = 60_000

/** Only once something is posted there is a connection. What is not needed for this URL is not loaded. */
export async function connect(target: URL, { proxy, timeoutMs }: ConnectOptions): Promise<Connection> {
  const { Agent, request } = await (target.protocol === 'https:' ? import('node:https') : import('node:http'))
  const agent: HttpAgent = new Agent({ keepAlive: true, maxSockets: 1, timeout: KEEP_ALIVE_MS })
  if (proxy) Object.assign(agent, { createConnection: await throughProxy(target, proxy, timeoutMs) })
  return {
    post: (body, { headers, signal, left }) =>
      new Promise((resolve, reject) => {
        const asking = request(target, { method: 'POST', headers: { ...headers, 'content-length': body.length }, agent, signal })
        tellWhenConnected(asking, left)
        asking.once('response', resolve).on('error', reject)
        asking.end(body)
      }),
    close: () => agent.destroy(),
  }
}

/** Until then all of the request waits here. */
function tellWhenConnected(asking: ClientRequest, left: () => void): void {
  asking.once('socket', (socket: Socket | TLSSocket) => {
    if ('secureConnecting' in socket && socket.secureConnecting) socket.once('secureConnect', left)
    else if (socket.connecting) socket.once('connect', left)
    else left()
  })
}

type Callback = (error: Error | null, socket?: Socket) => void

async function throughProxy(target: URL, proxy: URL, timeoutMs: number) {
  const [{ openTunnel, placeOf }, { connect: secure }] = await Promise.all([import('../../proxy/tunnel.js'), import('node:tls')])
  return (options: object, callback: Callback): void => {
    openTunnel(proxy, placeOf(target), timeoutMs).then(
      (socket) => callback(null, target.protocol === 'https:' ? secure({ ...options, socket }) : socket),
      (error: Error) => callback(error),
    )
  }
}
