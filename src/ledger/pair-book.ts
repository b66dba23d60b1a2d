// Which route each pair takes, and what happens when that changes.
import type { Clock } from '../deps.js'
import type { Identity, Pairs } from '../model.js'
import type { Account, Accounts } from './accounts.js'
import type { Decisions } from './draft.js'
import type { Generations } from './generations.js'
import { createPlaces } from './places.js'
import type { Route, Routes } from './routes.js'
import type { AddressRow, MarkRow, State } from './state.js'
import { markKeyOf } from './state.js'
import type { Transit } from './transit.js'

export interface PairBook {
  /** The pair's route, decided at first sight. */
  routeOf(pair: number, pairs: Pairs, identity: Identity): Route
  /** Addresses that are now somebody else: bytes up to now stay where they are. */
  replace(pairs: Pairs, identity: Identity, pause: () => Promise<void>): Promise<void>
  /** Adds what the kernel holds for all pairs, account by account. */
  contributions(pause: () => Promise<void>): Promise<Map<Account, number>>
  /** Forgets pairs of which no generation has bytes; returns the routes still taken. */
  keep(pairs: Pairs, how: { isLive: (pair: number) => boolean; pause: () => Promise<void> }): Promise<Set<Route>>
  isPending(pair: number): boolean
  /** What was found is not to be booked: of pending pairs it stays behind when they are placed. */
  baseline(pairs: Pairs): void
  /** What was known of the pairs that the first reading will find; undefined once it is over. */
  restore(state: Pick<State, 'addresses' | 'marks'> | undefined): void
  clear(): void
  addressRows(): Generator<AddressRow>
  markRows(pairs: Pairs): Generator<MarkRow>
}

/** Of a pair; `via` is a part of `seen`. */
interface Bytes {
  readonly seen: number
  readonly via: number
}

const PAIRS_BETWEEN_PAUSES = 256
const NOTHING: Bytes = { seen: 0, via: 0 }

interface Parts {
  readonly accounts: Accounts
  readonly decisions: Decisions
  readonly generations: Generations
  readonly routes: Routes
  readonly transit: Transit
  readonly clock: Clock
}

export function createPairBook({ accounts, decisions, generations, routes, transit, clock }: Parts): PairBook {
  const places = createPlaces({ accounts, decisions })
  let taken: (Route | undefined)[] = []
  /** Pending pairs: bytes that are booked elsewhere already. */
  const marks = new Map<number, Bytes>()
  let restoredMarks: State['marks'] | undefined

  function findRoute(pair: number, pairs: Pairs, identity: Identity): Route {
    return routes.routeOf(places.of(pairs.sourceOf(pair), pairs, identity), places.of(pairs.destinationOf(pair), pairs, identity))
  }

  function restoredMark(pair: number, pairs: Pairs): Bytes | undefined {
    const row = restoredMarks?.get(markKeyOf(pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair))))
    return row && { seen: row[2], via: row[3] }
  }

  function routeOf(pair: number, pairs: Pairs, identity: Identity): Route {
    const known = taken[pair]
    if (known) return known
    const route = findRoute(pair, pairs, identity)
    taken[pair] = route
    const mark = restoredMark(pair, pairs)
    if (route.book === 'transit') transit.add(pair, { past: 0, open: mark?.seen ?? 0 })
    if (route.book === 'pending' && mark) marks.set(pair, mark)
    return route
  }

  const bytesOf = (pair: number): Bytes => ({ seen: generations.seenOf(pair), via: generations.viaOf(pair) })

  /** Takes the pair off its route; returns the pending bytes that it takes along. */
  function leave(pair: number, from: Route): Bytes {
    const all = bytesOf(pair)
    if (from.book === 'transit') {
      transit.remove(pair)
      decisions.adjust(accounts.book('pending'), all.seen - all.via)
      for (const account of from.via) decisions.adjust(account, all.via)
      return NOTHING
    }
    const stays = from.book === 'pending' ? (marks.get(pair) ?? NOTHING) : all
    marks.delete(pair)
    const moved = all.seen - stays.seen
    for (const account of from.into) {
      decisions.adjust(account, stays.seen)
      account.value -= moved
    }
    return { seen: moved, via: Math.min(moved, all.via - stays.via) }
  }

  /** Puts the pair on its route with what it takes along; the rest of its bytes is booked already. */
  function enter(pair: number, to: Route, { pairs, moved }: { pairs: Pairs; moved: Bytes }): void {
    const all = bytesOf(pair)
    if (to.book === 'transit') {
      const [restMoved, restAll] = [moved.seen - moved.via, all.seen - all.via]
      bring(to.into, restMoved, restAll)
      if (all.via > 0) bring(routes.openVia(to), moved.via, all.via)
      transit.add(pair, { past: restAll - restMoved, open: 0 })
      decisions.mark(markRowOf(pair, pairs, { seen: transit.leftOf(pair), via: 0 }))
      return
    }
    bring(to.into, moved.seen, all.seen)
    if (to.book === 'pending') mark(pair, pairs, { seen: all.seen - moved.seen, via: all.via - moved.via })
  }

  function bring(into: readonly Account[], moved: number, all: number): void {
    for (const account of into) {
      decisions.adjust(account, moved - all)
      account.value += moved
      if (moved > 0) account.changedMs = clock.monotonic()
    }
  }

  function mark(pair: number, pairs: Pairs, booked: Bytes): void {
    marks.set(pair, booked)
    decisions.mark(markRowOf(pair, pairs, booked))
  }

  function baseline(pairs: Pairs): void {
    for (let pair = 0; pair < taken.length; pair++) if (taken[pair]?.book === 'pending') mark(pair, pairs, bytesOf(pair))
  }

  async function replace(pairs: Pairs, identity: Identity, pause: () => Promise<void>): Promise<void> {
    const changed = await places.follow(identity, pause)
    if (changed.size > 0) await reroute(pairs, identity, { changed, pause })
  }

  async function reroute(
    pairs: Pairs,
    identity: Identity,
    { changed, pause }: { changed: Set<number>; pause: () => Promise<void> },
  ): Promise<void> {
    for (let pair = 0; pair < taken.length; pair++) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      const isChanged = changed.has(pairs.sourceOf(pair)) || changed.has(pairs.destinationOf(pair))
      const from = isChanged ? taken[pair] : undefined
      if (from) move(pair, { from, to: findRoute(pair, pairs, identity) }, pairs)
    }
  }

  function move(pair: number, { from, to }: { from: Route; to: Route }, pairs: Pairs): void {
    if (to === from) return
    const moved = leave(pair, from)
    taken[pair] = to
    enter(pair, to, { pairs, moved })
  }

  async function contributions(pause: () => Promise<void>): Promise<Map<Account, number>> {
    const byRoute = new Map<Route, { into: number; via: number }>()
    for (let pair = 0; pair < taken.length; pair++) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      const route = taken[pair]
      if (!route) continue
      const via = route.book === 'transit' ? generations.viaOf(pair) : 0
      const sums = byRoute.get(route) ?? { into: 0, via: 0 }
      byRoute.set(route, sums)
      sums.into += generations.seenOf(pair) - via
      sums.via += via
    }
    return sumByAccount(byRoute)
  }

  function forget(pair: number, route: Route): void {
    if (route.book === 'transit') transit.remove(pair)
    taken[pair] = undefined
    marks.delete(pair)
  }

  async function keep(
    pairs: Pairs,
    { isLive, pause }: { isLive: (pair: number) => boolean; pause: () => Promise<void> },
  ): Promise<Set<Route>> {
    const used = new Set<Route>()
    const addresses = new Set<number>()
    for (let pair = 0; pair < taken.length; pair++) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      const route = taken[pair]
      if (!route) continue
      if (!isLive(pair)) {
        forget(pair, route)
        continue
      }
      used.add(route)
      addresses.add(pairs.sourceOf(pair)).add(pairs.destinationOf(pair))
    }
    places.keep(addresses)
    return used
  }

  function clear(): void {
    taken = []
    places.clear()
    marks.clear()
    restoredMarks = undefined
  }

  function* markRows(pairs: Pairs): Generator<MarkRow> {
    for (const [pair, booked] of marks) yield markRowOf(pair, pairs, booked)
    for (const [pair, seen] of transit.left()) yield markRowOf(pair, pairs, { seen, via: 0 })
  }

  return {
    routeOf,
    replace,
    contributions,
    keep,
    isPending: (pair) => taken[pair]?.book === 'pending',
    baseline,
    restore: (state) => {
      restoredMarks = state?.marks
      places.restore(state?.addresses)
    },
    clear,
    addressRows: places.rows,
    markRows,
  }
}

function sumByAccount(byRoute: ReadonlyMap<Route, { into: number; via: number }>): Map<Account, number> {
  const sums = new Map<Account, number>()
  const add = (account: Account, bytes: number) => void sums.set(account, (sums.get(account) ?? 0) + bytes)
  for (const [route, { into, via }] of byRoute) {
    for (const account of route.into) add(account, into)
    for (const account of route.via) add(account, via)
  }
  return sums
}

function markRowOf(pair: number, pairs: Pairs, { seen, via }: Bytes): MarkRow {
  return [pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair)), seen, via]
}
