// Bytes that waited for who sent them, and could be of two by now: of one each, where it is known when they came.
//   pending  40 came until 10:00:10, 2 until 10:00:20     cart had the address until 10:00:05, web has it since 10:00:18
//   posted   40 of cart, 2 to nobody, and what comes from now on to web
import type { Stretch } from '../model.js'
import type { Moves } from './moves.js'
import type { Route } from './routes.js'
import type { Waited } from './waited.js'

export interface Between {
  readonly from: Route
  readonly to: Route
}

/** `latest`: since the last reading. */
export interface During {
  readonly routeIn: (stretch: Stretch) => Route
  readonly latest: Stretch
}

/** Moves what waited of the pair. Returns the route of what comes from now on; undefined where there is nothing to tell apart. */
export type TellApart = (pair: number, between: Between, during: During) => Route | undefined

export const createTellApart =
  ({ waited, moves }: { readonly waited: Waited; readonly moves: Moves }): TellApart =>
  (pair, { from, to }, { routeIn, latest }) => {
    const shares = waited.sharesOf(pair)
    if (from.book !== 'pending' || isOpen(to) || !to.ambiguous || shares.length === 0) return undefined
    const routeOf = (stretch: Stretch): Route => {
      const route = routeIn(stretch)
      return isOpen(route) ? to : route
    }
    const next = routeOf(latest)
    moves.split(pair, from, { shares: shares.map((share) => ({ route: routeOf(share), bytes: share.bytes })), rest: to, to: next })
    return next
  }

/** Not said yet where its bytes belong. */
const isOpen = ({ book }: Route): boolean => book === 'pending' || book === 'transit'
