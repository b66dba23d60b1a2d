// Adds up counters that are not ours and that come and go, such as those of pods, by labels. Diff by raw key first, label second:
//   pod a 900, pod b 100     cart 1000
//   pod a 950, b is gone     cart 1050     by sums it would be 950: a reset, and 950 counted for 50
// A counter's first value is
//   nothing new   where its target is seen for the first time: it was counted before anybody looked
//   all new       where its target was known without it, or it began after the last read
//   all new       where it is less than before, or began anew after the last read: a reset
// What a total depends on is in `take()`, to be written down before the total may be served: so after a crash nothing is counted twice, and
// what was counted meanwhile is added.
import type { Clock } from '../../deps.js'
import type { EventReading, Family, FamilySnapshot, Labels, MarkReading, TotalReading } from '../../model.js'
import { createTotalAccounts } from './accounts.js'
import { createChanges } from './changes.js'
import { type Budget, type Choice, createChoice } from './choice.js'
import { createMarks } from './marks.js'
import type { TotalsRows, TotalsState } from './state.js'
import { createTargets, type Kept, type Target } from './targets.js'

/** A reading with all its labels. */
export interface TotalEntry extends Omit<TotalReading, 'kind' | 'pod'> {
  /**
   * Whether its labels are certain, or may still turn out to be others: then what is new waits, and is posted to these if nobody says more.
   * `nobody`: it counts what is counted elsewhere.
   */
  readonly whose: 'certain' | 'waiting' | 'nobody'
}

type Valued = TotalEntry & { readonly value: number }

export interface TotalsOptions {
  readonly idleMs: number
  readonly families: readonly Family[]
  /** For how long new series are 0; `zeroFirst` of a family is beside it. */
  readonly zeroFirstMs?: number
  /** Of families of events whose names may be too many. */
  readonly budgets?: readonly Budget[]
}

/** What a source has counted itself. */
export interface Counted {
  readonly events: readonly EventReading[]
  readonly marks: readonly MarkReading[]
}

export interface Totals {
  /** All that a source said in a read that began at `atMs`. Returns how many of its counters began anew. */
  post(source: string, entries: readonly TotalEntry[], atMs: number): number
  /** Together with `post`. */
  count(source: string, counted: Counted): void
  marksOf(source: string): ReadonlyMap<string, string>
  /** When its last read began, in ms. */
  readMsOf(source: string): number | undefined
  /** The same, with a rest after each few. Until it is done nothing may be served or written down. */
  posting(source: string, entries: readonly TotalEntry[], atMs: number): Generator<undefined, number, undefined>
  /** What was decided since the last call; undefined when nothing was. */
  take(): TotalsRows | undefined
  /** The whole state. */
  rows(): TotalsRows
  /** `zeroFirst`: as a scraper is to see new series. */
  families(options?: { readonly zeroFirst?: boolean }): readonly FamilySnapshot[]
}

const MAX_SWEEP_EVERY_MS = 60_000
const SECOND_MS = 1_000
const REST_AFTER = 200
/** Of one target, whatever it says: those that come once it has so many are passed over. */
const MAX_SERIES = 20_000

export function createTotals(options: TotalsOptions, { clock }: { readonly clock: Clock }, restored?: TotalsState): Totals {
  const { idleMs, zeroFirstMs = 0, families, budgets = [] } = options
  const changes = createChanges()
  const byName = new Map(families.map((family) => [family.name, family]))
  const accounts = createTotalAccounts({ clock, changes, idleMs, zeroFirstMs, families: byName })
  const targets = createTargets({ clock, changes, families: byName })
  const reads = new Map<string, number>()
  const sweptMs = new Map<string, number>()
  const marks = createMarks(changes)
  const choices = new Map<string, Choice>()

  if (restored) {
    for (const [source, atMs] of restored.reads.values()) reads.set(source, atMs)
    accounts.restore(restored)
    targets.restore(restored)
    marks.restore(restored)
  }

  function choiceOf(source: string, family: Family): Choice | undefined {
    const key = JSON.stringify([source, family.name])
    const budget = budgets.find((one) => one.family === family)
    const choice = choices.get(key) ?? (budget && createChoice({ source, budget, accounts, clock }))
    if (choice) choices.set(key, choice)
    return choice
  }

  function postEvents(source: string, family: Family, events: readonly EventReading[]): void {
    const choice = choiceOf(source, family)
    if (choice) choice.post(events)
    else for (const event of events) accounts.add(accounts.of(source, event), event.count)
  }

  /** After the last read: so it was at zero then. Starts are said in whole seconds, rounded down. */
  function isBorn(source: string, startedMs: number | undefined): boolean {
    const lastMs = reads.get(source)
    return startedMs !== undefined && lastMs !== undefined && startedMs >= Math.floor(lastMs / SECOND_MS) * SECOND_MS
  }

  function isAnew(source: string, { last, startedMs: before }: Kept, { value, startedMs }: Valued): boolean {
    return value < last || (before !== undefined && startedMs !== undefined && startedMs > before && isBorn(source, startedMs))
  }

  function postOne(source: string, entry: TotalEntry, isKnown: boolean): boolean {
    const wasZero = isKnown || isBorn(source, entry.startedMs)
    // What is there without a value is known only where it is certain that it was at zero.
    if (entry.value === undefined && !wasZero) return false
    const target = targets.open(source, entry.target)
    if (entry.value === undefined) return false
    const kept = targets.seriesOf(target, entry.family, entry.series)
    if (!kept && target.series.size >= MAX_SERIES) return false
    if (entry.whose !== 'nobody') return postValue(target, entry as Valued, { kept, wasZero })
    if (kept) targets.dropSeries(target, kept)
    return false
  }

  /** Returns whether it is a reset. */
  function postValue(
    target: Target,
    entry: Valued,
    { kept, wasZero }: { readonly kept: Kept | undefined; readonly wasZero: boolean },
  ): boolean {
    const { source } = target
    const { value, startedMs } = entry
    const isReset = kept !== undefined && isAnew(source, kept, entry)
    const before = isReset ? 0 : (kept?.last ?? (wasZero ? 0 : value))
    const now = targets.keep(target, { family: entry.family, key: entry.series, last: value, startedMs, isReset, known: kept })
    settle(source, now, { entry, amount: value - before })
    return isReset
  }

  function settle(source: string, kept: Kept, { entry, amount }: { readonly entry: TotalEntry; readonly amount: number }): void {
    const { family, labels, part, whose } = entry
    if (whose === 'waiting') {
      targets.hold(kept, { amount: amount + (kept.held?.amount ?? 0), family, labels, part })
      return
    }
    const all = amount + (kept.held?.amount ?? 0)
    if (!isLed(kept, labels) && (all > 0 || family.limit === undefined)) {
      kept.account = accounts.of(source, entry)
      kept.labels = labels
    }
    if (kept.account) accounts.add(kept.account, all)
    targets.release(kept)
  }

  /**
   * Nothing is looked up where it has the labels that it had the last time. Of families with a limit a series is opened by its first bytes, and what
   * is folded is admitted as soon as there is room.
   */
  const isLed = ({ account, labels: before }: Kept, labels: Labels): boolean =>
    account?.isOpen === true && !account.isFold && before === labels

  /** What nobody has said more of is posted as it is. */
  function forget(target: Target): void {
    for (const { held } of target.series.values()) if (held && held.amount > 0) accounts.add(accounts.of(target.source, held), held.amount)
    targets.drop(target)
  }

  function sweep(source: string): void {
    const nowMs = clock.monotonic()
    if (nowMs - (sweptMs.get(source) ?? Number.NEGATIVE_INFINITY) < Math.min(idleMs, MAX_SWEEP_EVERY_MS)) return
    sweptMs.set(source, nowMs)
    accounts.sweep(source, new Set(targets.accounts(source)))
  }

  function* posting(source: string, entries: readonly TotalEntry[], atMs: number): Generator<undefined, number, undefined> {
    const known = new Set([...targets.of(source)].map(({ name }) => name))
    let resets = 0
    for (const [index, entry] of entries.entries()) {
      if (postOne(source, entry, known.has(entry.target))) resets++
      if (index % REST_AFTER === REST_AFTER - 1) yield
    }
    for (const target of targets.missing(source, new Set(entries.map(({ target }) => target)))) forget(target)
    sweep(source)
    reads.set(source, atMs)
    changes.put('reads', [source, atMs])
    return resets
  }

  return {
    posting,
    post(source, entries, atMs) {
      const all = posting(source, entries, atMs)
      for (;;) {
        const step = all.next()
        if (step.done) return step.value
      }
    },
    count(source, counted) {
      for (const family of new Set(counted.events.map((event) => event.family)))
        postEvents(
          source,
          family,
          counted.events.filter((event) => event.family === family),
        )
      for (const { name, value } of counted.marks) marks.put(source, name, value)
    },
    marksOf: marks.of,
    readMsOf: (source) => reads.get(source),
    take: changes.take,
    rows: () => ({ reads, ...accounts.rows(), ...targets.rows(), marks: marks.rows() }),
    families: accounts.families,
  }
}
