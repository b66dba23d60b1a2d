// Where a pair's bytes go: pairs with the same owners and the same answer share one route.
import type { Placement, Scope } from '../model.js'
import type { Account, Accounts, Owner } from './accounts.js'
import type { Admission } from './admission.js'
import type { Book } from './posting.js'
import { bookOf, isMulticast } from './posting.js'
import { scopeOf } from './scope.js'

/** An address as the ledger knows it. */
export interface Placed {
  readonly text: string
  readonly placement: Placement
  readonly owner: Owner
  /** Since when its bytes wait, in ms since the machine's start; absent where they do not, or where that is not known. */
  readonly waitsSinceMs?: number | undefined
}

export interface Route {
  readonly book: Book
  /** The destination does not live here: the bytes left the node. */
  readonly leaves: boolean
  /** Accounts that get every byte of the pair. */
  into: readonly Account[]
  /** Transit only: accounts that get the part that was source-translated, opened with its first byte. */
  via: readonly Account[]
  readonly source: Owner
  readonly destination: Owner
  readonly scope: Scope
  /** One of the two has an address that somebody else could have had as well. */
  readonly ambiguous: boolean
  /** The destination's address is that of a pod that ended. */
  readonly phantom: boolean
}

type Ends = Pick<Route, 'source' | 'destination' | 'scope' | 'ambiguous' | 'phantom'>

export interface Routes {
  routeOf(source: Placed, destination: Placed): Route
  /** Opens what the translated part of a transit route is posted to. */
  openVia(route: Route): readonly Account[]
  /** Points routes that lead into an account at another, one at a step. */
  redirect(folds: ReadonlyMap<Account, Account>): Generator<void>
  /** Forgets the routes that no pair takes, one at a step. */
  keep(used: ReadonlySet<Route>): Generator<void>
  clear(): void
}

export function createRoutes({ accounts, admission }: { accounts: Accounts; admission: Admission }): Routes {
  const routes = new Map<string, Route>()

  function posted({ source, destination, scope, ambiguous, phantom }: Ends): readonly Account[] {
    const zones = admission.zoneOf(source.zone, destination.zone, scope)
    const books = ['posted', ...(ambiguous ? ['ambiguous'] : [])].map(accounts.book)
    const phantoms = phantom ? [admission.phantomOf(source, destination)] : []
    return [admission.flowOf(source, destination, scope), zones, ...books, ...phantoms]
  }

  function intoOf(book: Book, ends: Ends): readonly Account[] {
    if (book === 'posted') return posted(ends)
    if (book === 'handover') return [accounts.book('elsewhere'), accounts.book('handover')]
    return [accounts.book(book === 'transit' ? 'pending' : book)]
  }

  function routeOf(source: Placed, destination: Placed): Route {
    const book = isMulticast(destination.text) ? 'multicast' : bookOf(source.placement, destination.placement)
    const leaves = book !== 'multicast' && destination.placement.local === 'no'
    const scope = scopeOf(source.placement.who, destination.placement.who)
    const ambiguous = (source.placement.ambiguous || destination.placement.ambiguous) ?? false
    const phantom = destination.placement.endedMs !== undefined
    const key = `${source.owner.id}:${destination.owner.id}:${scope}:${book}:${leaves}:${ambiguous}:${phantom}`
    const known = routes.get(key)
    if (known) return known
    const ends = { source: source.owner, destination: destination.owner, scope, ambiguous, phantom }
    const route: Route = { book, leaves, ...ends, into: intoOf(book, ends), via: [] }
    routes.set(key, route)
    return route
  }

  function openVia(route: Route): readonly Account[] {
    if (route.via.length === 0) route.via = posted(route)
    return route.via
  }

  function* redirect(folds: ReadonlyMap<Account, Account>): Generator<void> {
    const swap = (accounts: readonly Account[]) => accounts.map((account) => folds.get(account) ?? account)
    for (const route of routes.values()) {
      route.into = swap(route.into)
      route.via = swap(route.via)
      yield
    }
  }

  function* keep(used: ReadonlySet<Route>): Generator<void> {
    for (const [key, route] of routes) {
      if (!used.has(route)) routes.delete(key)
      yield
    }
  }

  return { routeOf, openVia, redirect, keep, clear: () => routes.clear() }
}
