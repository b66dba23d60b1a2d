// Adds up what the kernel counted. A served total is a pure function of (state file, kernel):
//   total(account) = offset(account) + the kernel's bytes of all pairs whose route leads into the account
// Where a pair's route changes, offsets move the other way, so that no total moves:
//   before  cart -> stock 900 (pair 900)                    offset cart 0
//   after   cart -> stock 900, web -> stock 0 (pair 900)    offset cart +900, offset web -900; the next 50 bytes are web's
// Everything that a total depends on is in `take()`, to be written down before the total may be served.
import type { Clock, Log } from '../deps.js'
import type { FlowReading, GenerationReading, KernelCounters, Pairs } from '../model/flows.js'
import type { Identity } from '../model.js'
import { createPauses } from '../pauses.js'
import { type Accounts, createAccounts, gapsInto } from './accounts.js'
import { createAdmission } from './admission.js'
import { createClosing } from './closing.js'
import { createDecisions } from './draft.js'
import { createGenerations } from './generations.js'
import { renderLastRead } from './last-read.js'
import { createPairBook } from './pair-book.js'
import { createPhantoms, type Phantoms } from './phantoms.js'
import type { PlacementOf } from './places.js'
import { createReplay } from './replay.js'
import { accountRows, type Column, evenOut, giveUpPending, isContinued, isUnbroken, restoreAccounts, unservedMs } from './restore.js'
import { createRoutes } from './routes.js'
import { startOf } from './set-back.js'
import { type Moment, NOTHING_COUNTED, orderOf, type State, type StateRows, VERSION } from './state.js'
import { createTally } from './tally.js'
import { createTransit } from './transit.js'
import { createUpkeep } from './upkeep.js'
import { createWriting, type Decided } from './writing.js'

export interface LedgerOptions {
  readonly limit: number
  readonly idleMs: number
}

export interface Ledger {
  /** A new kernel table with this epoch is about to be made; write the state down before it is. */
  announce(epoch: string): void
  post(reading: FlowReading, identity: Identity): Promise<void>
  take(): Decided
  /** The whole state. `complete`: nothing will be served after it. */
  state(options?: { readonly complete?: boolean }): Promise<StateRows>
  /** What was read of the kernel, to be written down before decisions are. Empty where nothing was. */
  lastRead(holderOf?: Identity['holderOf']): Promise<readonly Uint8Array[]>
  /** Generations that are in the offsets: once the state is durable the kernel may drop them. */
  releasable(): readonly number[]
  readonly accounts: Accounts
  readonly phantoms: Phantoms
  /** Until a table was read or announced nothing is known: not what was served before, and so not what to serve. */
  readonly hasBegun: boolean
  /** What the table held at first belongs to totals that are not known here. */
  readonly hasStartedOver: boolean
  readonly served: number
  /** Bytes seen leaving the node since this process began. */
  readonly leaving: number
}

export function createLedger(options: LedgerOptions, deps: { clock: Clock; log: Log }, restored?: State): Ledger {
  const { clock, log } = deps
  const decisions = createDecisions()
  const accounts = createAccounts({ clock, onOwner: decisions.owner })
  const admission = createAdmission({ accounts, decisions, limit: options.limit, clock, beganMs: () => beganMs })
  const generations = createGenerations()
  const transit = createTransit(generations)
  const routes = createRoutes({ accounts, admission })
  const phantoms = createPhantoms(clock)
  const book = createPairBook({ accounts, decisions, generations, routes, transit, phantoms, clock })
  const pauses = createPauses(clock)
  const writing = createWriting({ decisions, clock })
  const closing = createClosing({ accounts, admission, book, generations, routes, transit, pauses })
  const upkeep = createUpkeep({ accounts, admission, book, decisions, routes, pauses, clock, idleMs: options.idleMs })
  const tally = createTally({ accounts, book, decisions, generations, routes, transit, pauses, phantoms, clock, log })
  const replay = createReplay({ book, tally, pauses })

  let past: State | undefined = restored
  let epoch = ''
  let counters: KernelCounters = NOTHING_COUNTED
  let closed = new Set<number>()
  let live: readonly number[] = []
  let last: FlowReading | undefined
  let leaving = 0
  let hasStartedOver = false
  let atMs = clock.now()
  let orderMs = restored ? orderOf(restored.lastRead ?? restored.head) : 0
  /** When the last reading began: what it did not find came later. */
  let readAtMs = restored?.head.atMs ?? 0
  /** When that was, to the millisecond: by this process, or by the one before and written down. */
  let wasRead = false
  /** What the reading that is posted now has more than the one before came after this, or a clock that was set back does not say after when. */
  let beganMs = clock.now()
  let unbrokenSinceMs = 0
  let identityVersion = -1

  const addGap = gapsInto({ accounts, decisions })

  function restore(state: State, column: Column): void {
    restoreAccounts(state, { accounts, column })
    admission.restore(column === 'offset' ? state.folded : [])
    if (column !== 'offset') return
    book.restore(state)
    transit.restore({ settled: state.head.settled, closed: state.head.closedTransit })
    closed = new Set(state.head.closed)
  }

  /** Kernel counts start over: totals stay, what was pending can no longer be placed. */
  function leaveEpoch(): void {
    giveUpPending(accounts)
    evenOut(accounts)
    generations.clear()
    routes.clear()
    book.clear()
    transit.clear()
    counters = NOTHING_COUNTED
    closed = new Set()
    live = []
  }

  function announce(next: string): void {
    if (past) {
      // A total that is behind what was served would be taken for a reset and counted twice: then better start over.
      restore(past, past.head.complete ? 'total' : 'none')
      addGap(clock.now() - past.head.atMs)
      past = undefined
    }
    leaveEpoch()
    epoch = next
    readAtMs = clock.now()
    writing.demandCheckpoint()
  }

  /** Returns whether what the table holds by now is not to be posted, because it may have been posted before. */
  function begin(reading: FlowReading): boolean {
    const state = past
    past = undefined
    if (epoch === reading.epoch) {
      addGap(reading.gapMs)
      return false
    }
    writing.demandCheckpoint()
    epoch = reading.epoch
    if (state && isContinued(state, reading)) {
      restore(state, 'offset')
      replay.restore(state)
      // Told by what was written down: a clock that was set meanwhile says nothing.
      if (!isUnbroken(state, reading)) addGap(reading.unbrokenSinceMs - state.head.atMs)
      return false
    }
    if (state) restore(state, 'none')
    leaveEpoch()
    readAtMs = reading.epochStartMs
    const gapMs = unservedMs(state, reading)
    addGap(gapMs)
    hasStartedOver = true
    const gap = { gap_s: Math.round(gapMs / 1000) }
    log.warn(`${state ? 'state does not belong to' : 'no state for'} the kernel table: totals start over`, gap)
    return true
  }

  async function post(reading: FlowReading, identity: Identity): Promise<void> {
    last = reading
    const isBaseline = begin(reading)
    const open = reading.generations.filter(({ id }) => !closed.has(id))
    wasRead ||= replay.sinceMs !== undefined
    const toMs = clock.now()
    const sinceMs = startOf(replay.sinceMs ?? readAtMs, toMs)
    beganMs = sinceMs || toMs
    const placementOf: PlacementOf = (address, before) => identity.placeSince(address, before, sinceMs)
    const stretch = { fromMs: sinceMs, toMs }
    const context = { pairs: reading.pairs, placementOf, isBaseline, stretch: wasRead ? stretch : undefined }
    leaving += await replay.post(open, identity, context)
    const back = { placementOf, placementDuring: identity.placeDuring, stretch }
    if (identity.version !== identityVersion && (await book.lookBack(reading.pairs, back, pauses.pause))) writing.moved()
    for (const generation of open) leaving += await tally.seen(generation, context)
    for (const generation of open) await tally.translated(generation, context)
    counters = tally.counters(reading.counters, { before: counters, isBaseline })
    book.restore(undefined)
    if (isBaseline) book.baseline(reading.pairs)
    await followIdentity(reading.pairs, identity)
    await tally.settle()
    if (accounts.book('pending').value > 0) await book.noteWaiting(context.stretch, pauses.pause)
    wasRead = true
    await upkeep.sweep()
    await closeGenerations(open, reading.pairs)
    closed = new Set([...closed].filter((id) => reading.generations.some((generation) => generation.id === id)))
    live = reading.generations.map(({ id }) => id).filter((id) => !closed.has(id))
    atMs = clock.now()
    orderMs = Math.max(atMs, orderMs + 1)
    readAtMs = reading.atMs
    unbrokenSinceMs = reading.unbrokenSinceMs
  }

  async function followIdentity(pairs: Pairs, identity: Identity): Promise<void> {
    if (identity.version === identityVersion && !book.hasAmbiguous) return
    identityVersion = identity.version
    admission.openZones(identity.zones)
    if (await book.replace(pairs, identity.place, pauses.pause)) writing.moved()
  }

  async function closeGenerations(all: readonly GenerationReading[], pairs: Pairs): Promise<void> {
    for (const generation of all) {
      if (!generation.closed || !(await closing.close(generation, pairs))) continue
      closed.add(generation.id)
      writing.demandCheckpoint()
    }
  }

  function moment(): Moment {
    const { settled, closed: closedTransit } = transit.totals
    return { atMs, orderMs, clock: clock.settings?.mark(), unbrokenSinceMs, counters, live, settled, closedTransit }
  }

  async function state({ complete = false }: { readonly complete?: boolean } = {}): Promise<StateRows> {
    const held = await book.contributions(pauses.pause)
    for (const name of ['observed', 'tunnel', 'overflow'] as const) held.set(accounts.book(name), counters[name])
    return {
      head: { version: VERSION, epoch, complete, closed: [...closed], ...moment() },
      owners: accounts.owners(),
      ...book.addressRows(),
      accounts: accountRows(accounts, held),
      folded: admission.folded,
      marks: last ? book.markRows(last.pairs) : [],
    }
  }

  return {
    announce,
    post,
    take: () => writing.take(moment()),
    lastRead(holderOf) {
      if (!last) return Promise.resolve([])
      const parts = { pairs: last.pairs, textOf: book.textOf, holderOf, waiting: book.arrivals(), pause: pauses.pause }
      return renderLastRead({ epoch, atMs, orderMs, readAtMs, clock: clock.settings?.mark() }, last.generations, parts)
    },
    state,
    releasable: () => [...closed],
    accounts,
    phantoms,
    get hasBegun() {
      return epoch !== ''
    },
    get hasStartedOver() {
      return hasStartedOver
    },
    get served() {
      return admission.served
    },
    get leaving() {
      return leaving
    },
  }
}
