// How often the containers of each pod were restarted. Most never were, and nothing is kept of those.
import type { PodRestarts } from '../../cluster/objects.js'
import type { ContainerRestarts } from '../../identity/objects/pod-restarts.js'

export interface Restarted {
  readonly namespace: string
  /** Of the pod. */
  readonly uid: string
  readonly reason: string
  /** Above 0. */
  readonly times: number
}

interface Kept {
  readonly uid: string
  readonly containers: readonly ContainerRestarts[]
}

/** `grown` is told of restarts of pods that were known without them, or not at all. A smaller count (of 7 the kubelet may forget 2) is none. */
export function createRestarts(grown: (restarted: Restarted) => void): PodRestarts {
  const pods = new Map<string, Kept>()

  function timesSince(before: Kept | undefined, uid: string, { container, count }: ContainerRestarts): number {
    const known = before?.uid === uid ? before.containers.find((one) => one.container === container) : undefined
    return count - (known?.count ?? 0)
  }

  return {
    put(key, { namespace, uid }, containers) {
      const before = pods.get(key)
      if (containers.length > 0) pods.set(key, { uid, containers })
      else pods.delete(key)
      for (const one of containers) {
        const times = timesSince(before, uid, one)
        if (times > 0) grown({ namespace, uid, reason: one.reason, times })
      }
    },
    remove: (key) => void pods.delete(key),
  }
}
