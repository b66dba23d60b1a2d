// Adds the bytes that are new since the reading before to the accounts that the pairs' routes lead into.
import type { Clock, Log } from '../deps.js'
import type { GenerationReading, KernelCounters, Pairs } from '../model/flows.js'
import type { Stretch } from '../model.js'
import type { Pauses } from '../pauses.js'
import type { Account, Accounts } from './accounts.js'
import type { Decisions } from './draft.js'
import type { Generations } from './generations.js'
import { grown } from './generations.js'
import type { PairBook } from './pair-book.js'
import type { Phantoms } from './phantoms.js'
import type { PlacementOf } from './places.js'
import type { Route, Routes } from './routes.js'
import type { Transit } from './transit.js'

export interface Context {
  readonly pairs: Pairs
  readonly placementOf: PlacementOf
  /** What the table holds is taken note of and not posted. */
  readonly isBaseline: boolean
  /** When its bytes came; undefined where that is not known. */
  readonly stretch: Stretch | undefined
}

export interface Tally {
  /** What was seen; returns the bytes among it that left the node. */
  seen(reading: GenerationReading, context: Context): Promise<number>
  /** What of it was translated: after what was seen in all generations. */
  translated(reading: GenerationReading, context: Context): Promise<void>
  /** Transit that was certainly not translated is elsewhere. */
  settle(): Promise<void>
  counters(now: KernelCounters, options: { readonly before: KernelCounters; readonly isBaseline: boolean }): KernelCounters
}

interface Parts {
  readonly accounts: Accounts
  readonly book: PairBook
  readonly decisions: Decisions
  readonly generations: Generations
  readonly routes: Routes
  readonly transit: Transit
  readonly pauses: Pauses
  readonly phantoms: Phantoms
  readonly clock: Clock
  readonly log: Log
}

interface Translated {
  readonly pair: number
  /** Since the reading before. */
  readonly bytes: number
}

/** Of a pair that is new: whose it is, and which series it opens, takes some ten microseconds. */
const ROWS_BETWEEN_PAUSES = 64

export function createTally(parts: Parts): Tally {
  const { accounts, book, decisions, generations, routes, transit, pauses, phantoms, clock, log } = parts

  async function seen(reading: GenerationReading, context: Context): Promise<number> {
    const columns = generations.columnsOf(reading.id, context.pairs.size)
    const nowMs = clock.monotonic()
    const { count, pair, bytes } = reading.seen
    let leaving = 0
    for (let row = 0; row < count; row++) {
      if (row % ROWS_BETWEEN_PAUSES === 0) await pauses.pause()
      const id = pair[row] as number
      const route = book.routeOf(id, context.pairs, context.placementOf)
      const fresh = Math.max(0, (bytes[row] as number) - (columns.seen[id] as number))
      columns.seen[id] = (columns.seen[id] as number) + fresh
      if (fresh === 0 || context.isBaseline) continue
      if (route.leaves) leaving += fresh
      post(route.into, fresh, nowMs)
      if (route.phantom) notePhantom(route, id, context)
    }
    return leaving
  }

  const notePhantom = (route: Route, pair: number, { pairs, stretch }: Context): void =>
    phantoms.note(route, { endedMs: book.endedMsOf(pair, pairs), sinceMs: stretch?.fromMs })

  async function translated({ id: generation, via: { count, pair, bytes } }: GenerationReading, context: Context): Promise<void> {
    if (count === 0) return
    const columns = generations.columnsOf(generation, context.pairs.size)
    columns.via = grown(columns.via, context.pairs.size)
    for (let row = 0; row < count; row++) {
      if (row % ROWS_BETWEEN_PAUSES === 0) await pauses.pause()
      const id = pair[row] as number
      const more = (bytes[row] as number) - (columns.via[id] as number)
      columns.via[id] = (columns.via[id] as number) + translatedOne({ pair: id, bytes: more }, context)
    }
  }

  /** Returns how much of it is taken note of. */
  function translatedOne({ pair, bytes }: Translated, context: Context): number {
    const route = book.routeOf(pair, context.pairs, context.placementOf)
    const isTransit = route.book === 'transit'
    // A pair that found no room in its set is in overflow; its translated bytes are not to be posted beside that.
    const fresh = Math.max(0, isTransit && !context.isBaseline ? Math.min(bytes, transit.openOf(pair)) : bytes)
    if (isTransit && fresh > 0) postTranslated(route, { pair, bytes: fresh }, context)
    return fresh
  }

  function postTranslated(route: Route, { pair, bytes }: Translated, context: Context): void {
    const into = routes.openVia(route)
    if (context.isBaseline) return
    post(into, bytes, clock.monotonic())
    accounts.book('pending').value -= bytes
    if (route.phantom) notePhantom(route, pair, context)
  }

  function counters(now: KernelCounters, { before, isBaseline }: { before: KernelCounters; isBaseline: boolean }): KernelCounters {
    const missed = now.viaOverflow - before.viaOverflow
    if (missed > 0) log.warn('translated transit found no room in its set: read as elsewhere', { bytes: missed })
    if (isBaseline) return now
    for (const name of ['observed', 'tunnel', 'overflow'] as const) accounts.book(name).value += now[name] - before[name]
    return now
  }

  async function settle(): Promise<void> {
    const bytes = await transit.settle(pauses.pause)
    if (bytes === 0) return
    accounts.book('elsewhere').value += bytes
    accounts.book('pending').value -= bytes
    decisions.adjust(accounts.book('elsewhere'), bytes)
    decisions.adjust(accounts.book('pending'), -bytes)
  }

  return { seen, translated, settle, counters }
}

function post(into: readonly Account[], bytes: number, nowMs: number): void {
  for (const account of into) {
    account.value += bytes
    account.changedMs = nowMs
  }
}
