// One watch: the changes since a resourceVersion, one JSON object a line, until the server or the signal ends it.
//   {"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"web-0","resourceVersion":"10246",...},...}}
import type { KubeClient } from './client.js'
import { brokenOf, type KubeError, refusedEventOf, type Target } from './kube-error.js'
import { linesOf } from './lines.js'

export interface WatchOptions {
  readonly client: KubeClient
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>> | undefined
  readonly accept?: string | undefined
  readonly resourceVersion: string
  /** After this time the server ends the watch. */
  readonly timeoutSeconds: number
}

export interface WatchInto {
  /** The server has taken the watch. */
  opened(): void
  put(raw: unknown): void
  remove(raw: unknown): void
  /** All up to this resourceVersion was handed on. */
  reached(resourceVersion: string): void
}

/** What a watch said makes no sense, or it ended by itself for a reason that going on cannot cure: only a new list can. */
export class WatchError extends Error {
  override readonly name = 'WatchError'
  override readonly cause: KubeError

  constructor(cause: KubeError) {
    super(cause.message, { cause })
    this.cause = cause
  }
}

/** Bookmarks come once a minute, where the server keeps a watch cache. That the network is gone is found much sooner, by its probes. */
const IDLE_MS = 90_000
const BAD_REQUEST = 400
const GONE = 410

/** Resolves when the server ended it in good order. Rejects with a WatchError, a KubeError, or the signal's reason when aborted. */
export async function watchObjects(options: WatchOptions, into: WatchInto, signal: AbortSignal): Promise<void> {
  const { client, path, resourceVersion, timeoutSeconds, accept } = options
  const target: Target = { method: 'GET', server: client.server, path, isWatch: true }
  const query = { ...options.query, watch: 1, allowWatchBookmarks: 1, resourceVersion, timeoutSeconds }
  try {
    const { body } = await client.request(path, { query, accept, idleMs: IDLE_MS, signal })
    into.opened()
    for await (const line of linesOf(body)) {
      signal.throwIfAborted()
      handOn(parseEvent(line, target), into, target)
    }
  } catch (error) {
    if (signal.aborted || error instanceof WatchError) throw error
    const broken = brokenOf(target, error)
    const isHopeless = broken.status === GONE || broken.status === BAD_REQUEST || error instanceof RangeError
    throw isHopeless ? new WatchError(broken) : broken
  }
}

interface Event {
  readonly type: string
  readonly object: { readonly metadata?: { readonly resourceVersion?: unknown } }
}

function parseEvent(line: string, target: Target): Event {
  try {
    const event = JSON.parse(line) as Event | null
    if (typeof event?.type === 'string' && typeof event.object === 'object' && event.object !== null) return event
  } catch {
    // Not JSON.
  }
  throw new WatchError(brokenOf(target, new Error(`the watch sent a line that is no event: ${line.slice(0, 80)}`)))
}

function handOn({ type, object }: Event, into: WatchInto, target: Target): void {
  if (type === 'ERROR') throw new WatchError(refusedEventOf(target, object))
  if (type === 'ADDED' || type === 'MODIFIED') into.put(object)
  else if (type === 'DELETED') into.remove(object)
  // A type that is not known yet, or a bookmark, moves on as well.
  const resourceVersion = object.metadata?.resourceVersion
  if (typeof resourceVersion === 'string' && resourceVersion !== '') into.reached(resourceVersion)
}
