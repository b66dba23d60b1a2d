// Several collections of the API server, followed at once: whether all that there is was told, and what stands in the way.
import type { Deps } from '../deps.js'
import type { KubeClient } from '../kube/client.js'
import { followObjects } from '../kube/follow.js'
import type { Into, Prune } from '../kube/known.js'

export interface Collection<T> {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly prune: Prune<T>
  put(key: string, object: T): void
  remove(key: string): void
}

export interface Following {
  /** In the background, until aborted. Resolves once all of it was put, or rejects when aborted before. */
  follow<T>(collection: Collection<T>, signal: AbortSignal): Promise<void>
  /** Of all that is followed: '' when changes are heard of at once. */
  readonly trouble: string
  /** Objects that could not be understood since this was last asked. */
  takeRejected(): number
}

const NOT_YET = 'the API server has not told all of it yet'

export function createFollowing(client: KubeClient, deps: Pick<Deps, 'clock' | 'log' | 'random'>): Following {
  /** By path, what stands in the way. */
  const troubles = new Map<string, string>()
  let rejected = 0
  // Said once for all of them, by whoever reads `trouble`.
  const quiet = { ...deps, log: { ...deps.log, warn: deps.log.debug, info: deps.log.debug } }

  function follow<T>({ path, query, prune, put, remove }: Collection<T>, signal: AbortSignal): Promise<void> {
    troubles.set(path, NOT_YET)
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        troubles.delete(path)
        reject(signal.reason)
      }
      signal.addEventListener('abort', stop, { once: true })
      const into: Into<T> = {
        put,
        remove,
        synced() {
          troubles.delete(path)
          resolve()
        },
        failed: ({ message }) => void troubles.set(path, message),
        rejected: () => void rejected++,
      }
      void followObjects({ client, path, query, prune }, quiet, into, signal)
    })
  }

  return {
    follow,
    get trouble() {
      const [first = ''] = troubles.values()
      return first
    },
    takeRejected() {
      const taken = rejected
      rejected = 0
      return taken
    },
  }
}
