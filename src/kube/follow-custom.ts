// Keeps what is known of a custom resource the same as what the API server has, where it has such a resource: it may be installed later, be
// offered in another version, or go.
import type { Deps } from '../deps.js'
import { createBackoff, fractionOf } from './backoff.js'
import { type KubeClient, readJson } from './client.js'
import { followObjects } from './follow.js'
import type { Into, Prune } from './known.js'
import { isNotFound, unlessNotFound } from './kube-error.js'

export interface CustomResource {
  readonly group: string
  /** The first that the API server has is followed. */
  readonly versions: readonly string[]
  /** Plural, as in a path: `serviceentries`. */
  readonly resource: string
}

export interface FollowCustomOptions<T> {
  readonly client: KubeClient
  readonly resource: CustomResource
  readonly prune: Prune<T>
}

export interface CustomInto<T> extends Into<T> {
  /** There is no such resource now; whatever was put of it has been removed. */
  absent(): void
}

type FollowDeps = Pick<Deps, 'clock' | 'log' | 'random'>

/** Between looks for what is not there, half of it by chance. */
const LONGEST_LOOK_MS = 400_000

/** As followObjects. What is there is seen by discovery, which everybody may ask: a list would be forbidden rather than not found. */
export async function followCustom<T>(
  { client, resource, prune }: FollowCustomOptions<T>,
  deps: FollowDeps,
  into: CustomInto<T>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = deps
  const backoff = createBackoff(random)

  /** Resolves with the time to wait before the next look. */
  async function look(): Promise<number> {
    const path = await findPath(client, resource, signal)
    if (path === undefined) {
      backoff.reset()
      into.absent()
      return Math.round(LONGEST_LOOK_MS * (1 - fractionOf(random()) / 2))
    }
    await followWhileThere(path)
    return backoff.nextMs()
  }

  async function followWhileThere(path: string): Promise<void> {
    const keys = new Set<string>()
    const ending = new AbortController()
    const end = (): void => ending.abort(signal.reason)
    signal.addEventListener('abort', end, { once: true })
    // It may have been, just behind the answer that it is there.
    if (signal.aborted) end()
    const whileThere: Into<T> = {
      ...into,
      put(key, object) {
        keys.add(key)
        into.put(key, object)
      },
      remove(key) {
        keys.delete(key)
        into.remove(key)
      },
      synced() {
        backoff.reset()
        into.synced()
      },
      failed: (error) => (isNotFound(error) ? end() : into.failed?.(error)),
    }
    await followObjects({ client, path, prune }, deps, whileThere, ending.signal)
    signal.removeEventListener('abort', end)
    if (!signal.aborted) for (const key of keys) into.remove(key)
  }

  while (!signal.aborted) {
    const waitMs = await look().catch((error: unknown) => {
      if (!signal.aborted) into.failed?.(error as Error)
      return backoff.nextMs()
    })
    await clock.sleep(waitMs, signal).catch(() => undefined)
  }
}

/** Where its objects are in all namespaces; undefined where there are none. */
export async function findPath(
  client: KubeClient,
  { group, versions, resource }: CustomResource,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const version of versions) {
    const path = `/apis/${group}/${version}`
    const list = (await readJson(client, path, { signal }).catch(unlessNotFound)) as ResourceList | undefined
    if (list?.resources?.some(({ name }) => name === resource)) return `${path}/${resource}`
  }
  return undefined
}

/** APIResourceList (k8s.io/apimachinery meta/v1). */
interface ResourceList {
  readonly resources?: readonly { readonly name?: unknown }[]
}
