// Totals without end: a number adds up exactly to 2^53 bytes only, which 100 Gbit/s are in eight days. Beyond it each sum would be rounded, the books
// would drift apart, and a total that is added up anew after a restart could fall, which Prometheus takes for a reset. So what is whole units of an
// account is counted apart, and only what is served is rounded: to what a number can hold, and never down again.
import type { Series } from '../model.js'
import type { Account, Accounts } from './accounts.js'
import type { Decisions } from './draft.js'

/** Some of them and a reading add up exactly. */
export const UNIT = 2 ** 50

export function carry(all: Pick<Accounts, 'flows' | 'zones' | 'books'>, decisions: Pick<Decisions, 'adjust' | 'carried'>): void {
  for (const accounts of [all.flows, all.zones, all.books])
    for (const account of accounts.values()) {
      const units = Math.floor(account.value / UNIT)
      if (units < 1) continue
      account.value -= units * UNIT
      account.units += units
      decisions.adjust(account, -units * UNIT)
      decisions.carried(account)
    }
}

export const totalOf = ({ units, value }: Pick<Account, 'units' | 'value'>): number => units * UNIT + value

/** As it is served. */
export const seriesOf = (account: Account): Series =>
  account.units === 0 ? account : { labels: account.labels, value: totalOf(account), sinceMs: account.sinceMs }

/** What a total is beside the kernel's part of it. A counter of the kernel may be above 2^53: then up to what a number can hold, so that none falls. */
export function offsetOf(total: number, held: number): number {
  const offset = total - held
  return offset + held >= total ? offset : offset + Math.abs(offset) * 2 ** -52
}

const PARTS = ['posted', 'elsewhere', 'tunnel', 'multicast', 'overflow', 'pending']

/** What was observed less what the other books hold, to the byte. */
export function differenceIn({ book }: Pick<Accounts, 'book'>): number {
  const less = (of: (account: Account) => number): number => PARTS.reduce((left, name) => left - of(book(name)), of(book('observed')))
  return less(({ units }) => units) * UNIT + less(({ value }) => value)
}
