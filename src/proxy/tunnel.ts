// A way through a proxy, as RFC 9110 section 9.3.6 has it: CONNECT, and from then on the bytes are ours. undici has one as well, which asks a
// proxy that hangs up again at once and without end, and says nothing of why.
import { request as askPlain } from 'node:http'
import { request as askSecurely } from 'node:https'
import type { Socket } from 'node:net'

/** Nothing of a request has left. `message`: what the proxy did; its URL is without a password. */
class ProxyFailed extends Error {
  override readonly name = 'ProxyFailed'

  constructor({ origin }: URL, why: string) {
    super(`its proxy ${origin}: ${why}`)
  }
}

const OK = 200
const ASKS_WHO = 407
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it hung up',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up',
}

/** HOST:PORT. */
export const placeOf = ({ protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>): string =>
  `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`

/** `place`: of whom the proxy is to reach. `timeoutMs`: of each step. Rejects with ProxyFailed. */
export function openTunnel(proxy: URL, place: string, timeoutMs: number): Promise<Socket> {
  const { protocol, hostname, port } = proxy
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new ProxyFailed(proxy, why))
    const ask = protocol === 'https:' ? askSecurely : askPlain
    const asking = ask({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || (protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: place,
      headers: { host: place, connection: 'keep-alive', 'user-agent': 'meshtoll', ...authorizationOf(proxy) },
      agent: false,
      timeout: timeoutMs,
    })
    asking.once('connect', ({ statusCode = 0 }, socket) => {
      socket.setTimeout(0)
      if (statusCode === OK) return resolve(socket as Socket)
      socket.destroy()
      fail(`it answers ${statusCode}${statusCode === ASKS_WHO ? ': write http://USER:PASSWORD@HOST:PORT into HTTPS_PROXY' : ''}`)
    })
    asking.once('timeout', () => asking.destroy(new Error(`it does not answer within ${timeoutMs / 1000} s`)))
    asking.on('error', ({ code = '', message }: NodeJS.ErrnoException) => fail(REASONS[code] ?? message))
    asking.end()
  })
}

function authorizationOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
