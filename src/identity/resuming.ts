// What another process knew before this one: its pods may be gone by now, and others have their addresses.
import type { LeftOff, Who } from '../model.js'
import { type Holders, isPod, NOBODY } from './holders.js'
import { isOutsider } from './outsiders.js'

export interface Resumed {
  /** Until changes are heard nothing that was known then is certain. */
  resume(leftOff: LeftOff): void
  /** Whose pod that process knew, and nobody tells of: it may be another's since. */
  isForgotten(address: string, who: Who): boolean
  /** The key of the pod that has it. */
  holderOf(address: string): string | undefined
}

export interface Resuming extends Resumed {
  readonly isResumed: () => boolean
}

const NO_PODS = ['Node', 'Service', 'LoadBalancer']

export function createResuming(holders: Pick<Holders, 'last' | 'resume'>): Resuming {
  let isResumed = false
  return {
    resume(leftOff) {
      isResumed = true
      holders.resume(leftOff)
    },
    isForgotten: (address, who) => isResumed && holders.last(address) === undefined && isOfPod(who),
    holderOf(address) {
      const last = holders.last(address)
      return last && isPod(last.tenant) && last.untilMs === Number.POSITIVE_INFINITY ? last.key : undefined
    },
    isResumed: () => isResumed,
  }
}

/** By what is written down of it. */
function isOfPod(who: Who): boolean {
  const isNamed = !who.external && who.namespace !== '' && who.namespace !== NOBODY.namespace
  return isNamed && !isOutsider(who) && !NO_PODS.includes(who.kind)
}
