// Bytes that waited for who sent them, and could be of two by now: of one each, where it is known when they came.
//   pending  40 came until 10:00:10, 2 until 10:00:20     cart had the address until 10:00:05, web has it since 10:00:18
//   posted   40 of cart, 2 to nobody, and what comes from now on to web
// The same where the other end changed hands while they waited; and of bytes to the address of a pod that ended, before another has it: only
// those that came later are phantom.
import type { Stretch } from '../model.js'
import type { Moves } from './moves.js'
import type { Phantoms } from './phantoms.js'
import type { Route } from './routes.js'
import type { Waited } from './waited.js'

export interface Between {
  readonly from: Route
  readonly to: Route
}

/** `endedMs`: when the pod ended that the bytes went to. */
export interface Path {
  readonly route: Route
  readonly endedMs?: number | undefined
}

/** `latest`: since the last reading. */
export interface During {
  readonly pathIn: (stretch: Stretch) => Path
  readonly latest: Stretch
}

/** Moves what waited of the pair. Returns the route of what comes from now on; undefined where there is nothing to tell apart. */
export type TellApart = (pair: number, between: Between, during: During) => Route | undefined

interface Parts {
  readonly waited: Waited
  readonly moves: Moves
  readonly phantoms: Phantoms
}

export const createTellApart =
  ({ waited, moves, phantoms }: Parts): TellApart =>
  (pair, { from, to }, { pathIn, latest }) => {
    const shares = waited.sharesOf(pair)
    const areTwos = to.ambiguous || to.phantom || from.phantom || waited.isHandedOn(pair)
    if (from.book !== 'pending' || isOpen(to) || !areTwos || shares.length === 0) return undefined
    const pathOf = (stretch: Stretch): Path => {
      const path = pathIn(stretch)
      return isOpen(path.route) ? { route: to } : path
    }
    const paths = shares.map((share) => ({ ...pathOf(share), ...share }))
    const next = pathOf(latest).route
    moves.split(pair, from, { shares: paths, rest: to, to: next })
    for (const { route, endedMs, fromMs } of paths) phantoms.note(route, { endedMs, sinceMs: fromMs })
    return next
  }

/** Not said yet where its bytes belong. */
const isOpen = ({ book }: Route): boolean => book === 'pending' || book === 'transit'
