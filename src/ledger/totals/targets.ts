// What keeps counters that are not ours, and what each of them said last.
import type { Clock } from '../../deps.js'
import type { Family, Labels } from '../../model.js'
import type { Posted, TotalAccount } from './accounts.js'
import type { Changes } from './changes.js'
import { parsePart, type TotalsState, type TotalsTables } from './state.js'

/** What is new and waits for its owner; its labels if nobody says more. */
export interface Held extends Posted {
  readonly amount: number
}

/** One counter. */
export interface Kept {
  readonly id: number
  /** Family and name within the target. */
  readonly key: string
  last: number
  startedMs: number | undefined
  held: Held | undefined
  /** Where it leads to; undefined since the restart, and while it waits. */
  account: TotalAccount | undefined
  /** Those by which that was found. */
  labels: Labels | undefined
}

export interface Target {
  readonly id: number
  readonly source: string
  readonly name: string
  readonly series: Map<string, Kept>
  /** By the monotonic clock: when a read first lacked it. */
  goneMs: number | undefined
}

export interface Said {
  readonly family: Family
  readonly key: string
  readonly last: number
  readonly startedMs: number | undefined
  readonly isReset: boolean
  /** As `seriesOf` found it. */
  readonly known: Kept | undefined
}

export interface Targets {
  of(source: string): Iterable<Target>
  /** Known from here on. */
  open(source: string, name: string): Target
  drop(target: Target): void
  /** Those that a read lacked, for so long that they are to be forgotten. */
  missing(source: string, seen: ReadonlySet<string>): readonly Target[]
  /** Where the counters of those lead to that are there. */
  accounts(source: string): Iterable<TotalAccount>
  seriesOf(target: Target, family: Family, key: string): Kept | undefined
  keep(target: Target, said: Said): Kept
  dropSeries(target: Target, kept: Kept): void
  hold(kept: Kept, held: Held): void
  release(kept: Kept): void
  restore(state: TotalsState): void
  rows(): { readonly [T in 'targets' | 'series' | 'lasts' | 'held']: Iterable<TotalsTables[T]> }
}

/** Whoever lacks for so long is not expected back: of a pod there is no second one with its uid. */
const FORGET_MS = 600_000

interface Parts {
  readonly clock: Clock
  readonly changes: Changes
  readonly families: ReadonlyMap<string, Family>
}

export function createTargets({ clock, changes, families }: Parts): Targets {
  const sources = new Map<string, Map<string, Target>>()
  let lastTarget = 0
  let lastSeries = 0

  function namesOf(source: string): Map<string, Target> {
    const names = sources.get(source) ?? new Map<string, Target>()
    sources.set(source, names)
    return names
  }

  function put(target: Pick<Target, 'id' | 'source' | 'name'>): Target {
    const added: Target = { ...target, series: new Map(), goneMs: undefined }
    namesOf(target.source).set(target.name, added)
    lastTarget = Math.max(lastTarget, target.id)
    return added
  }

  function putSeries(target: Target, series: Pick<Kept, 'id' | 'key' | 'last' | 'startedMs'>): Kept {
    const added: Kept = { ...series, held: undefined, account: undefined, labels: undefined }
    target.series.set(series.key, added)
    lastSeries = Math.max(lastSeries, series.id)
    return added
  }

  function dropSeries(target: Target, { id, key }: Kept): void {
    target.series.delete(key)
    for (const table of ['series', 'lasts', 'held'] as const) changes.drop(table, id)
  }

  function* all(): Generator<readonly [Target, Kept]> {
    for (const names of sources.values())
      for (const target of names.values()) for (const kept of target.series.values()) yield [target, kept]
  }

  return {
    of: (source) => namesOf(source).values(),
    open(source, name) {
      const known = namesOf(source).get(name)
      if (known) return known
      const added = put({ id: lastTarget + 1, source, name })
      changes.put('targets', [added.id, source, name])
      return added
    },
    drop(target) {
      namesOf(target.source).delete(target.name)
      changes.drop('targets', target.id)
      for (const kept of [...target.series.values()]) dropSeries(target, kept)
    },
    missing(source, seen) {
      const nowMs = clock.monotonic()
      const found = [...namesOf(source).values()]
      for (const target of found) target.goneMs = seen.has(target.name) ? undefined : (target.goneMs ?? nowMs)
      return found.filter(({ goneMs }) => goneMs !== undefined && nowMs - goneMs >= FORGET_MS)
    },
    *accounts(source) {
      for (const { goneMs, series } of namesOf(source).values())
        if (goneMs === undefined) for (const { account } of series.values()) if (account) yield account
    },
    seriesOf: (target, family, key) => target.series.get(keyOf(family, key)),
    keep(target, { family, key, last, startedMs, isReset, known }) {
      const kept = known ?? putSeries(target, { id: lastSeries + 1, key: keyOf(family, key), last, startedMs })
      if (isReset) kept.startedMs = startedMs ?? kept.startedMs
      if (!known || isReset) changes.put('series', seriesRowOf(target, kept))
      if (!known || kept.last !== last) changes.put('lasts', [kept.id, last])
      kept.last = last
      return kept
    },
    dropSeries,
    hold(kept, held) {
      kept.held = held
      changes.put('held', heldRowOf(kept.id, held))
    },
    release(kept) {
      if (!kept.held) return
      kept.held = undefined
      changes.drop('held', kept.id)
    },
    restore(state) {
      const byId = new Map<number, Target>()
      for (const [id, source, name] of state.targets.values()) byId.set(id, put({ id, source, name }))
      for (const [id, targetId, key, startedMs] of state.series.values()) {
        const target = byId.get(targetId)
        if (!target) continue
        const kept = putSeries(target, { id, key, last: state.lasts.get(id)?.[1] ?? 0, startedMs: startedMs ?? undefined })
        const [, amount = 0, name = '', labels = {}, part] = state.held.get(id) ?? []
        const family = families.get(name)
        if (family) kept.held = { amount, family, labels, part: parsePart(part) }
      }
    },
    rows: () => ({
      targets: [...sources.values()].flatMap((names) => [...names.values()].map(({ id, source, name }) => [id, source, name] as const)),
      series: [...all()].map(([target, kept]) => seriesRowOf(target, kept)),
      lasts: [...all()].map(([, { id, last }]) => [id, last] as const),
      held: [...all()].flatMap(([, { id, held }]) => (held ? [heldRowOf(id, held)] : [])),
    }),
  }
}

const keyOf = ({ name }: Family, key: string): string => `${name} ${key}`

const seriesRowOf = ({ id: target }: Target, { id, key, startedMs }: Kept): TotalsTables['series'] => [id, target, key, startedMs ?? null]

const heldRowOf = (id: number, { amount, family, labels, part }: Held): TotalsTables['held'] => {
  const row = [id, amount, family.name, labels] as const
  return part === undefined ? row : [...row, String(part)]
}
