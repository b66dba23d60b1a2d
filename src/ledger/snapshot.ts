// The ledger as others see it: families with their series, and the books.
import type { Books, FamilySnapshot, Scope, Series, Snapshot } from '../model.js'
import { type Account, isPhantom } from './accounts.js'
import { differenceIn, seriesOf, totalOf } from './carry.js'
import {
  bookFamilies,
  booksDifference,
  coverageRatio,
  flowBytes,
  gapSeconds,
  pendingBytes,
  phantomBytes,
  phantomWindow,
  price,
  series,
  seriesFolded,
  seriesLimit,
  zoneBytes,
} from './families.js'
import type { Ledger } from './ledger.js'

export interface SnapshotOptions {
  readonly limit: number
  /** A series is served at 0 for this long, so that a rate sees its first bytes. */
  readonly zeroFirstMs: number
  readonly prices: Readonly<Partial<Record<Scope, number>>>
}

export function snapshotOf(
  ledger: Ledger,
  options: SnapshotOptions,
  now: { atMs: number; monotonicMs: number; coverage: number | undefined },
): Snapshot {
  const { accounts } = ledger
  const value = (name: string): number => totalOf(accounts.book(name))
  const books = { ...booksOf(value), difference: differenceIn(accounts) }
  const prices = { family: price, series: Object.entries(options.prices).map(([scope, value]) => ({ labels: { scope }, value })) }
  // Totals at 0 that were more before the start would be read as a reset, and all that was ever counted as new afterwards.
  if (!ledger.hasBegun) return { atMs: now.atMs, books, families: [prices] }
  const served = (isWanted: (account: Account) => boolean): Iterable<Series> => ({
    [Symbol.iterator]: () => limitedSeries(accounts.flows.values(), { isWanted, zeroSinceMs: now.monotonicMs - options.zeroFirstMs }),
  })
  const bookSnapshots = Object.entries(bookFamilies).map(([name, family]) => ({ family, series: one(value(name)) }))
  const families: readonly FamilySnapshot[] = [
    { family: flowBytes, series: served((account) => !isPhantom(account)) },
    { family: zoneBytes, series: { [Symbol.iterator]: () => zonesOf(accounts) } },
    { family: phantomBytes, series: served(isPhantom) },
    { family: phantomWindow, series: [...ledger.phantoms.windows(now.atMs)] },
    ...bookSnapshots,
    { family: pendingBytes, series: one(books.pending) },
    { family: booksDifference, series: one(books.difference) },
    { family: gapSeconds, series: one(value('gapMs') / 1000) },
    { family: coverageRatio, series: now.coverage === undefined ? [] : one(now.coverage) },
    { family: series, series: one(ledger.served) },
    { family: seriesLimit, series: one(options.limit) },
    { family: seriesFolded, series: one(foldedBytes(accounts.flows.values())) },
    prices,
  ]
  return { atMs: now.atMs, books, families }
}

const one = (value: number): readonly Series[] => [{ labels: {}, value }]

function booksOf(value: (name: string) => number): Books {
  const [observed, posted, elsewhere, tunnel] = [value('observed'), value('posted'), value('elsewhere'), value('tunnel')]
  return { observed, posted, elsewhere, tunnel, multicast: value('multicast'), overflow: value('overflow'), pending: value('pending') }
}

interface Limited {
  readonly isWanted: (account: Account) => boolean
  readonly zeroSinceMs: number
}

function* limitedSeries(accounts: Iterable<Account>, { isWanted, zeroSinceMs }: Limited): Generator<Series> {
  for (const account of accounts) {
    if (account.withdrawn || !isWanted(account)) continue
    if (account.openedMs <= zeroSinceMs) yield seriesOf(account)
    else yield { labels: account.labels, value: 0, sinceMs: account.sinceMs }
  }
}

function* zonesOf({ zones }: Pick<Ledger['accounts'], 'zones'>): Generator<Series> {
  for (const account of zones.values()) yield seriesOf(account)
}

function foldedBytes(accounts: Iterable<Account>): number {
  let bytes = 0
  for (const account of accounts) if (account.kind === 'fold' && !isPhantom(account)) bytes += totalOf(account)
  return bytes
}
