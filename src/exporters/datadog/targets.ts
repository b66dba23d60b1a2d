// What is sent of a snapshot: what came to each series since it was last taken, by the labels that are sent, before names and budget.
//   meshtoll_flow_bytes_total{src_zone="a", dst_zone="b", scope="cross_zone", ...} 4096, of which 4000 were taken
//   -> {src_zone: a, dst_zone: b, ...} 96
import type { Family, FamilySnapshot, Labels, Series } from '../../model.js'
import { createKeys, deltaOf, familyKeyOf, hasGoneBack, type Keys, type Origin, type Part, partIn } from './deltas.js'
import type { HeldTotals } from './held.js'
import { createMoved, type Marks, type Moved } from './marks.js'
import { datadogNameOf } from './name.js'

/** Of one family and the labels that are sent. One object for as long as it is served: what it says is of one gathering after the other. */
export interface Target {
  readonly key: string
  readonly family: Family
  readonly metric: string
  readonly labels: Labels
  /** Of a counter what came, of a gauge its level, of a histogram how many were observed. */
  value: number
  /** Of a histogram: what its observations come to, and how many fell into the bucket that ends there and into none before. */
  sum: number
  readonly within: Map<number, number>
  /** The gathering that it was last in. */
  turn: number
  /** Of a gauge: of how many its level is. */
  count: number
  /** What it is added to where it loses its name; NONE where it has none. Undefined: nobody has asked. */
  other: Target | typeof NONE | undefined
  /** The id of the series that it is sent as, a histogram's aside; undefined where it was not. */
  sentAs: number | undefined
}

export const NONE = 'none'

export interface Gathering {
  /** Those that something came to, and levels. */
  readonly targets: Iterable<Target>
  /** Totals that moved, or were seen for the first time. */
  readonly moved: Moved
  /** Whether a total was seen, by the place of its mark. */
  readonly seen: Uint8Array
  /** Keys of families with any series. */
  readonly served: Set<string>
  /** Of families that are taken by other labels than last time, or for the first time. */
  readonly labels: Map<string, string>
}

export interface GatherParts {
  readonly marks: Marks
  /** Names of labels that a family was last taken by; it is told by its key. */
  readonly labels: ReadonlyMap<string, string>
  /** Whether a total of our own that is seen for the first time is all news. */
  readonly isNews: (series: Series) => boolean
  /** Whether it began after that was asked for the first time. */
  readonly isBorn: (series: Series) => boolean
  /** What came while nothing could be written. */
  readonly held: Pick<HeldTotals, 'see'>
}

export interface Targets {
  begin(marks: Marks): Gathering
  /** One step for each series, so that whoever calls may give way between two. */
  gather(
    into: Gathering,
    group: { readonly families: Iterable<FamilySnapshot>; readonly origin: Origin },
    parts: GatherParts,
  ): Generator<void>
  /** What was held of totals that are there no more. */
  gatherUnseen(into: Gathering, held: Pick<HeldTotals, 'unseen'>): Generator<void>
  /** Those that the last gathering had nothing of. One step for each. */
  forget(): Generator<void>
}

/** Of all that is no histogram. */
const NOTHING_WITHIN: Map<number, number> = new Map()

export function createTargets({ excludeLabels }: { readonly excludeLabels: readonly string[] }): Targets {
  const keys = createKeys()
  const keysOfSent = excludeLabels.length === 0 ? keys : createKeys()
  const byKey = new Map<string, Target>()
  /** Taken again and again: arrays that grow in each gathering would leave three times as much behind. */
  const moved = createMoved()
  let turn = 0

  function targetOf(labels: Labels, { family, metric, sent }: Reading): Target {
    const key = keysOfSent.of(sent, labels)
    return byKey.get(key) ?? keep(newTarget({ key, family, metric, labels: labelsOf(labels, sent.labels) }))
  }

  function keep(target: Target): Target {
    byKey.set(target.key, target)
    return target
  }

  /** Of this turn. */
  function fresh(target: Target): Target {
    if (target.turn === turn) return target
    target.value = 0
    target.sum = 0
    target.count = 0
    target.turn = turn
    // An empty map is not cleared for nothing.
    if (target.within.size > 0) target.within.clear()
    return target
  }

  function newTarget({ key, family, metric, labels }: Pick<Target, 'key' | 'family' | 'metric' | 'labels'>): Target {
    const within = family.kind === 'histogram' ? new Map<number, number>() : NOTHING_WITHIN
    return { key, family, metric, labels, value: 0, sum: 0, within, turn: 0, count: 0, other: undefined, sentAs: undefined }
  }

  return {
    begin(marks) {
      turn++
      moved.clear()
      const targets = { [Symbol.iterator]: () => ofTurn(byKey.values(), turn) }
      return { targets, moved, seen: new Uint8Array(marks.places), served: new Set(), labels: new Map() }
    },
    *gather(into, { families, origin }, parts) {
      for (const { family, series } of families) {
        const metric = datadogNameOf(family)
        if (metric === undefined) continue
        const sent = { ...family, labels: family.labels.filter((name) => !excludeLabels.includes(name)) }
        const reading: Reading = {
          ...{ into, family, metric, sent, origin, keys, ...parts },
          isNews: hasOtherLabels(family, parts) ? parts.isBorn : parts.isNews,
          targetOf: (labels) => fresh(targetOf(labels, reading)),
        }
        yield* readAll(series, reading)
      }
    },
    *gatherUnseen(into, held) {
      for (const [key, one] of held.unseen()) {
        const target = one.target && fresh(byKey.get(one.target.key) ?? keep(one.target))
        if (target) post(target, one.came, partIn(key))
        into.moved.add(key, one, { came: one.came, target })
        yield
      }
    },
    *forget() {
      for (const [key, target] of byKey) {
        if (target.turn !== turn) byKey.delete(key)
        yield
      }
    },
  }
}

/** The same totals by other names: to take them for new would send all that they ever came to. */
function hasOtherLabels({ name, labels }: Family, { labels: before }: GatherParts): boolean {
  const names = before.get(familyKeyOf(name))
  return names !== undefined && names !== labels.join()
}

function* readAll(series: Iterable<Series>, reading: Reading): Generator<void> {
  const { into, family, labels } = reading
  const [key, names] = [familyKeyOf(family.name), family.labels.join()]
  const read = READERS[family.kind]
  let isServed = false
  for (const one of series) {
    if (!isServed) into.served.add(key)
    if (!isServed && labels.get(key) !== names) into.labels.set(key, names)
    isServed = true
    read(one, reading)
    yield
  }
}

function* ofTurn(targets: Iterable<Target>, turn: number): Generator<Target> {
  for (const target of targets) if (target.turn === turn) yield target
}

interface Reading extends GatherParts {
  readonly into: Gathering
  readonly family: Family
  readonly metric: string
  /** The same, of the labels that are sent. */
  readonly sent: Family
  readonly origin: Origin
  readonly keys: Keys
  readonly targetOf: (labels: Labels) => Target
}

const READERS: Readonly<Record<Family['kind'], (series: Series, reading: Reading) => void>> = {
  counter: readCounter,
  gauge: readGauge,
  histogram: readHistogram,
}

function readCounter(series: Series, reading: Reading): void {
  take(series, { part: undefined, value: series.value }, reading)
}

function readGauge({ labels, value }: Series, reading: Reading): void {
  if (!Number.isFinite(value)) return
  const target = reading.targetOf(labels)
  target.value = target.count++ === 0 ? value : levelOf(reading.family)(target.value, value)
}

function readHistogram(series: Series, reading: Reading): void {
  const { sum, buckets } = series.histogram ?? { sum: 0, buckets: [] }
  take(series, { part: 'sum', value: sum }, reading)
  let below = 0
  for (const { le, count } of buckets) {
    take(series, { part: le, value: count - below }, reading)
    below = count
  }
}

/** What came to a total, which from now on is taken. */
function take(series: Series, { part, value }: { readonly part: Part; readonly value: number }, reading: Reading): void {
  const { into, family, keys, marks, held, origin, isNews } = reading
  if (!Number.isFinite(value)) return
  const key = keys.of(family, series.labels, part)
  const mark = marks.get(key)
  const waiting = held.see(key)
  const now = { value, sinceMs: series.sinceMs ?? 0 }
  const before = waiting ?? mark
  const came = (waiting?.came ?? 0) + deltaOf(before, now, origin === 'own' && isNews(series) ? 'counts' : 'is where it begins')
  const target = came > 0 ? reading.targetOf(series.labels) : undefined
  if (target) post(target, came, part)
  const place = marks.placeOf(key)
  if (place !== undefined) into.seen[place] = 1
  const next = before && hasGoneBack(before, now) ? before : now
  if (waiting || mark?.value !== next.value || mark.sinceMs !== next.sinceMs) into.moved.add(key, next, { came, target })
}

function post(target: Target, came: number, part: Part): void {
  if (part === 'sum') target.sum += came
  else target.value += came
  if (typeof part === 'number') target.within.set(part, (target.within.get(part) ?? 0) + came)
}

/** Where they are these, and in this order, no others are made. */
function labelsOf(labels: Labels, names: readonly string[]): Labels {
  const own = Object.keys(labels)
  if (own.length === names.length && names.every((name, i) => own[i] === name)) return labels
  return Object.fromEntries(names.map((name) => [name, labels[name] ?? '']))
}

/** What the levels of two series come to where they are sent as one: a time, a share or a price is the largest of them. */
export function levelOf({ name, ofOwner }: Family): (a: number, b: number) => number {
  if (ofOwner === 'minimum') return Math.min
  return /_(seconds|ratio|dollars_per_byte|info)$/.test(name) ? Math.max : (a, b) => a + b
}
