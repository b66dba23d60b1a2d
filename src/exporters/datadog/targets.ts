// What is sent of a snapshot: what came to each series since it was last taken, by the labels that are sent, before names and budget.
//   meshtoll_flow_bytes_total{src_zone="a", dst_zone="b", scope="cross_zone", ...} 4096, of which 4000 were taken
//   -> {src_zone: a, dst_zone: b, ...} 96
import type { Family, FamilySnapshot, Labels, Series } from '../../model.js'
import { deltaOf, familyKeyOf, hasGoneBack, type Keys, type Mark, type Origin, type Part } from './deltas.js'
import { datadogNameOf } from './name.js'

/** Of one family and the labels that are sent. */
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
}

export interface Gathering {
  readonly targets: Map<string, Target>
  /** Of totals that moved, or were seen for the first time. */
  readonly marks: Map<string, Mark>
  /** All that were seen. */
  readonly seen: Set<string>
  /** Keys of families with any series. */
  readonly served: Set<string>
}

export interface GatherParts {
  readonly keys: Keys
  readonly marks: ReadonlyMap<string, Mark>
  readonly excludeLabels: readonly string[]
  /** Whether a total of our own that is seen for the first time is all news. */
  readonly isNews: (series: Series) => boolean
}

export const createGathering = (): Gathering => ({ targets: new Map(), marks: new Map(), seen: new Set(), served: new Set() })

/** One step for each series, so that whoever calls may give way between two. */
export function* gather(
  into: Gathering,
  { families, origin }: { readonly families: Iterable<FamilySnapshot>; readonly origin: Origin },
  parts: GatherParts,
): Generator<void> {
  for (const { family, series } of families) {
    const metric = datadogNameOf(family)
    if (metric === undefined) continue
    const names = family.labels.filter((name) => !parts.excludeLabels.includes(name))
    const reading = { into, family, metric, names, origin, ...parts }
    const read = READERS[family.kind]
    let isServed = false
    for (const one of series) {
      if (!isServed) into.served.add(familyKeyOf(family.name))
      isServed = true
      read(one, reading)
      yield
    }
  }
}

interface Reading extends GatherParts {
  readonly into: Gathering
  readonly family: Family
  readonly metric: string
  /** Of the labels that are sent. */
  readonly names: readonly string[]
  readonly origin: Origin
}

const READERS: Readonly<Record<Family['kind'], (series: Series, reading: Reading) => void>> = {
  counter: readCounter,
  gauge: readGauge,
  histogram: readHistogram,
}

function readCounter(series: Series, reading: Reading): void {
  const came = take(series, { part: undefined, value: series.value }, reading)
  if (came > 0) targetOf(series.labels, reading).value += came
}

function readGauge({ labels, value }: Series, reading: Reading): void {
  if (!Number.isFinite(value)) return
  const known = reading.into.targets.has(targetKeyOf(labels, reading))
  const target = targetOf(labels, reading)
  target.value = known ? levelOf(reading.family)(target.value, value) : value
}

function readHistogram(series: Series, reading: Reading): void {
  const { sum, buckets } = series.histogram ?? { sum: 0, buckets: [] }
  const sumCame = take(series, { part: 'sum', value: sum }, reading)
  let below = 0
  for (const { le, count } of buckets) {
    const came = take(series, { part: le, value: count - below }, reading)
    below = count
    if (came <= 0) continue
    const { within } = targetOf(series.labels, reading)
    within.set(le, (within.get(le) ?? 0) + came)
    targetOf(series.labels, reading).value += came
  }
  if (sumCame > 0) targetOf(series.labels, reading).sum += sumCame
}

/** What came to a total, which from now on is taken. */
function take(series: Series, { part, value }: { readonly part: Part; readonly value: number }, reading: Reading): number {
  const { into, family, keys, marks, origin, isNews } = reading
  if (!Number.isFinite(value)) return 0
  const key = keys.of(family, series.labels, part)
  const mark = marks.get(key)
  const now = { value, sinceMs: series.sinceMs ?? 0 }
  into.seen.add(key)
  if ((mark?.value !== value || mark.sinceMs !== now.sinceMs) && !hasGoneBack(mark, now)) into.marks.set(key, now)
  return deltaOf(mark, now, origin === 'own' && isNews(series) ? 'counts' : 'is where it begins')
}

function targetKeyOf(labels: Labels, { metric, names }: Reading): string {
  return JSON.stringify([metric, ...names.map((name) => labels[name] ?? '')])
}

function targetOf(labels: Labels, reading: Reading): Target {
  const { into, family, metric, names } = reading
  const key = targetKeyOf(labels, reading)
  const known = into.targets.get(key)
  if (known) return known
  const sent = Object.fromEntries(names.map((name) => [name, labels[name] ?? '']))
  const target = { key, family, metric, labels: sent, value: 0, sum: 0, within: new Map() }
  into.targets.set(key, target)
  return target
}

/** What the levels of two series come to where they are sent as one: a time, a share or a price is the largest of them. */
export function levelOf({ name, ofOwner }: Family): (a: number, b: number) => number {
  if (ofOwner === 'minimum') return Math.min
  return /_(seconds|ratio|dollars_per_byte|info)$/.test(name) ? Math.max : (a, b) => a + b
}
