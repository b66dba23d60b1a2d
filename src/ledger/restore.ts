// Accounts out of a state and into one.
import type { Clock } from '../deps.js'
import type { FlowReading } from '../model.js'
import type { Account, Accounts } from './accounts.js'
import type { AccountRow, State } from './state.js'

/** `offset`: the kernel's part will be added. `total`: the kernel's part is gone. `none`: what was served is not known. */
export type Column = 'offset' | 'total' | 'none'

/** The gap is whole in its offset, since no pair leads into it: it is kept in every case. */
const GAP = 'b:gapMs'

export function restoreAccounts(state: State, { accounts, column, clock }: { accounts: Accounts; column: Column; clock: Clock }): void {
  for (const [id, zone, namespace, kind, name] of state.owners) accounts.restoreOwner({ id, zone, namespace, kind, name })
  for (const [key, offset, total, sinceMs, withdrawn] of state.accounts.values()) {
    if (column === 'none' && key !== GAP) continue
    const account = accounts.byKey(key, sinceMs)
    account.value = column === 'offset' || key === GAP ? offset : total
    account.withdrawn = withdrawn === 1
    account.openedMs = clock.monotonic() - ageOf(sinceMs, clock)
  }
}

/** A clock that was set back says nothing of age: then the series is old, since what was served must not fall back to 0. */
function ageOf(sinceMs: number, clock: Clock): number {
  const ageMs = clock.now() - sinceMs
  return ageMs >= 0 ? ageMs : Number.POSITIVE_INFINITY
}

export function* accountRows(accounts: Accounts, held: ReadonlyMap<Account, number>): Generator<AccountRow> {
  for (const all of [accounts.flows, accounts.zones, accounts.books])
    for (const account of all.values()) {
      const { key, value, sinceMs, withdrawn } = account
      yield [key, value - (held.get(account) ?? 0), value, sinceMs, withdrawn ? 1 : 0]
    }
}

/** The state knows this table: its epoch, and every generation that it had not yet closed is still there. */
export function isContinued({ head }: State, reading: FlowReading): boolean {
  const present = new Set(reading.generations.map(({ id }) => id))
  return head.epoch === reading.epoch && head.live.every((id) => present.has(id))
}
