// Who had an address while it was called, as a line of a log names it: for certain, or it is not known. What was heard of late may be asked late.
import type { Stretch, Who } from '../model.js'
import { type Holders, type Holding, isPod, merged, NOBODY } from './holders.js'

/** `ended`: whether the pod that was called had ended before; '' where it is no pod. */
export interface Called {
  readonly who: Who
  readonly ended: 'yes' | 'no' | '_unknown' | ''
}

export interface CalledParts {
  readonly holders: Pick<Holders, 'allOf' | 'mayHaveMissed'>
  readonly skewMs: number
  /** While changes are not heard of. */
  readonly isDoubtful: (last: Holding, sinceMs: number) => boolean
}

export const NOT_KNOWN: Called = Object.freeze({ who: NOBODY, ended: '_unknown' })

/** Undefined: nobody of the cluster ever had it. `heardSinceMs`: who had it after somebody who ended before that may not be on record. */
export type CalledDuring = (address: string, stretch: Stretch, heardSinceMs: number | undefined) => Called | undefined

export function createCalledDuring({ holders, skewMs, isDoubtful }: CalledParts): CalledDuring {
  const mayHaveHad = ({ fromMs, untilMs }: Holding, stretch: Stretch): boolean =>
    fromMs - skewMs <= stretch.toMs && untilMs + skewMs >= stretch.fromMs

  /** Those who may have had it, and whoever had it before where it may still have been his. */
  function possible(all: readonly Holding[], stretch: Stretch): readonly Holding[] {
    const during = all.filter((holding) => mayHaveHad(holding, stretch))
    if (during.some(({ fromMs }) => fromMs + skewMs <= stretch.fromMs)) return living(during)
    const before = all.findLast(({ untilMs }) => untilMs + skewMs < stretch.fromMs)
    return living(before ? [before, ...during] : during)
  }

  function endedOf({ tenant, fromMs, untilMs }: Holding, stretch: Stretch): Called['ended'] {
    if (!isPod(tenant)) return ''
    if (untilMs + skewMs < stretch.fromMs) return 'yes'
    return fromMs + skewMs <= stretch.fromMs && untilMs - skewMs >= stretch.toMs ? 'no' : '_unknown'
  }

  return (address, stretch, heardSinceMs = Number.POSITIVE_INFINITY) => {
    const all = holders.allOf(address)
    const last = all.at(-1)
    if (!last) return undefined
    const holdings = possible(all, stretch)
    const [first] = holdings
    if (!first || isDoubtful(last, stretch.fromMs)) return NOT_KNOWN
    const sinceMs = Math.min(stretch.fromMs, first.untilMs)
    if (sinceMs < stretch.fromMs && sinceMs < heardSinceMs) return NOT_KNOWN
    if (holders.mayHaveMissed(address, { fromMs: sinceMs, toMs: stretch.toMs })) return NOT_KNOWN
    return {
      who: merged(holdings.map(({ tenant }) => tenant.who)).who,
      ended: holdings.length === 1 ? endedOf(first, stretch) : '_unknown',
    }
  }
}

/** A Service may have the address of a node. */
function living(holdings: readonly Holding[]): readonly Holding[] {
  const found = holdings.filter(({ tenant }) => tenant.coverage === 'node')
  return found.length > 0 ? found : holdings
}
