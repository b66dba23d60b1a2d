// What the totals of others are added up under: one account for each family and labels of a source.
import type { Clock } from '../../deps.js'
import type { Family, FamilySnapshot, Labels, Series, TotalReading } from '../../model.js'
import type { Changes } from './changes.js'
import { histogramsOf } from './histograms.js'
import { parsePart, type TotalsState, type TotalsTables } from './state.js'

export interface TotalAccount extends Series {
  readonly id: number
  readonly source: string
  readonly family: Family
  /** Of a histogram, whose parts have an account each. */
  readonly part: TotalReading['part']
  value: number
  sinceMs: number
  /** By the monotonic clock: when something was last added. */
  changedMs: number
  /** The same; of the process before: long ago. */
  readonly openedMs: number
  /** Not withdrawn. */
  isOpen: boolean
  /** Of `_other`. */
  readonly isFold: boolean
}

/** What an account is of. */
export type Posted = Pick<TotalReading, 'family' | 'labels' | 'part'>

export interface TotalAccounts {
  /** Opened at 0 where there is none. Where its family has no room for one more, that of `_other`. */
  of(source: string, posted: Posted): TotalAccount
  add(account: TotalAccount, amount: number): void
  ofFamily(source: string, family: Family): Iterable<TotalAccount>
  withdraw(account: TotalAccount): void
  /** Withdraws those of a source that nothing leads into and nothing was added to for long: should they come back, they begin at 0. */
  sweep(source: string, used: ReadonlySet<TotalAccount>): void
  restore(state: Pick<TotalsState, 'accounts' | 'sums'>): void
  rows(): { readonly accounts: Iterable<TotalsTables['accounts']>; readonly sums: Iterable<TotalsTables['sums']> }
  /** `zeroFirst`: new series are 0 for a while. */
  families(options?: { readonly zeroFirst?: boolean }): readonly FamilySnapshot[]
}

interface Parts {
  readonly clock: Clock
  readonly changes: Changes
  /** All there may be: what a state says of others is dropped. */
  readonly families: ReadonlyMap<string, Family>
  readonly idleMs: number
  /** For how long new series are 0. */
  readonly zeroFirstMs: number
}

/** Of families of which alerts look for the first: two scrapes, which are 30 s apart at most. */
const ZERO_FIRST_MS = 60_000

export function createTotalAccounts({ clock, changes, families, idleMs, zeroFirstMs }: Parts): TotalAccounts {
  const accounts = new Map<string, TotalAccount>()
  /** By family, without those of `_other`. */
  const counts = new Map<Family, number>()
  let lastId = 0

  function count({ family, isFold }: Pick<TotalAccount, 'family' | 'isFold'>, by: 1 | -1): void {
    if (!isFold) counts.set(family, (counts.get(family) ?? 0) + by)
  }

  function open(
    account: Omit<TotalAccount, 'changedMs' | 'openedMs' | 'isOpen' | 'isFold'>,
    openedMs = Number.NEGATIVE_INFINITY,
  ): TotalAccount {
    const opened = {
      ...account,
      openedMs,
      labels: Object.freeze(account.labels),
      changedMs: clock.monotonic(),
      isOpen: true,
      isFold: isFolded(account),
    }
    accounts.set(keyOf(account), opened)
    count(opened, 1)
    lastId = Math.max(lastId, account.id)
    return opened
  }

  function withdraw(account: TotalAccount): void {
    account.isOpen = false
    accounts.delete(keyOf(account))
    count(account, -1)
    changes.drop('accounts', account.id)
    changes.drop('sums', account.id)
  }

  function of(source: string, { family, labels, part }: Posted): TotalAccount {
    const known = accounts.get(keyOf({ source, family, labels, part }))
    if (known) return known
    const isFull = family.limit !== undefined && (counts.get(family) ?? 0) >= family.limit
    if (isFull && !isFolded({ family, labels })) return of(source, { family, labels: foldedOf(labels), part })
    const opened = open({ id: lastId + 1, source, family, labels, part, value: 0, sinceMs: clock.now() }, clock.monotonic())
    changes.put('accounts', rowOf(opened))
    return opened
  }

  /** As it is to be seen: a rate sees nothing of what the first sample has. */
  function fromZero(account: TotalAccount): TotalAccount {
    const untilMs = account.openedMs + Math.max(zeroFirstMs, account.family.zeroFirst ? ZERO_FIRST_MS : 0)
    return clock.monotonic() < untilMs ? { ...account, value: 0 } : account
  }

  return {
    of,
    withdraw,
    ofFamily: (source, family) => [...accounts.values()].filter((account) => account.source === source && account.family === family),
    add(account, amount) {
      if (amount <= 0) return
      account.value += amount
      account.changedMs = clock.monotonic()
      changes.put('sums', [account.id, account.value])
    },
    sweep(source, used) {
      const nowMs = clock.monotonic()
      // Where there is not room for all, a counter that stands still is no reason to keep it.
      const isInUse = (account: TotalAccount): boolean =>
        (account.family.limit === undefined && used.has(account)) || nowMs - account.changedMs < idleMs
      const own = [...accounts.values()].filter((account) => account.source === source)
      const idle = own.filter((account) => !isInUse(account))
      if (idle.length === 0) return
      // A histogram goes as a whole: without one bucket the counts of those after it would fall.
      const stay = new Set(own.filter((account) => account.part !== undefined && isInUse(account)).map(seriesKeyOf))
      for (const account of idle) if (account.part === undefined || !stay.has(seriesKeyOf(account))) withdraw(account)
    },
    restore(state) {
      for (const [id, source, name, labels, sinceMs, part] of state.accounts.values()) {
        const family = families.get(name)
        lastId = Math.max(lastId, id)
        // Another version may have had other labels.
        if (family && Object.keys(labels).join() === family.labels.join())
          open({ id, source, family, labels, part: parsePart(part), value: state.sums.get(id)?.[1] ?? 0, sinceMs })
      }
    },
    rows: () => ({
      accounts: [...accounts.values()].map(rowOf),
      sums: [...accounts.values()].map(({ id, value }) => [id, value] as const),
    }),
    families({ zeroFirst = true } = {}) {
      const byFamily = new Map<Family, TotalAccount[]>()
      for (const account of accounts.values()) {
        const seen = zeroFirst ? fromZero(account) : account
        const series = byFamily.get(account.family)
        if (series) series.push(seen)
        else byFamily.set(account.family, [seen])
      }
      return [...byFamily].map(([family, series]) => ({ family, series: family.kind === 'histogram' ? histogramsOf(series) : series }))
    },
  }
}

const OTHER = '_other'
const isOfOwner = (label: string): boolean => label.startsWith('owner_')
const isFolded = ({ family, labels }: Pick<Posted, 'family' | 'labels'>): boolean =>
  family.limit !== undefined && family.labels.every((label) => isOfOwner(label) || labels[label] === OTHER)

const foldedOf = (labels: Labels): Labels =>
  Object.fromEntries(Object.keys(labels).map((label) => [label, isOfOwner(label) ? (labels[label] ?? '') : OTHER]))

type Named = Pick<TotalAccount, 'source' | 'family' | 'labels'>

/** Never a joined string: label values may hold any separator. */
export const seriesKeyOf = ({ source, family, labels }: Named): string =>
  JSON.stringify([source, family.name, ...family.labels.map((label) => labels[label])])

const keyOf = (account: Named & Pick<TotalAccount, 'part'>): string => `${account.part ?? ''} ${seriesKeyOf(account)}`

const rowOf = ({ id, source, family, labels, sinceMs, part }: TotalAccount): TotalsTables['accounts'] => {
  const row = [id, source, family.name, labels, sinceMs] as const
  return part === undefined ? row : [...row, String(part)]
}
