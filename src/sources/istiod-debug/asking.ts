// How an istiod is asked for its proxies. It answers the loopback, and whoever shows a ServiceAccount token with the audience istio-ca; of a
// namespace of its own or one that it is told of, since 1.27.6, 1.28.4 and 1.29.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { HttpGet } from '../http-get.js'
import type { Target } from '../scraping.js'
import { type Connection, createConnections, createStatuses, type Reader, type Statuses } from './answers.js'

export type Http = Pick<HttpGet, 'read'>

/** As of src/kube/token.ts. Rejects where there is none. */
export type ReadToken = (refused: string | undefined, signal: AbortSignal) => Promise<string | undefined>

export interface Credentials {
  readonly token: ReadToken
  /** Whose istiods are shown it: whoever has it is the agent, to Istio. */
  readonly namespaces: readonly string[]
}

export interface Answers {
  readonly statuses: Statuses
  readonly connections: ReadonlyMap<string, Connection>
}

export type AskDebug = (target: Target & { readonly url: string }, signal: AbortSignal) => Promise<Answers>

const CONNECTIONS = '/debug/connections'
const UNAUTHORIZED = 401
const FORBIDDEN = 403
const NOT_FOUND = 404

/** Both of the URLs that it is asked at. */
export const urlsOf = (url: string): readonly [statuses: string, connections: string] => [url, new URL(CONNECTIONS, url).href]

/** Rejects in words that are the same for all who fail alike: what it is, and what to do. */
export function createAskDebug(http: Http, credentials: Credentials): AskDebug {
  return async ({ url, pod }, signal) => {
    const mayShow = !pod || credentials.namespaces.includes(pod.namespace)
    const none = {
      token: undefined,
      trouble: mayShow ? '' : `add ${pod.namespace} to istiod.tokenNamespaces, so that it is shown the token`,
    }
    const shown = mayShow ? await tokenOf(credentials.token, undefined, signal) : none
    try {
      return await askBoth(http, url, shown.token, signal)
    } catch (error) {
      if (statusOf(error) !== UNAUTHORIZED || shown.token === undefined) throw remedied(error, shown.trouble)
      const next = await tokenOf(credentials.token, shown.token, signal)
      if (next.token === undefined || next.token === shown.token) throw remedied(error, next.trouble)
      return askBoth(http, url, next.token, signal).catch((again: unknown) => {
        throw remedied(again, '')
      })
    }
  }
}

interface Shown {
  readonly token: string | undefined
  /** Why there is none. */
  readonly trouble: string
}

/** Without one it may answer all the same. */
async function tokenOf(read: ReadToken, refused: string | undefined, signal: AbortSignal): Promise<Shown> {
  try {
    return { token: await read(refused, signal), trouble: '' }
  } catch (error) {
    signal.throwIfAborted()
    return { token: undefined, trouble: (error as Error).message }
  }
}

async function askBoth(http: Http, url: string, token: string | undefined, signal: AbortSignal): Promise<Answers> {
  const read = <T>(from: string, reader: Reader<T>): Promise<T> => http.read(from, (pieces) => readAll(pieces, reader), signal, { token })
  const [statuses, connections] = urlsOf(url)
  return { statuses: await read(statuses, createStatuses()), connections: await read(connections, createConnections()) }
}

async function readAll<T>(pieces: AsyncIterable<string>, { write, end }: Reader<T>): Promise<T> {
  for await (const piece of pieces) {
    write(piece)
    // What has arrived already comes at once.
    await turnOfTheLoop()
  }
  return end()
}

const statusOf = (error: unknown): number | undefined => (error as { readonly status?: number }).status

function remedied(error: unknown, trouble: string): unknown {
  const remedy = remedyOf(statusOf(error), trouble)
  return remedy === undefined ? error : new Error(`${(error as Error).message}; ${remedy}`, { cause: error })
}

function remedyOf(status: number | undefined, trouble: string): string | undefined {
  if (status === UNAUTHORIZED) return trouble || 'show it a ServiceAccount token with the audience istio-ca, by istiod.tokenFile'
  if (status === FORBIDDEN)
    return "run the agent in istiod's namespace, or name the agent's in DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES in the environment of istiod"
  return status === NOT_FOUND ? 'set ENABLE_DEBUG_ON_HTTP=true in the environment of istiod' : undefined
}
