// How many counters of failed requests a proxy may have: its share of what this node keeps, and more while the others need less.
import { MAX_FAILED } from './stats.js'

export interface Rooms {
  of(target: string): number
  take(target: string, counters: number): void
  /** Forgets all others. */
  keep(targets: ReadonlySet<string>): void
}

/** A node has some thousand. Where all proxies of a node are out for more, they get twice as many. */
const OF_NODE = 50_000

export function createRooms(): Rooms {
  const taken = new Map<string, number>()
  let all = 0

  function take(target: string, counters: number): void {
    all += counters - (taken.get(target) ?? 0)
    taken.set(target, counters)
  }

  return {
    take,
    of(target) {
      const share = Math.floor(OF_NODE / Math.max(1, taken.size))
      const left = OF_NODE - all + (taken.get(target) ?? 0)
      return Math.min(MAX_FAILED, Math.max(share, left))
    },
    keep(targets) {
      for (const target of taken.keys()) {
        if (targets.has(target)) continue
        take(target, 0)
        taken.delete(target)
      }
    },
  }
}
