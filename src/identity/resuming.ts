// What another process knew before this one: its pods may be gone by now, and others have their addresses.
import type { LeftOff, Placement, Stretch, Who } from '../model.js'
import { type Held, type Holders, holderOf, NO_HOLDER, NOBODY } from './holders.js'
import { isOutsider } from './outsiders.js'
import type { Waiting } from './waiting.js'

export interface Resumed {
  /** Until changes are heard nothing that was known then is certain. */
  resume(leftOff: LeftOff): void
  /** Whose pod that process knew, and nobody tells of: it may be another's since. */
  isForgotten(address: string, who: Who): boolean
  /** As `Identity.holderOf`. */
  holderOf(address: string): string | undefined
  /** That nobody of the cluster had it in that time is known for certain. */
  wasOfNobody(address: string, stretch: Stretch): boolean
}

export interface Resuming extends Resumed {
  readonly isResumed: () => boolean
  /** Nothing was heard since that process heard. */
  readonly isDeaf: () => boolean
  /** Bytes that waited in that process, of nobody who is known by either: where `now` leaves them to another agent it goes by who had it then. */
  isAsVague(held: Pick<Held, 'isMissed'>, now: Placement, stretch: Stretch): boolean
}

const NO_PODS = ['Service', 'LoadBalancer']

interface Parts {
  readonly holders: Pick<Holders, 'last' | 'mayHaveMissed' | 'resume'>
  readonly waiting: Pick<Waiting, 'sinceMs' | 'resume'>
  /** Changes are heard. */
  readonly isCurrent: () => boolean
  /** When that was first so. */
  readonly heardSinceMs: () => number | undefined
}

export function createResuming({ holders, waiting, isCurrent, heardSinceMs }: Parts): Resuming {
  let resumed: LeftOff | undefined
  const mayHaveMissed = (address: string, sinceMs: number): boolean =>
    !isCurrent() || holders.mayHaveMissed(address, { fromMs: sinceMs, toMs: Number.POSITIVE_INFINITY })

  function nobodyAt(address: string): string | undefined {
    const sinceMs = waiting.sinceMs(address)
    return sinceMs === undefined || mayHaveMissed(address, sinceMs) ? undefined : NO_HOLDER
  }

  return {
    resume(leftOff) {
      resumed = leftOff
      holders.resume(leftOff)
      if (leftOff.waited) waiting.resume(leftOff.waited)
    },
    isForgotten: (address, who) => resumed !== undefined && holders.last(address) === undefined && isOfPod(who),
    holderOf(address) {
      const last = holders.last(address)
      if (!last) return nobodyAt(address)
      return last.untilMs !== Number.POSITIVE_INFINITY && mayHaveMissed(address, last.untilMs) ? undefined : holderOf(last)
    },
    wasOfNobody: (address, stretch) => holders.last(address) === undefined && !holders.mayHaveMissed(address, stretch),
    isResumed: () => resumed !== undefined,
    isDeaf: () => resumed !== undefined && heardSinceMs() === undefined,
    isAsVague: ({ isMissed }, { ambiguous = false, local }, { fromMs }) =>
      isMissed && ambiguous && local !== 'yes' && resumed !== undefined && fromMs < resumed.atMs,
  }
}

/** By what is written down of it. A Service is nowhere; a pod may belong to something else that is called so. */
function isOfPod(who: Who): boolean {
  const isNamed = !who.external && who.namespace !== '' && who.namespace !== NOBODY.namespace
  const isNowhere = who.zone === NOBODY.zone && NO_PODS.includes(who.kind)
  return isNamed && !isNowhere && !isOutsider(who)
}
