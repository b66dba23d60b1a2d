// Whether the agent's address can be had: by listening on it for a moment, and where it is taken by asking who answers there.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type ListenAddress, type ListenError, listenErrorOf } from '../../http/listen-error.js'

export interface PortFacts {
  readonly address: ListenAddress
  /** `agent`: one of ours listens there. */
  readonly state: 'free' | 'agent' | 'taken' | ListenError
}

const ANSWERS_WITHIN_MS = 1_000

export async function probePort(address: ListenAddress): Promise<PortFacts> {
  const { host, port } = address
  const server = createServer()
  try {
    server.listen({ port, ...(host === '' ? {} : { host }) })
    await once(server, 'listening')
    return { address, state: 'free' }
  } catch (error) {
    const refused = error as Error & { readonly code?: string }
    if (refused.code !== 'EADDRINUSE') return { address, state: listenErrorOf(refused, address) }
    return { address, state: (await isAgent(address)) ? 'agent' : 'taken' }
  } finally {
    server.close()
  }
}

/** Known by what it says of itself to anybody, passwords or not. Behind TLS it is not asked: certificates there are for others. */
async function isAgent({ host, port }: ListenAddress): Promise<boolean> {
  const reachable = ['', '0.0.0.0', '::'].includes(host) ? 'localhost' : host
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/-/healthy`
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS), redirect: 'error' })
    return answer.ok && answer.headers.get('x-content-type-options') === 'nosniff' && (await answer.text()) === 'ok\n'
  } catch {
    return false
  }
}
