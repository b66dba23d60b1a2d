// Whose bytes were that came in a time that is over: they waited, and more is known by now.
import type { Placement, Stretch } from '../model.js'
import type { Held, Holders, Holding } from './holders.js'
import { isOutsider } from './outsiders.js'
import { isPending, missed } from './placing.js'
import type { Resuming } from './resuming.js'

interface Parts extends Pick<Resuming, 'isAsVague'> {
  readonly holders: Pick<Holders, 'last' | 'heldDuring'>
  /** While changes are not heard of. */
  readonly isDoubtful: (last: Holding, sinceMs: number) => boolean
  readonly placedHeld: (address: string, held: Held, times: readonly number[]) => Placement
}

/** As `Identity.placeDuring`; undefined: nothing more is known. */
export type PlaceDuring = (address: string, now: Placement, stretch: Stretch) => Placement | undefined

export function createPlaceDuring({ holders, isDoubtful, placedHeld, isAsVague }: Parts): PlaceDuring {
  return (address, now, stretch) => {
    const last = holders.last(address)
    if (!last || isDoubtful(last, stretch.fromMs)) return undefined
    const known = now.ambiguous || isPending(now) || isOutsider(now.who) ? undefined : now.who
    const held = holders.heldDuring(address, known, stretch)
    if (!held || held.tenants.length === 0 || isAsVague(held, now, stretch)) return undefined
    const then = placedHeld(address, held, [stretch.fromMs, stretch.toMs])
    // Which agent posts is not waited for longer than who it is now.
    return isPending(then) && !isPending(now) ? Object.freeze({ ...then, ...missed(then) }) : then
  }
}
