// A whole list, in one answer or in pages, handed on object by object.
import type { KubeClient } from './client.js'
import { brokenOf, isAhead, isExpired, KubeError } from './kube-error.js'
import { createListSplitter, type ListMetadata } from './list-splitter.js'

export interface ListOptions {
  readonly client: KubeClient
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>> | undefined
  readonly accept?: string | undefined
  /** Objects a page. */
  readonly limit?: number | undefined
}

export interface ListInto {
  /** The list begins, perhaps once more: what came before of this list is void. */
  begin(): void
  item(raw: unknown): void
}

export interface Listed {
  readonly resourceVersion: string
  /** The server sends pages where it might have sent all from its watch cache: it has none. */
  readonly hasNoCache: boolean
}

/** What an earlier list and the changes since have come to. */
export interface Since {
  readonly resourceVersion: string
  readonly hasNoCache: boolean
}

export interface Listing {
  /** Reads on to the end. After a failure it may be called again, and goes on with the page that failed. */
  read(into: ListInto, signal: AbortSignal): Promise<Listed>
}

/**
 * How the server is asked for the first page (kubernetes.io/docs/reference/using-api/api-concepts, resource versions):
 * - `any`: whatever the server's watch cache has. A thousand agents that start at once, each for the pods of its node, must not
 *   make etcd read all pods a thousand times. Servers ignore `limit` here and send all in one answer, which costs us nothing since
 *   it is parsed as it comes; a server without a watch cache heeds `limit`.
 * - `newer`: from the watch cache as well, but not older than what is known, so that time never runs backwards. Without `limit`,
 *   since with it the same resourceVersion would mean exactly that one, which after a 410 is no longer kept.
 * - `paged`: the newest, a consistent read in pages. For when the others are refused.
 * - `whole`: the newest in one answer. For when pages expire faster than they are read.
 */
type Way = 'any' | 'newer' | 'paged' | 'whole'

const LIMIT = 200
const BAD_REQUEST = 400

/** `since` is absent at first. */
export function createListing(options: ListOptions, since: Since | undefined): Listing {
  const { client, path, limit = LIMIT } = options
  let way = firstWayOf(since)
  let next: string | undefined
  let hasNoCache = false

  const queryOf = (): Record<string, string | number> => {
    const paging = next === undefined ? {} : { continue: next }
    if (way === 'any') return { limit, ...(next === undefined ? { resourceVersion: '0' } : paging) }
    if (way === 'newer') return { resourceVersion: since?.resourceVersion ?? '0' }
    return way === 'paged' ? { limit, ...paging } : {}
  }

  const readPage = async (into: ListInto, signal: AbortSignal): Promise<ListMetadata> => {
    const { body } = await client.request(path, { query: { ...options.query, ...queryOf() }, accept: options.accept, signal })
    if (next === undefined) into.begin()
    const splitter = createListSplitter(into.item)
    try {
      for await (const piece of body) splitter.write(piece)
      return splitter.end()
    } catch (error) {
      throw signal.aborted || error instanceof KubeError ? error : noList(options, (error as Error).message)
    }
  }

  /** Another way of asking, where this one is refused. */
  const fallBack = (error: unknown): boolean => {
    const isFirst = next === undefined
    if (isFirst ? way !== 'newer' || !isRefused(error) : !isExpired(error)) return false
    const mayAgain = way !== 'whole'
    way = way === 'paged' ? 'whole' : 'paged'
    next = undefined
    return mayAgain
  }

  const readOn = async (into: ListInto, signal: AbortSignal): Promise<string> => {
    for (;;) {
      const { resourceVersion, continue: more } = await readPage(into, signal)
      if (!resourceVersion) throw noList(options, 'it has no resourceVersion')
      if (!more) return resourceVersion
      next = more
      hasNoCache ||= way === 'any'
    }
  }

  return {
    async read(into, signal) {
      for (;;) {
        try {
          return { resourceVersion: await readOn(into, signal), hasNoCache }
        } catch (error) {
          if (!fallBack(error)) throw error
        }
      }
    },
  }
}

function firstWayOf(since: Since | undefined): Way {
  if (since === undefined) return 'any'
  return since.hasNoCache ? 'paged' : 'newer'
}

const isRefused = (error: unknown): boolean =>
  isExpired(error) || isAhead(error) || (error instanceof KubeError && error.status === BAD_REQUEST)

function noList({ client, path }: ListOptions, message: string): KubeError {
  return brokenOf({ method: 'GET', server: client.server, path, isWatch: false }, new Error(`the answer is no list: ${message}`))
}
