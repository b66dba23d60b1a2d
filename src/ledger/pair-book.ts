// Which route each pair takes, and what happens when that changes.
import type { Pairs } from '../model/flows.js'
import type { Stretch } from '../model.js'
import type { Account } from './accounts.js'
import { contributionsOf } from './contributions.js'
import { type Bytes, createMoves, type MovesParts, markRowOf } from './moves.js'
import { type CameThen, createPending } from './pending.js'
import type { Phantoms } from './phantoms.js'
import { createPlaces, type PlacementDuring, type PlacementOf } from './places.js'
import type { Placed, Route } from './routes.js'
import type { AddressRow, MarkRow, State, WaitRow } from './state.js'
import { markKeyOf } from './state.js'
import { type Between, createTellApart, type Path } from './telling-apart.js'
import { type Arrivals, createWaited } from './waited.js'

export interface PairBook {
  /** The pair's route, decided at first sight. */
  routeOf(pair: number, pairs: Pairs, placementOf: PlacementOf): Route
  /**
   * Before a reading is posted: its bytes are of those who had the addresses since the last one. Transit waits for `replace`, since bytes
   * on their way between the hooks would lose theirs.
   */
  lookBack(pairs: Pairs, looking: LookingBack, pause: () => Promise<void>): Promise<boolean>
  /** After a reading: what is pending of it came in this time; undefined where that is not known. */
  noteWaiting(stretch: Stretch | undefined, pause: () => Promise<void>): Promise<void>
  /** What waits had waited in the process before, where it is known when it came; all else came in `rest`. Both of its ends may be others since. */
  recallWaiting(cameThen: CameThen, rest: Stretch, pause: () => Promise<void>): Promise<void>
  /** What waits, by when it came. */
  arrivals(): Generator<Arrivals>
  /** Addresses that are now somebody else: bytes up to now stay where they are. Both resolve with whether a pair took another route. */
  replace(pairs: Pairs, placementOf: PlacementOf, pause: () => Promise<void>): Promise<boolean>
  /** Adds what the kernel holds for all pairs, account by account. */
  contributions(pause: () => Promise<void>): Promise<Map<Account, number>>
  /** Forgets pairs of which no generation has bytes; returns the routes still taken. */
  keep(pairs: Pairs, how: { isLive: (pair: number) => boolean; pause: () => Promise<void> }): Promise<Set<Route>>
  isPending(pair: number): boolean
  /** What was found is not to be booked: of pending pairs it stays behind when they are placed. */
  baseline(pairs: Pairs): void
  /** What was known of the pairs that the first reading will find; undefined once it is over. */
  restore(state: Pick<State, 'addresses' | 'waits' | 'marks'> | undefined): void
  /** What was found of the table until then was of those who were restored; who has the addresses since has to be asked. */
  doubtRestored(): void
  /** Of a phantom pair: when the pod ended that it still goes to. */
  endedMsOf(pair: number, pairs: Pairs): number | undefined
  /** Undefined where no pair of it is known. */
  textOf(address: number): string | undefined
  clear(): void
  addressRows(): { readonly addresses: Generator<AddressRow>; readonly waits: Generator<WaitRow> }
  markRows(pairs: Pairs): Generator<MarkRow>
  /** Some addresses were placed for one reading only. */
  readonly hasAmbiguous: boolean
}

export interface LookingBack {
  readonly placementOf: PlacementOf
  readonly placementDuring: PlacementDuring
  /** Since the last reading. */
  readonly stretch: Stretch
}

const PAIRS_BETWEEN_PAUSES = 256

interface Rerouting {
  readonly placementOf: PlacementOf
  readonly changed: ReadonlySet<number>
  readonly pause: () => Promise<void>
  readonly back?: LookingBack
}

export function createPairBook(parts: MovesParts & { readonly phantoms: Phantoms }): PairBook {
  const { generations, routes, transit } = parts
  const places = createPlaces(parts)
  const moves = createMoves(parts)
  const { marks } = moves
  const waited = createWaited()
  const tellApart = createTellApart({ ...parts, waited, moves })
  let taken: (Route | undefined)[] = []
  const pending = createPending({ waited, marks, generations, routes: () => taken })
  let restoredMarks: State['marks'] | undefined
  /** Addresses whose transit was left behind by `lookBack`. */
  const waiting = new Set<number>()

  function findRoute(pair: number, pairs: Pairs, placementOf: PlacementOf): Route {
    return routes.routeOf(places.of(pairs.sourceOf(pair), pairs, placementOf), places.of(pairs.destinationOf(pair), pairs, placementOf))
  }

  function restoredMark(pair: number, pairs: Pairs): Bytes | undefined {
    const row = restoredMarks?.get(markKeyOf(pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair))))
    return row && { seen: row[2], via: row[3] }
  }

  function routeOf(pair: number, pairs: Pairs, placementOf: PlacementOf): Route {
    const known = taken[pair]
    if (known) return known
    const route = findRoute(pair, pairs, placementOf)
    taken[pair] = route
    const mark = restoredMark(pair, pairs)
    if (route.book === 'transit') transit.add(pair, { past: 0, open: mark?.seen ?? 0 })
    if (route.book === 'pending' && mark) marks.set(pair, mark)
    return route
  }

  function baseline(pairs: Pairs): void {
    transit.baseline()
    for (let pair = 0; pair < taken.length; pair++) if (taken[pair]?.book === 'pending') moves.mark(pair, pairs, moves.bytesOf(pair))
  }

  async function lookBack(pairs: Pairs, back: LookingBack, pause: () => Promise<void>): Promise<boolean> {
    const { placementOf } = back
    const changed = await places.follow(placementOf, pause)
    for (const address of changed) waiting.add(address)
    return reroute(pairs, { placementOf, changed, pause, back })
  }

  async function replace(pairs: Pairs, placementOf: PlacementOf, pause: () => Promise<void>): Promise<boolean> {
    const changed = await places.follow(placementOf, pause)
    const hasMoved = await reroute(pairs, { placementOf, changed: new Set([...waiting, ...changed]), pause })
    waiting.clear()
    return hasMoved
  }

  async function reroute(pairs: Pairs, rerouting: Rerouting): Promise<boolean> {
    const { changed, pause } = rerouting
    let hasMoved = false
    if (changed.size === 0) return hasMoved
    for (let pair = 0; pair < taken.length; pair++) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      if (!changed.has(pairs.sourceOf(pair)) && !changed.has(pairs.destinationOf(pair))) continue
      const between = rerouteOne(pair, pairs, rerouting)
      hasMoved ||= between !== undefined && between.from !== between.to
    }
    return hasMoved
  }

  /** Transit stays, where it is looked back; nothing changes for it. */
  function rerouteOne(pair: number, pairs: Pairs, { placementOf, back }: Rerouting): Between | undefined {
    const between = betweenOf(pair, pairs, placementOf)
    if (!between || (back && isTransit(between))) return undefined
    const apart = back && tellApart(pair, between, { pathIn: (stretch) => pathIn(pair, pairs, { stretch, back }), latest: back.stretch })
    const to = apart ?? moves.move(pair, between, pairs)
    waited.turn(pair, to.book === 'pending')
    taken[pair] = to
    return { from: between.from, to }
  }

  function pathIn(pair: number, pairs: Pairs, { stretch, back }: { stretch: Stretch; back: LookingBack }): Path {
    const [source, destination] = [pairs.sourceOf(pair), pairs.destinationOf(pair)].map((address) =>
      places.during(address, stretch, back.placementDuring),
    ) as [Placed, Placed]
    return { route: routes.routeOf(source, destination), endedMs: destination.placement.endedMs }
  }

  function betweenOf(pair: number, pairs: Pairs, placementOf: PlacementOf): Between | undefined {
    const from = taken[pair]
    return from && { from, to: findRoute(pair, pairs, placementOf) }
  }

  function forget(pair: number, route: Route): void {
    if (route.book === 'transit') transit.remove(pair)
    taken[pair] = undefined
    marks.delete(pair)
    waited.drop(pair)
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
    waiting.clear()
    waited.clear()
    restoredMarks = undefined
  }

  function* markRows(pairs: Pairs): Generator<MarkRow> {
    for (const [pair, booked] of marks) yield markRowOf(pair, pairs, booked)
    for (const [pair, seen] of transit.left()) yield markRowOf(pair, pairs, { seen, via: 0 })
  }

  return {
    routeOf,
    lookBack,
    noteWaiting: pending.note,
    recallWaiting: pending.recall,
    arrivals: waited.arrivals,
    replace,
    contributions: (pause) => contributionsOf(taken, generations, pause),
    keep,
    isPending: (pair) => taken[pair]?.book === 'pending',
    baseline,
    restore: (state) => {
      restoredMarks = state?.marks
      places.restore(state)
    },
    doubtRestored: places.doubtRestored,
    endedMsOf: (pair, pairs) => places.endedMsOf(pairs.destinationOf(pair)),
    textOf: places.textOf,
    clear,
    addressRows: () => ({ addresses: places.rows(), waits: places.waitRows() }),
    markRows,
    get hasAmbiguous() {
      return places.hasAmbiguous
    },
  }
}

const isTransit = ({ from, to }: Between): boolean => from.book === 'transit' || to.book === 'transit'
