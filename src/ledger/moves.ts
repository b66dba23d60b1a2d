// A pair goes from one route to another: no total moves, and what was pending goes along.
import type { Clock } from '../deps.js'
import type { Pairs } from '../model/flows.js'
import type { Account, Accounts } from './accounts.js'
import type { Decisions } from './draft.js'
import type { Generations } from './generations.js'
import type { Route, Routes } from './routes.js'
import type { MarkRow } from './state.js'
import type { Transit } from './transit.js'

/** Of a pair; `via` is a part of `seen`. */
export interface Bytes {
  readonly seen: number
  readonly via: number
}

export interface Moves {
  /** Returns the new route. */
  move(pair: number, between: { from: Route; to: Route }, pairs: Pairs): Route
  /** What was pending goes to several routes: `shares`, and to `rest` what they leave; what comes from now on to `to`. */
  split(pair: number, from: Route, into: Split): void
  mark(pair: number, pairs: Pairs, booked: Bytes): void
  /** What the kernel holds for it. */
  bytesOf(pair: number): Bytes
  /** Pending pairs: bytes that are booked elsewhere already. */
  readonly marks: Map<number, Bytes>
}

export interface Split {
  readonly shares: readonly { readonly route: Route; readonly bytes: number }[]
  readonly rest: Route
  readonly to: Route
}

export interface MovesParts {
  readonly accounts: Accounts
  readonly decisions: Decisions
  readonly generations: Generations
  readonly routes: Routes
  readonly transit: Transit
  readonly clock: Clock
}

const NOTHING: Bytes = { seen: 0, via: 0 }

export function createMoves({ accounts, decisions, generations, routes, transit, clock }: MovesParts): Moves {
  const marks = new Map<number, Bytes>()

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

  function move(pair: number, { from, to }: { from: Route; to: Route }, pairs: Pairs): Route {
    if (to !== from) enter(pair, to, { pairs, moved: leave(pair, from) })
    return to
  }

  function split(pair: number, from: Route, { shares, rest, to }: Split): void {
    let left = leave(pair, from).seen
    for (const { route, bytes } of shares) {
      bring(route.into, bytes, 0)
      left -= bytes
    }
    bring(rest.into, left, 0)
    bring(to.into, 0, bytesOf(pair).seen)
  }

  return { move, split, mark, bytesOf, marks }
}

export function markRowOf(pair: number, pairs: Pairs, { seen, via }: Bytes): MarkRow {
  return [pairs.addressText(pairs.sourceOf(pair)), pairs.addressText(pairs.destinationOf(pair)), seen, via]
}
