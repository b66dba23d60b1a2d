// What the directory has told of, and what of it is over although nobody told that: whoever went while no directory could tell.
import type { Tenancy } from '../identity/tenancies.js'

export interface Told {
  keep(tenancies: readonly Tenancy[]): void
  /** From here on all is told anew. `certainMs`: what was told before was so up to then. */
  beginAnew(certainMs: number): void
  /** All was told: what was not repeated is over. */
  settle(): void
  /** Of addresses that are of no interest any more. */
  forget(isOfInterest: (address: string) => boolean): void
  /** What was told since the last time. */
  take(): readonly Tenancy[]
}

export function createTold(): Told {
  const lasting = new Map<string, Tenancy>()
  let unconfirmed = new Map<string, Tenancy>()
  let news: Tenancy[] = []
  let untilMs = 0

  function keep(tenancies: readonly Tenancy[]): void {
    for (const tenancy of tenancies) {
      const name = `${tenancy.key} ${tenancy.address}`
      news.push(tenancy)
      unconfirmed.delete(name)
      if (tenancy.untilMs === Number.POSITIVE_INFINITY) lasting.set(name, tenancy)
      else lasting.delete(name)
    }
  }

  return {
    keep,
    beginAnew(certainMs) {
      unconfirmed = new Map(lasting)
      untilMs = certainMs
    },
    settle() {
      keep([...unconfirmed.values()].map((tenancy) => ({ ...tenancy, untilMs: Math.max(untilMs, tenancy.fromMs) })))
    },
    forget(isOfInterest) {
      for (const [name, { address }] of lasting) if (!isOfInterest(address)) lasting.delete(name)
    },
    take() {
      const taken = news
      news = []
      return taken
    },
  }
}
