// Keeps what is known of a collection the same as what the API server has: a list, then watches from where it ended.
import type { Deps } from '../deps.js'
import { attempted } from './attempt.js'
import { createBackoff, fractionOf } from './backoff.js'
import { createKnown, type Into, type Prune, type Unheard } from './known.js'
import { isExpired, KubeError } from './kube-error.js'
import { createListing, type Listing, type ListOptions, type Since } from './list.js'
import { createTrouble } from './trouble.js'
import { WatchError, watchObjects } from './watch.js'

/** `path` is the collection's: `/api/v1/pods`, `/apis/apps/v1/namespaces/shop/deployments`; `query` holds selectors. */
export interface FollowOptions<T> extends Omit<ListOptions, 'accept'> {
  readonly prune: Prune<T>
  /** Absent: whole objects as JSON. */
  readonly accept?: Accept | undefined
}

/** A list is asked for by another name than the objects of a watch. */
export interface Accept {
  readonly list: string
  readonly watch: string
}

type FollowDeps = Pick<Deps, 'clock' | 'log' | 'random'>

/** The server is asked to end a watch after this time: by chance, so that those of a thousand agents do not end together. */
const TIMEOUT_FLOOR_S = 290
const TIMEOUT_SPREAD_S = 300
/** How much before its time a watch may end and still have ended as asked. */
const EARLY_MS = 2000
/** Changes may be missed for so long, between two watches, before it is said: less than `identity.handover`. */
const DEAF_MS = 8_000
/** What a connection that stands brings is not older, but for a moment: one that is dead is noticed within 13 s (client.ts). */
const SILENT_MS = 15_000
/** A watch that stood this long has brought what was missed, and is the end of a time of failures. */
const STABLE_MS = 10_000

/** Runs until aborted, and never rejects. Keys are `namespace/name`, or `name` of what is in no namespace. `into` must not throw. */
export async function followObjects<T>(options: FollowOptions<T>, deps: FollowDeps, into: Into<T>, signal: AbortSignal): Promise<void> {
  const follower = createFollower(options, deps, into)
  const forget = deps.clock.pulse?.onStop(follower.beginAnew)
  while (!signal.aborted) {
    const waitMs = await follower.attempt(signal)
    if (waitMs > 0) await deps.clock.sleep(waitMs, signal).catch(() => undefined)
  }
  forget?.()
  follower.end()
}

interface Follower {
  /** A list where one is due, and one watch. Resolves with the time to wait before the next attempt. */
  attempt(signal: AbortSignal): Promise<number>
  /** Nothing was read for a while: what is under way is left, and asked for anew. */
  beginAnew(error: Error): void
  end(): void
}

function createFollower<T>(options: FollowOptions<T>, { clock, log, random }: FollowDeps, into: Into<T>): Follower {
  const { path, accept } = options
  const backoff = createBackoff(random)
  const trouble = createTrouble(path, { clock, log })
  let rejected = 0
  const known = createKnown(options.prune, into, (error) => {
    if (rejected++ === 0) log.warn('an object of the API server is not understood, and left out', { path, error: error.message })
    into.rejected?.(error)
  })
  /** The list that is due or under way. */
  let listing: Listing | undefined = createListing({ ...options, accept: accept?.list }, undefined)
  /** All changes up to this resourceVersion are known, or were when the list fell due. */
  let reached = ''
  let hasNoCache = false
  let isBehind = false
  let hasExpired = false
  /** All changes up to then are known, by the clock that never jumps. */
  let heardMs: number | undefined
  /** A watch that was just taken has yet to bring what was missed, and may end before it does. */
  let isStanding = false
  let hearing = new AbortController()
  let underWay = new AbortController()

  const sinceReached = (): Since | undefined => (reached === '' ? undefined : { resourceVersion: reached, hasNoCache })

  const fallBehind = (error: Error): void => {
    isBehind = true
    into.failed?.(error)
  }

  /** From here on nothing is heard, until `hearing` is aborted. */
  const goDeaf = (): void => {
    hearing.abort()
    hearing = new AbortController()
    const say = (): void => {
      if (!isBehind) fallBehind(new Error(`the API server has not begun to tell of changes of ${path} for ${DEAF_MS / 1000} s`))
    }
    clock.sleep(DEAF_MS, hearing.signal).then(say, () => undefined)
  }

  const hear = (): void => {
    clock.pulse?.look()
    if (isStanding) heardMs = Math.max(heardMs ?? Number.NEGATIVE_INFINITY, clock.monotonic() - SILENT_MS)
  }

  /** By the clock of now, which may have been set meanwhile. */
  const unheardNow = (): Unheard | undefined => {
    const nowMs = clock.now()
    return heardMs === undefined ? undefined : { fromMs: nowMs - (clock.monotonic() - heardMs), toMs: nowMs }
  }

  const list = async (due: Listing, signal: AbortSignal): Promise<void> => {
    const item = (raw: unknown): void => {
      if (!signal.aborted) known.put(raw)
    }
    const read = await due.read({ begin: () => known.begin(unheardNow()), item }, signal)
    clock.pulse?.look()
    signal.throwIfAborted()
    listing = undefined
    reached = read.resourceVersion
    hasNoCache ||= read.hasNoCache
    isBehind = false
    known.complete(unheardNow())
    heardMs = clock.monotonic()
    goDeaf()
  }

  const opened = (signal: AbortSignal, ended: AbortSignal): void => {
    hearing.abort()
    // Not before: a watch that was taken may still end at once because its resourceVersion has expired.
    const settle = (): void => {
      clock.pulse?.look()
      if (signal.aborted || ended.aborted) return
      isStanding = true
      hear()
      backoff.reset()
      trouble.over()
      hasExpired = false
      if (isBehind) into.synced()
      isBehind = false
    }
    clock.sleep(STABLE_MS, ended).then(settle, () => undefined)
  }

  /** Resolves with whether it lasted as long as it should. */
  const watch = async (signal: AbortSignal): Promise<boolean> => {
    const timeoutSeconds = Math.round(TIMEOUT_FLOOR_S + TIMEOUT_SPREAD_S * fractionOf(random()))
    const ended = new AbortController()
    const startedAtMs = clock.monotonic()
    const changes = {
      opened: () => opened(signal, ended.signal),
      put: known.put,
      remove: known.remove,
      reached: (resourceVersion: string) => {
        reached = resourceVersion
        hear()
      },
    }
    try {
      await watchObjects({ ...options, accept: accept?.watch, resourceVersion: reached, timeoutSeconds }, changes, signal)
    } finally {
      ended.abort()
      isStanding = false
      goDeaf()
    }
    return clock.monotonic() - startedAtMs >= timeoutSeconds * 1000 - EARLY_MS
  }

  const failed = (error: Error): number => {
    const cause = error instanceof WatchError ? error.cause : error
    if (error instanceof WatchError) listing = createListing({ ...options, accept: accept?.list }, sinceReached())
    if (isExpired(cause) && !hasExpired) {
      // The way of the world: the server keeps changes for some minutes only.
      hasExpired = true
      log.debug('a watch has expired, listing again', { path })
    } else {
      trouble.failed(cause)
      fallBehind(cause)
    }
    return backoff.nextMs(cause instanceof KubeError ? cause.retryAfterMs : undefined)
  }

  /** Whoever stands still again and again, for want of a CPU, would else ask for all there is each time. */
  const leftMs = (): number => (listing ? backoff.nextMs() : 0)

  const tryOnce = async (signal: AbortSignal): Promise<number> => {
    try {
      if (listing) await list(listing, signal)
      return (await watch(signal)) ? 0 : backoff.nextMs()
    } catch (error) {
      if (signal.aborted) return leftMs()
      return failed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  return {
    attempt(signal) {
      underWay = new AbortController()
      return attempted(underWay, signal, tryOnce)
    },
    beginAnew(error) {
      if (listing) listing = createListing({ ...options, accept: accept?.list }, sinceReached())
      isStanding = false
      fallBehind(error)
      underWay.abort(error)
    },
    end: () => hearing.abort(),
  }
}
