// Which route each pair takes, and what happens when that changes.
import type { Identity, Known, Pairs, Placement, Who } from '../model.js'
import type { Account, Accounts } from './accounts.js'
import type { Decisions } from './draft.js'
import { addressRowOf } from './draft.js'
import type { Generations } from './generations.js'
import type { Placed, Route, Routes } from './routes.js'
import type { AddressRow, MarkRow, State } from './state.js'
import { markKeyOf } from './state.js'
import type { Transit } from './transit.js'

export interface PairBook {
  /** The pair's route, decided at first sight. */
  routeOf(pair: number, pairs: Pairs, identity: Identity): Route
  /** Addresses that are now somebody else: bytes up to now stay where they are. */
  replace(pairs: Pairs, identity: Identity, pause: () => Promise<void>): Promise<void>
  /** Adds what the kernel holds for all pairs, account by account. */
  contributions(): Map<Account, number>
  /** Forgets pairs of which no generation has bytes; returns the routes still taken. */
  keep(pairs: Pairs, isLive: (pair: number) => boolean): Set<Route>
  isPending(pair: number): boolean
  restore(state: Pick<State, 'addresses' | 'marks'> | undefined): void
  clear(): void
  addressRows(): Generator<AddressRow>
  markRows(pairs: Pairs): Generator<MarkRow>
}

interface Parts {
  readonly accounts: Accounts
  readonly decisions: Decisions
  readonly generations: Generations
  readonly routes: Routes
  readonly transit: Transit
}

export function createPairBook({ accounts, decisions, generations, routes, transit }: Parts): PairBook {
  let taken: (Route | undefined)[] = []
  let placed: (Placed | undefined)[] = []
  /** Pending pairs: bytes that are booked elsewhere already. */
  const marks = new Map<number, number>()
  let restored: Pick<State, 'addresses' | 'marks'> | undefined

  function decide(text: string, placement: Placement): Placed {
    const owner = accounts.ownerOf(placement.who)
    const { local, covered } = placement
    decisions.address(addressRowOf(text, owner, { region: placement.who.region, external: placement.who.external, local, covered }))
    return { text, placement, owner }
  }

  function restoredPlace([text, ownerId, region, external, local, covered]: AddressRow): Placed {
    const owner = accounts.owner(ownerId)
    const { zone, namespace, kind, name } = owner
    const who: Who = { zone, region, namespace, kind, name, external }
    return { text, placement: { who, local: local as Known, covered: covered as Known }, owner }
  }

  function placedOf(address: number, pairs: Pairs, identity: Identity): Placed {
    const known = placed[address]
    if (known) return known
    const text = pairs.addressText(address)
    const row = restored?.addresses.get(text)
    const place = row ? restoredPlace(row) : decide(text, identity.place(text))
    placed[address] = place
    return place
  }

  function findRoute(pair: number, pairs: Pairs, identity: Identity): Route {
    return routes.routeOf(placedOf(pairs.sourceOf(pair), pairs, identity), placedOf(pairs.destinationOf(pair), pairs, identity))
  }

  function restoreMark(pair: number, pairs: Pairs): void {
    const row = restored?.marks.get(markKeyOf(pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair))))
    if (row) marks.set(pair, row[2])
  }

  function routeOf(pair: number, pairs: Pairs, identity: Identity): Route {
    const known = taken[pair]
    if (known) return known
    const route = findRoute(pair, pairs, identity)
    taken[pair] = route
    if (route.book === 'transit') transit.add(pair, 0)
    if (route.book === 'pending') restoreMark(pair, pairs)
    return route
  }

  /** Takes the pair off its route; returns the pending bytes that it takes along. */
  function leave(pair: number, from: Route): number {
    const seen = generations.seenOf(pair)
    const via = generations.viaOf(pair)
    if (from.book === 'transit') {
      transit.remove(pair)
      decisions.adjust(accounts.book('pending'), seen - via)
      for (const account of from.via) decisions.adjust(account, via)
      return 0
    }
    const stays = from.book === 'pending' ? (marks.get(pair) ?? 0) : seen
    marks.delete(pair)
    for (const account of from.into) {
      decisions.adjust(account, stays)
      account.value -= seen - stays
    }
    return seen - stays
  }

  function enter(pair: number, to: Route, { pairs, moved }: { pairs: Pairs; moved: number }): void {
    const seen = generations.seenOf(pair)
    for (const account of to.into) {
      decisions.adjust(account, moved - seen)
      account.value += moved
    }
    if (to.book !== 'pending') return
    marks.set(pair, seen - moved)
    decisions.mark([pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair)), seen - moved])
  }

  /** A pair that waited from its first byte on brings its translated bytes along; of any other they are booked already. */
  function enterTransit(pair: number, to: Route, moved: number): void {
    const seen = generations.seenOf(pair)
    const via = generations.viaOf(pair)
    const isWhole = moved === seen
    const pending = isWhole ? moved - via : moved
    const pendingAccount = accounts.book('pending')
    pendingAccount.value += pending
    decisions.adjust(pendingAccount, pending - (seen - via))
    transit.add(pair, seen - via - pending)
    if (via === 0) return
    for (const account of routes.openVia(to)) {
      if (isWhole) account.value += via
      else decisions.adjust(account, -via)
    }
  }

  async function replace(pairs: Pairs, identity: Identity, pause: () => Promise<void>): Promise<void> {
    const changed = new Set<number>()
    for (let address = 0; address < placed.length; address++) {
      if (address % 1024 === 1023) await pause()
      const before = placed[address]
      const placement = before && identity.place(before.text)
      if (!placement || isSamePlacement(before.placement, placement)) continue
      placed[address] = decide(before.text, placement)
      changed.add(address)
    }
    if (changed.size > 0) await reroute(pairs, identity, { changed, pause })
  }

  async function reroute(
    pairs: Pairs,
    identity: Identity,
    { changed, pause }: { changed: Set<number>; pause: () => Promise<void> },
  ): Promise<void> {
    for (let pair = 0; pair < taken.length; pair++) {
      if (pair % 1024 === 1023) await pause()
      const isChanged = changed.has(pairs.sourceOf(pair)) || changed.has(pairs.destinationOf(pair))
      const from = isChanged ? taken[pair] : undefined
      if (from) move(pair, { from, to: findRoute(pair, pairs, identity) }, pairs)
    }
  }

  function move(pair: number, { from, to }: { from: Route; to: Route }, pairs: Pairs): void {
    if (to === from) return
    const moved = leave(pair, from)
    taken[pair] = to
    if (to.book === 'transit') enterTransit(pair, to, moved)
    else enter(pair, to, { pairs, moved })
  }

  function contributions(): Map<Account, number> {
    const byRoute = new Map<Route, { into: number; via: number }>()
    for (let pair = 0; pair < taken.length; pair++) {
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

  function keep(pairs: Pairs, isLive: (pair: number) => boolean): Set<Route> {
    const used = new Set<Route>()
    const addresses = new Set<number>()
    for (let pair = 0; pair < taken.length; pair++) {
      const route = taken[pair]
      if (!route) continue
      if (!isLive(pair)) {
        forget(pair, route)
        continue
      }
      used.add(route)
      addresses.add(pairs.sourceOf(pair)).add(pairs.destinationOf(pair))
    }
    for (let address = 0; address < placed.length; address++) if (!addresses.has(address)) placed[address] = undefined
    return used
  }

  function clear(): void {
    taken = []
    placed = []
    marks.clear()
    restored = undefined
  }

  function* addressRows(): Generator<AddressRow> {
    for (const place of placed) if (place) yield rowOf(place)
  }

  function* markRows(pairs: Pairs): Generator<MarkRow> {
    for (const [pair, bytes] of marks) yield [pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair)), bytes]
  }

  return {
    routeOf,
    replace,
    contributions,
    keep,
    isPending: (pair) => taken[pair]?.book === 'pending',
    restore: (state) => {
      restored = state
    },
    clear,
    addressRows,
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

function rowOf({ text, owner, placement }: Placed): AddressRow {
  const { who, local, covered } = placement
  return addressRowOf(text, owner, { region: who.region, external: who.external, local, covered })
}

function isSamePlacement(a: Placement, b: Placement): boolean {
  return a === b || (a.local === b.local && a.covered === b.covered && isSameWho(a.who, b.who))
}

function isSameWho(a: Who, b: Who): boolean {
  if (a === b) return true
  const keys = ['zone', 'region', 'namespace', 'kind', 'name', 'external'] as const
  return keys.every((key) => a[key] === b[key])
}
