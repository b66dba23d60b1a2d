// The books, and what stands of them on disk: a decision is written down before anything that depends on it is served.
import type { Config } from '../config/fields.js'
import type { Clock, Deps, Disk } from '../deps.js'
import { createCoverage } from '../ledger/coverage.js'
import { createJournal } from '../ledger/journal.js'
import { createLedger, type Ledger } from '../ledger/ledger.js'
import { isPending } from '../ledger/posting.js'
import { pricesOf } from '../ledger/price.js'
import { byClockOfNow } from '../ledger/set-back.js'
import { snapshotOf } from '../ledger/snapshot.js'
import type { AddressRow, State } from '../ledger/state.js'
import type { FlowReading } from '../model/flows.js'
import type { Identity, LeftOff, Snapshot } from '../model.js'
import { isSameBoot } from '../set-clock.js'

export interface PostingParts {
  readonly config: Pick<Config, 'series' | 'price'>
  readonly identity: Identity
  /** Asked once: without flows there is no state. */
  readonly keepsState: () => boolean
  /** Addresses change hands while no agent runs. */
  readonly keepsLastRead: boolean
  readonly release: (generations: readonly number[]) => Promise<void>
}

export type PostingDeps = Pick<Deps, 'clock' | 'log'> & { readonly disk: Disk }

export interface Posting {
  /** What the process before knew; all others do so first where it was not done yet. */
  load(): Promise<void>
  /** The table is made only after its epoch is on disk: so a kill between the two loses nothing. */
  announce(epoch: string): Promise<void>
  post(reading: FlowReading): Promise<void>
  /** A last time. False when the state does not say all that was ever served. */
  close(): Promise<boolean>
  /** `atMs`: when it was read. `zeroFirst`: as a scraper is to see new series. */
  snapshot(atMs: number, options?: { readonly zeroFirst?: boolean }): Promise<Snapshot>
  readonly writable: boolean
  readonly hasStartedOver: boolean
  /** What the process before wrote down last; undefined where there was none. */
  readonly leftOff: LeftOff | undefined
}

export function createPosting({ config, identity, keepsState, keepsLastRead, release }: PostingParts, deps: PostingDeps): Posting {
  const { clock, log } = deps
  const { limit, idleMs, zeroFirstMs } = config.series
  const journal = createJournal(deps)
  const coverage = createCoverage()
  const snapshotOptions = { limit, zeroFirstMs, prices: pricesOf(config.price) }
  let ledger: Ledger | undefined
  let leftOff: LeftOff | undefined

  async function loadLedger(): Promise<Ledger> {
    if (ledger) return ledger
    const read = await (keepsState() ? journal.load() : undefined)
    const past = read?.lastRead?.clock ?? read?.head.clock
    if (past) clock.settings?.resume(past)
    const state = read && clock.settings ? byClockOfNow(read, clock.settings.byNow) : read
    leftOff = withWaited(leftOffIn(state, clock.now()), state, clock)
    ledger = createLedger({ limit, idleMs }, deps, state)
    return ledger
  }

  /** What cannot be dropped now is asked for again after the next read; it costs room, no bytes. */
  async function drop(generations: readonly number[]): Promise<void> {
    if (generations.length === 0) return
    try {
      await release(generations)
    } catch (error) {
      log.warn('kernel sets that were read to their end could not be dropped yet', { error: String(error) })
    }
  }

  return {
    async load() {
      await loadLedger()
    },
    async announce(epoch) {
      const book = await loadLedger()
      book.announce(epoch)
      await journal.checkpoint(await book.state({ complete: true }))
    },
    async post(reading) {
      const book = await loadLedger()
      await book.post(reading, identity)
      coverage.add(clock.monotonic(), book.leaving, reading.egress)
      if (keepsLastRead) await journal.keep(await book.lastRead(identity.holderOf))
      const isDurable = await journal.write(book.take(), () => book.state())
      if (isDurable) await drop(book.releasable())
    },
    async close() {
      if (!ledger?.hasBegun) return false
      return journal.checkpoint(await ledger.state({ complete: true }), { sync: true })
    },
    async snapshot(atMs, { zeroFirst = true } = {}) {
      const seen = zeroFirst ? snapshotOptions : { ...snapshotOptions, zeroFirstMs: 0 }
      return snapshotOf(await loadLedger(), seen, { atMs, monotonicMs: clock.monotonic(), coverage: coverage.ratio })
    },
    get writable() {
      return journal.writable
    },
    get hasStartedOver() {
      return ledger?.hasStartedOver ?? false
    },
    get leftOff() {
      return leftOff
    },
  }
}

/** A table outlives no boot, nor does what waits in it: of another one it says nothing for how long. */
function withWaited(leftOff: LeftOff | undefined, state: State | undefined, { settings }: Pick<Clock, 'settings'>): LeftOff | undefined {
  const [past, here] = [state?.head.clock, settings?.mark()]
  if (!leftOff || !state?.waits || !past || !here || !isSameBoot(past, here)) return leftOff
  const { atMs: nowMs } = here
  const waiting = [...state.waits].filter(([address]) => isWaiting(state.addresses.get(address)))
  return { ...leftOff, waited: new Map(waiting.map(([address, sinceMs]) => [address, Math.max(0, nowMs - sinceMs)])) }
}

function isWaiting(row: AddressRow | undefined): boolean {
  if (!row) return false
  const [, , , , local, covered] = row
  return isPending({ local, covered })
}

/** Without what is of the ledger only, and large. Of a table of which no reading is written down nothing is known since the state. */
function leftOffIn(state: State | undefined, nowMs: number): LeftOff | undefined {
  if (!state || state.head.epoch === '') return undefined
  const atMs = Math.min(state.head.atMs, nowMs)
  if (!state.lastRead) return { readAtMs: atMs, atMs, addresses: [...state.addresses.keys()], had: () => undefined }
  const { readAtMs, atMs: postedMs, addresses, had } = state.lastRead
  // A clock that was set back, and nobody knows by how much: when that was cannot be told.
  return { readAtMs, atMs: Math.min(postedMs, nowMs), addresses, had: postedMs <= nowMs ? had : () => undefined }
}
