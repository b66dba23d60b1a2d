// Several collections of the API server, followed at once: whether all that there is was told, and what stands in the way.
import { setMaxListeners } from 'node:events'
import type { Deps } from '../deps.js'
import type { KubeClient } from '../kube/client.js'
import { followObjects } from '../kube/follow.js'
import { type CustomInto, type CustomResource, followCustom } from '../kube/follow-custom.js'
import type { Into, Prune, Unheard } from '../kube/known.js'
import { KubeError } from '../kube/kube-error.js'

interface Objects<T> {
  readonly prune: Prune<T>
  put(key: string, object: T, sinceMs?: number): void
  remove(key: string, sinceMs?: number): void
  missed?(unheard: Unheard): void
}

export interface Collection<T> extends Objects<T> {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Resolves once all that was put by now is told of: until then not all of a list is. */
  told?(): Promise<void>
}

/** Of a resource that the API server need not have. */
export interface CustomCollection<T> extends Objects<T> {
  readonly resource: CustomResource
}

export interface Following {
  /** In the background, until aborted. Resolves once all of it was put, or rejects when aborted before. */
  follow<T>(collection: Collection<T>, signal: AbortSignal): Promise<void>
  /** As `follow`, but never in the way: resolves as well where there is none, or it may not be seen, which is said once. */
  followCustom<T>(collection: CustomCollection<T>, signal: AbortSignal): Promise<void>
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

  function follow<T>({ path, query, prune, put, remove, missed, told }: Collection<T>, signal: AbortSignal): Promise<void> {
    troubles.set(path, NOT_YET)
    // Of its end more hear than the ten that Node takes for a leak.
    setMaxListeners(0, signal)
    let lists = 0
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        troubles.delete(path)
        reject(signal.reason)
      }
      signal.addEventListener('abort', stop, { once: true })
      const into: Into<T> = {
        put,
        remove,
        missed: (unheard) => missed?.(unheard),
        synced() {
          const list = ++lists
          const settle = (): void => {
            if (list === lists) troubles.delete(path)
            resolve()
          }
          if (!told) return settle()
          troubles.set(path, NOT_YET)
          told().then(settle, () => undefined)
        },
        failed({ message }) {
          lists++
          troubles.set(path, message)
        },
        rejected: () => void rejected++,
      }
      void followObjects({ client, path, query, prune }, quiet, into, signal)
    })
  }

  /** No answer at all is the trouble of all others as well. */
  function createComplaint({ group, resource }: CustomResource): (error: Error) => void {
    const said = new Set<number>()
    return (error) => {
      const status = error instanceof KubeError ? error.status : 0
      if (status === 0 || said.has(status)) return
      said.add(status)
      deps.log.warn('objects are not followed, all else goes on without them', { resource: `${resource}.${group}`, error: error.message })
    }
  }

  return {
    follow,
    followCustom<T>({ resource, prune, put, remove }: CustomCollection<T>, signal: AbortSignal) {
      const complain = createComplaint(resource)
      return new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        const into: CustomInto<T> = {
          put,
          remove,
          synced: resolve,
          absent: resolve,
          failed(error) {
            complain(error)
            resolve()
          },
          rejected: () => void rejected++,
        }
        void followCustom({ client, resource, prune }, quiet, into, signal)
      })
    },
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
