// Accounts out of a state and into one.
import type { FlowReading } from '../model/flows.js'
import type { Account, Accounts } from './accounts.js'
import { differenceIn, offsetOf } from './carry.js'
import type { AccountRow, State } from './state.js'

/** `offset`: the kernel's part will be added. `total`: the kernel's part is gone. `none`: what was served is not known. */
export type Column = 'offset' | 'total' | 'none'

/** The gap is whole in its offset, since no pair leads into it: it is kept in every case. */
const GAP = 'b:gapMs'

export function restoreAccounts(state: State, { accounts, column }: { accounts: Accounts; column: Column }): void {
  for (const [id, zone, namespace, kind, name] of state.owners) accounts.restoreOwner({ id, zone, namespace, kind, name })
  for (const [key, offset, total, sinceMs, withdrawn, units = 0] of state.accounts.values()) {
    if (column === 'none' && key !== GAP) continue
    const account = accounts.byKey(key, sinceMs)
    account.value = column === 'offset' || key === GAP ? offset : total
    account.units = units
    account.withdrawn = withdrawn === 1
    // Served before: it must not be served at 0 again, and a clock that was set back does not say for how long it was.
    account.openedMs = Number.NEGATIVE_INFINITY
  }
}

export function* accountRows(accounts: Accounts, held: ReadonlyMap<Account, number>): Generator<AccountRow> {
  for (const all of [accounts.flows, accounts.zones, accounts.books])
    for (const account of all.values()) {
      const { key, value, sinceMs, withdrawn, units } = account
      const row = [key, offsetOf(value, held.get(account) ?? 0), value, sinceMs, withdrawn ? 1 : 0] as const
      yield units === 0 ? row : [...row, units]
    }
}

/** It has counted without a break since before the state was written. Marks of a table keep whole seconds. */
export const isUnbroken = ({ head }: State, { unbrokenSinceMs }: FlowReading): boolean =>
  secondsOf(head.unbrokenSinceMs) === secondsOf(unbrokenSinceMs)

const secondsOf = (ms: number): number => Math.floor(ms / 1000)

/** The state knows this table: its epoch, every generation that it had not yet closed, and nobody has reset what it counts. */
export function isContinued({ head }: State, reading: FlowReading): boolean {
  const present = new Set(reading.generations.map(({ id }) => id))
  const names = ['observed', 'tunnel', 'overflow', 'viaOverflow'] as const
  const isReset = names.some((name) => reading.counters[name] < head.counters[name])
  return head.epoch === reading.epoch && head.live.every((id) => present.has(id)) && !isReset
}

/** For how long the table has counted what is not posted. The state of another table does not say until when this one's bytes were served. */
export function unservedMs(state: State | undefined, { epoch, epochStartMs, atMs }: FlowReading): number {
  const servedMs = state?.head.atMs ?? Number.POSITIVE_INFINITY
  return atMs - (state?.head.epoch === epoch ? servedMs : Math.min(epochStartMs, servedMs))
}

/** It can no longer be placed. */
export function giveUpPending(accounts: Accounts): void {
  const pending = accounts.book('pending')
  for (const book of ['elsewhere', 'handover'].map(accounts.book)) {
    book.value += pending.value
    book.units += pending.units
  }
  pending.value = pending.units = 0
}

/** Pairs are read after what was observed, and so may be ahead of it. With the table gone no later reading makes up for that. */
export function evenOut(accounts: Accounts): void {
  accounts.book('observed').value += Math.max(0, -differenceIn(accounts))
}
