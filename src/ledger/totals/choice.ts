// Which names of a family have series of their own, where there may be more names than series: those that occur most, of late. The others are
// posted under `_other`. A name that is chosen begins at 0 and takes what comes from then on, so each event is in one series: with a limit of 1,
//   cart 3, stock 1     cart 3, _other 1
//   stock 9             cart is withdrawn: stock 9, _other 1
// Names without a series are counted as Space-Saving does (Metwally, Agrawal, El Abbadi 2005): a bounded number, each with how much of its
// count may be of others. What is left without a doubt must be twice that of the weakest one that has a series, so that two do not take turns.
import type { Clock } from '../../deps.js'
import type { EventReading, Family } from '../../model.js'
import type { TotalAccount, TotalAccounts } from './accounts.js'
import { createScores } from './scores.js'

/** How many names of a family are served. */
export interface Budget {
  readonly family: Family
  readonly limit: number
  /** The labels that are a name. */
  readonly name: readonly string[]
}

export interface Choice {
  post(events: readonly EventReading[]): void
}

interface Parts {
  readonly source: string
  readonly budget: Budget
  readonly accounts: TotalAccounts
  readonly clock: Pick<Clock, 'monotonic'>
}

interface Candidate {
  readonly count: number
  /** How much of it may be of names that had this place before. */
  readonly doubt: number
}

const OTHER = '_other'
const CANDIDATES_FOR_EACH = 4
const CLEARLY_MORE = 2
/** What happened counts half after this time. */
const HALVED_EVERY_MS = 600_000

export function createChoice({ source, budget, accounts, clock }: Parts): Choice {
  const { family, limit, name } = budget
  const scores = createScores<number>((score) => score)
  const candidates = createScores<Candidate>(({ count }) => count)
  let halvedMs = clock.monotonic()

  const nameOf = ({ labels }: Pick<EventReading, 'labels'>): string => JSON.stringify(name.map((label) => labels[label]))
  const other = Object.fromEntries(name.map((label) => [label, OTHER]))
  const otherName = nameOf({ labels: other })

  /** By name, those that have a series. */
  function served(): Map<string, TotalAccount[]> {
    const found = new Map<string, TotalAccount[]>()
    for (const account of accounts.ofFamily(source, family)) {
      const key = nameOf(account)
      if (key !== otherName) found.set(key, [...(found.get(key) ?? []), account])
    }
    return found
  }

  /** One of the process before is worth what it has. */
  function follow(present: ReadonlyMap<string, readonly TotalAccount[]>): void {
    for (const key of [...scores.keys()]) if (!present.has(key)) scores.delete(key)
    for (const [key, own] of present) if (scores.get(key) === undefined) scores.set(key, totalOf(own))
  }

  function halve(): void {
    const nowMs = clock.monotonic()
    while (nowMs - halvedMs >= HALVED_EVERY_MS) {
      halvedMs += HALVED_EVERY_MS
      scores.changeAll((score) => score / 2)
      candidates.changeAll(({ count, doubt }) => ({ count: count / 2, doubt: doubt / 2 }))
    }
  }

  function candidateOf(key: string, count: number): Candidate {
    const known = candidates.get(key) ?? placeFor()
    const candidate = { count: known.count + count, doubt: known.doubt }
    candidates.set(key, candidate)
    return candidate
  }

  /** Where there is none left, that of the one with the least. */
  function placeFor(): Candidate {
    if (candidates.size < limit * CANDIDATES_FOR_EACH) return { count: 0, doubt: 0 }
    const least = candidates.least()
    if (least) candidates.delete(least[0])
    const count = least?.[1].count ?? 0
    return { count, doubt: count }
  }

  /** Of one that has no series. */
  function judge(key: string, count: number, present: ReadonlyMap<string, readonly TotalAccount[]>): void {
    if (scores.size < limit) {
      scores.set(key, count)
      return
    }
    const candidate = candidateOf(key, count)
    const [weak, least] = scores.least() ?? ['', Number.POSITIVE_INFINITY]
    const sure = candidate.count - candidate.doubt
    if (sure <= least * CLEARLY_MORE) return
    scores.delete(weak)
    for (const account of present.get(weak) ?? []) accounts.withdraw(account)
    candidates.delete(key)
    scores.set(key, sure)
  }

  /** All, before any is posted: what one that loses its series has in these events is in no series then. First those that have one. */
  function judgeAll(counts: ReadonlyMap<string, number>): void {
    const present = served()
    follow(present)
    const byCount = [...counts].sort(([, a], [, b]) => b - a)
    for (const [key, count] of byCount) if (present.has(key)) scores.set(key, (scores.get(key) ?? 0) + count)
    for (const [key, count] of byCount) if (!present.has(key)) judge(key, count, present)
  }

  return {
    post(events) {
      halve()
      const counts = new Map<string, number>()
      const named = events.map((event) => [nameOf(event), event] as const)
      for (const [key, { count }] of named) counts.set(key, (counts.get(key) ?? 0) + count)
      judgeAll(counts)
      for (const [key, event] of named) {
        const labels = scores.get(key) !== undefined ? event.labels : { ...event.labels, ...other }
        accounts.add(accounts.of(source, { family, labels }), event.count)
      }
    },
  }
}

const totalOf = (accounts: readonly TotalAccount[]): number => accounts.reduce((sum, { value }) => sum + value, 0)
