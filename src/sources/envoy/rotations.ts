// Istio may be told to rotate its metrics: then a counter vanishes, and may come back later, from zero. Where the one before is not let go of, what
// comes back would be taken for more of the same:
//   7, gone, 9     16 requests; without the zero in between 9
import type { FailedRequests } from './stats.js'

export interface Rotations {
  /** `said`, and at 0 what the target has said before and does not any more. */
  complete(target: string, said: readonly FailedRequests[]): readonly FailedRequests[]
  /** Forgets all others. */
  keep(targets: ReadonlySet<string>): void
}

export function createRotations(): Rotations {
  const last = new Map<string, readonly FailedRequests[]>()
  return {
    complete(target, said) {
      const before = last.get(target) ?? []
      last.set(target, said)
      const now = new Set(said.map(({ series }) => series))
      return [...said, ...before.filter(({ series }) => !now.has(series)).map((one) => ({ ...one, count: 0 }))]
    },
    keep(targets) {
      for (const target of last.keys()) if (!targets.has(target)) last.delete(target)
    },
  }
}
