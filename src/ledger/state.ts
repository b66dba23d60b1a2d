// The state file: what the kernel does not know, line by line (lines.ts).
//   5f9c0e31 {"head":{"version":1,"epoch":"8a51...","atMs":1763715600000,...}}
//   77a0b2c4 {"accounts":[["f:0:1:cross_zone",-120,4096,1763715600000,0]]}
//   ...
//   0c4f77aa {"end":true}                      the checkpoint is whole
//   91d2e6ab {"batch":{...}}                   one line per reading that decided something
// A served total is its account's offset plus what the kernel holds for the pairs that lead into the account.
import type { ClockMark } from '../deps.js'
import type { KernelCounters } from '../model/flows.js'
import type { Placement } from '../model.js'
import { type Pause, readLines, renderLine, slices } from '../state/lines.js'
import type { ParsedFile, StateFormat } from '../state/state-files.js'
import type { LastRead } from './last-read.js'

export const VERSION = 1

export const NOTHING_COUNTED: KernelCounters = { observed: 0, tunnel: 0, overflow: 0, viaOverflow: 0 }

/** [id, zone, namespace, kind, name] */
export type OwnerRow = readonly [number, string, string, string, string]
/** [address, owner id, region, external, local, covered, when the pod ended that had it] */
export type AddressRow = readonly [string, number, string, boolean, Placement['local'], Placement['covered'], number?]
/** [key, offset, total, since in ms, 1 = withdrawn, whole units beside it] */
export type AccountRow = readonly [string, number, number, number, 0 | 1, number?]
/** [address, since when its bytes wait, in ms since the machine's start]; of one that waits still. */
export type WaitRow = readonly [string, number]
/** [source, destination, ...]: bytes that are not pending, translated ones among them; of transit, bytes that closed generations have left open. */
export type MarkRow = readonly [string, string, number, number]

/** How things stood at a reading. */
export interface Moment {
  readonly atMs: number
  /** The same, but never before an earlier one, whatever becomes of the clock; absent in what an earlier version wrote. */
  readonly orderMs?: number | undefined
  /** By which clock that is; absent where the machine's start is not known. */
  readonly clock?: ClockMark | undefined
  /** Since when the table had counted without a break. */
  readonly unbrokenSinceMs: number
  readonly counters: KernelCounters
  /** Generations that are not in the offsets yet. */
  readonly live: readonly number[]
  /** Transit bytes booked as elsewhere, in all and of closed generations. */
  readonly settled: number
  readonly closedTransit: number
}

export interface Head extends Moment {
  readonly version: number
  readonly epoch: string
  /** Everything that was ever served is in the totals: nothing came after this line. */
  readonly complete: boolean
  /** Generations that are in the offsets already. */
  readonly closed: readonly number[]
}

export const orderOf = ({ atMs, orderMs }: Pick<Moment, 'atMs' | 'orderMs'>): number => orderMs ?? atMs

/** A state to be written, row by row. */
export interface StateRows {
  readonly head: Head
  readonly owners: Iterable<OwnerRow>
  readonly addresses: Iterable<AddressRow>
  readonly waits?: Iterable<WaitRow>
  readonly accounts: Iterable<AccountRow>
  readonly folded: Iterable<string>
  readonly marks: Iterable<MarkRow>
}

/** A state that was read. */
export interface State {
  head: Head
  owners: OwnerRow[]
  addresses: Map<string, AddressRow>
  /** Also of addresses that wait no longer; absent where none did. */
  waits?: Map<string, number>
  accounts: Map<string, AccountRow>
  folded: Set<string>
  marks: Map<string, MarkRow>
  /** Of the table that the state is of, and no older than the state. */
  lastRead?: LastRead
}

/** The decisions of one reading. `adjust` moves offsets, so that totals stay where they are when a pair leads elsewhere from now on. */
export interface Batch extends Moment {
  readonly owners: readonly OwnerRow[]
  readonly addresses: readonly AddressRow[]
  readonly opened: readonly (readonly [key: string, sinceMs: number])[]
  readonly withdrawn: readonly string[]
  readonly folded: readonly string[]
  readonly waits?: readonly WaitRow[]
  readonly marks: readonly MarkRow[]
  readonly adjust: readonly (readonly [key: string, bytes: number])[]
  /** Absent in what an earlier version wrote. */
  readonly carried?: readonly (readonly [key: string, units: number])[]
}

interface Rows {
  readonly owners?: readonly OwnerRow[]
  readonly addresses?: readonly AddressRow[]
  readonly accounts?: readonly AccountRow[]
  readonly folded?: readonly string[]
  readonly waits?: readonly WaitRow[]
  readonly marks?: readonly MarkRow[]
}

type Line = { readonly head: Head } | { readonly batch: Batch } | ({ readonly end?: true } & Rows)

export const markKeyOf = (source: string, destination: string): string => `${source} ${destination}`

export function* renderState(state: StateRows): Generator<string> {
  yield renderLine({ head: state.head })
  for (const owners of slices(state.owners)) yield renderLine({ owners })
  for (const addresses of slices(state.addresses)) yield renderLine({ addresses })
  for (const waits of slices(state.waits ?? [])) yield renderLine({ waits })
  for (const accounts of slices(state.accounts)) yield renderLine({ accounts })
  for (const folded of slices(state.folded)) yield renderLine({ folded })
  for (const marks of slices(state.marks)) yield renderLine({ marks })
  yield renderLine({ end: true })
}

export const renderBatch = (batch: Batch): string => renderLine({ batch })

/** Damage anywhere, and nothing is to be believed. */
export async function parseState(file: Buffer, pause: Pause): Promise<ParsedFile<State>> {
  const state: State = { head: EMPTY_HEAD, owners: [], addresses: new Map(), accounts: new Map(), folded: new Set(), marks: new Map() }
  let isWhole = false
  const hear = (line: Line): boolean => {
    apply(state, line)
    if ('end' in line) isWhole = true
    // The lines of another version are not known.
    return state.head.version === VERSION
  }
  const { isSound, tornBytes } = await readLines(file, hear, pause)
  return { state: isSound && isWhole ? state : undefined, tornBytes, version: state.head.version }
}

const EMPTY_HEAD: Head = {
  version: 0,
  epoch: '',
  atMs: 0,
  unbrokenSinceMs: 0,
  complete: false,
  closed: [],
  counters: NOTHING_COUNTED,
  live: [],
  settled: 0,
  closedTransit: 0,
}

function apply(state: State, line: Line): void {
  if ('head' in line) state.head = line.head
  else if ('batch' in line) applyBatch(state, line.batch)
  else applyRows(state, line)
}

function applyRows(state: State, rows: Rows): void {
  for (const row of rows.owners ?? []) state.owners.push(row)
  for (const row of rows.addresses ?? []) state.addresses.set(row[0], row)
  for (const row of rows.waits ?? []) applyWait(state, row)
  for (const row of rows.accounts ?? []) state.accounts.set(row[0], row)
  for (const key of rows.folded ?? []) state.folded.add(key)
  for (const row of rows.marks ?? []) state.marks.set(markKeyOf(row[0], row[1]), row)
}

function applyWait(state: State, [address, sinceMs]: WaitRow): void {
  state.waits ??= new Map()
  state.waits.set(address, sinceMs)
}

export function applyBatch(state: State, batch: Batch): void {
  const { atMs, orderMs, clock, unbrokenSinceMs, counters, live, settled, closedTransit } = batch
  state.head = { ...state.head, atMs, orderMs, clock, unbrokenSinceMs, counters, live, settled, closedTransit, complete: false }
  for (const row of batch.owners) state.owners.push(row)
  for (const row of batch.addresses) state.addresses.set(row[0], row)
  for (const row of batch.waits ?? []) applyWait(state, row)
  for (const [key, sinceMs] of batch.opened) state.accounts.set(key, [key, state.accounts.get(key)?.[1] ?? 0, 0, sinceMs, 0])
  for (const [key, bytes] of batch.adjust) {
    const [, offset, , sinceMs, withdrawn, ...units] = state.accounts.get(key) ?? ([key, 0, 0, 0, 0] as AccountRow)
    state.accounts.set(key, [key, offset + bytes, 0, sinceMs, withdrawn, ...units])
  }
  for (const [key, units] of batch.carried ?? []) {
    const [, offset, total, sinceMs, withdrawn] = state.accounts.get(key) ?? [key, 0, 0, 0, 0]
    state.accounts.set(key, [key, offset, total, sinceMs, withdrawn, units])
  }
  for (const key of batch.withdrawn) {
    const [, offset, total, sinceMs] = state.accounts.get(key) ?? [key, 0, 0, 0]
    state.accounts.set(key, [key, offset, total, sinceMs, 1])
  }
  for (const key of batch.folded) state.folded.add(key)
  for (const row of batch.marks) state.marks.set(markKeyOf(row[0], row[1]), row)
}

export const LEDGER_STATE: StateFormat<State> = {
  file: 'ledger.journal',
  version: VERSION,
  parse: parseState,
  resumed: (state) => ({ ...state, head: { ...state.head, complete: false } }),
}
