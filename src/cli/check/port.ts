// Whether the agent's address can be had: by listening on it for a moment, and where it is taken by asking who answers there.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { type ListenAddress, type ListenError, listenErrorOf } from '../../http/listen-error.js'

export interface PortFacts {
  readonly address: ListenAddress
  /** `agent`: one of ours listens there. */
  readonly state: 'free' | 'agent' | 'taken' | ListenError
  /** Where it answers; undefined where none does. */
  readonly agentUrl?: string
}

const ANSWERS_WITHIN_MS = 1_000
/** A node has an interface for each of its pods; its own addresses come first. */
const MOST_ASKED = 20

/** `own`: addresses of this machine, of which an agent may have one alone, as the chart's agents do. */
export async function probePort(address: ListenAddress, own: () => readonly string[] = ownAddresses): Promise<PortFacts> {
  const { host, port } = address
  const server = createServer()
  try {
    server.listen({ port, ...(host === '' ? {} : { host }) })
    await once(server, 'listening')
    return { address, state: 'free' }
  } catch (error) {
    const refused = error as Error & { readonly code?: string }
    if (refused.code !== 'EADDRINUSE') return { address, state: listenErrorOf(refused, address) }
    const agentUrl = await agentAt(address, own)
    return agentUrl === undefined ? { address, state: 'taken' } : { address, state: 'agent', agentUrl }
  } finally {
    server.close()
  }
}

/** Without those that take the name of an interface to reach. */
const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((of = []) => of)
    .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
    .map(({ address }) => address)
    .slice(0, MOST_ASKED)

async function agentAt({ host, port }: ListenAddress, own: () => readonly string[]): Promise<string | undefined> {
  const hosts = ['', '0.0.0.0', '::'].includes(host) ? ['localhost', ...own()] : [host]
  const urls = hosts.map((one) => `http://${one.includes(':') ? `[${one}]` : one}:${port}`)
  const answers = await Promise.all(urls.map(answersAsAgent))
  return urls.find((_, i) => answers[i])
}

/** Known by what it says of itself to anybody, passwords or not. Behind TLS it is not asked: certificates there are for others. */
async function answersAsAgent(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/-/healthy`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS), redirect: 'error' })
    return answer.ok && answer.headers.get('x-content-type-options') === 'nosniff' && (await answer.text()) === 'ok\n'
  } catch {
    return false
  }
}
