// Custom metrics cost money, so there is a limit to them. What has an owner in its labels can be told in less detail: its zones stay, its
// owners become `_other`. Those who keep their names are the ones with the largest shares of their families, of late. Since what is sent is
// what came, a series may lose its name and get it back: sums stay exact.
import { createKeys, type Keys } from './deltas.js'
import { levelOf, NONE, type Target } from './targets.js'

export interface Budget {
  /** One step for each few series, so that whoever calls may give way between two. */
  fit(targets: Iterable<Target>, nowMs: number): Generator<void, Fitted>
}

/** `targets`: under their own names or added up. `folded`: how many lost theirs. */
export interface Fitted {
  readonly targets: Iterable<Target>
  readonly folded: number
}

const OTHER = '_other'
const FOLDED = /(^|_)(namespace|owner_kind|owner_name|service_name)$/
/** `.count`, `.sum`, `.p50`, `.p95`, `.p99` and `.max`. */
const OF_A_HISTOGRAM = 6
/** A share counts half after this time. */
const HALVED_EVERY_MS = 600_000
/** So that two of a size do not take turns. */
const CLEARLY_MORE = 2
const NEGLIGIBLE = 1e-9

export function createBudget(maxSeries: number): Budget {
  const scores = new Map<string, number>()
  /** Of histograms, which weigh more, those with a score. */
  const heavy = new Set<string>()
  const others = new Map<string, Target>()
  const keys = createKeys()
  let named: ReadonlySet<string> = new Set()
  let lastMs: number | undefined

  function* age(nowMs: number): Generator<void> {
    const factor = 0.5 ** (Math.max(0, nowMs - (lastMs ?? nowMs)) / HALVED_EVERY_MS)
    lastMs = nowMs
    for (const [key, score] of scores) {
      if (score * factor >= NEGLIGIBLE) scores.set(key, score * factor)
      else if (scores.delete(key)) heavy.delete(key)
      yield
    }
  }

  function* score(targets: readonly Target[]): Generator<void> {
    const sums = new Map<string, number>()
    for (const { metric, value } of targets) {
      sums.set(metric, (sums.get(metric) ?? 0) + Math.abs(value))
      yield
    }
    for (const { key, family, metric, value } of targets) {
      scores.set(key, (scores.get(key) ?? 0) + Math.abs(value) / (sums.get(metric) || 1))
      if (weightOf({ family }) > 1) heavy.add(key)
      yield
    }
  }

  /** The best of all that had something of late, whether it has something now or not: a name that comes and goes is a custom metric as well. */
  function* choose(room: number): Generator<void, ReadonlySet<string>> {
    const worthOf = (key: string, score: number): number => score * (named.has(key) ? CLEARLY_MORE : 1)
    const worths = new Float64Array(scores.size)
    let at = 0
    for (const [key, score] of scores) {
      worths[at++] = worthOf(key, score)
      yield
    }
    worths.sort()
    const least = room >= worths.length ? 0 : (worths[worths.length - room] ?? Number.POSITIVE_INFINITY)
    const chosen = new Set<string>()
    let left = room
    for (const [key, score] of scores) {
      yield
      const weight = heavy.has(key) ? OF_A_HISTOGRAM : 1
      if (worthOf(key, score) < least || weight > left) continue
      left -= weight
      chosen.add(key)
    }
    return chosen
  }

  /** Those whose owners can be left out, and what they would be sent as then. */
  function* part(targets: Iterable<Target>): Generator<void, Parted> {
    const parted = { fixed: [] as Target[], open: [] as Target[], others: new Set<Target>() }
    for (const target of targets) {
      yield
      const other = otherOf(target)
      if (other) parted.open.push(target)
      else parted.fixed.push(target)
      if (!other || parted.others.has(other)) continue
      empty(other)
      parted.others.add(other)
    }
    return parted
  }

  function otherOf(target: Target): Target | undefined {
    target.other ??= isFoldable(target) ? knownOther(foldedOf(target, keys)) : NONE
    return target.other === NONE ? undefined : target.other
  }

  function knownOther(made: Target): Target {
    const other = others.get(made.key) ?? made
    others.set(made.key, other)
    return other
  }

  /** What has no name is added up. What the ledger has folded has none from the beginning. */
  function* fold({ fixed, open }: Parted): Generator<void, Fitted> {
    const fitted: Target[] = []
    const used = new Map<string, Target>()
    let folded = 0
    for (const target of open) {
      yield
      const other = otherOf(target)
      if (!other || named.has(target.key)) fitted.push(target)
      else {
        add(other, target)
        used.set(other.key, other)
        folded++
      }
    }
    for (const target of fixed) {
      const other = used.get(target.key)
      if (other) add(other, target)
      else fitted.push(target)
      yield
    }
    for (const other of used.values()) fitted.push(other)
    return { targets: fitted, folded }
  }

  return {
    *fit(targets, nowMs) {
      yield* age(nowMs)
      if ((yield* weigh(targets)) <= maxSeries) {
        scores.clear()
        heavy.clear()
        named = new Set()
        return { targets, folded: 0 }
      }
      const parted = yield* part(targets)
      yield* score(parted.open)
      named = yield* choose(Math.max(0, maxSeries - (yield* weigh(parted.fixed)) - (yield* weigh(parted.others))))
      return yield* fold(parted)
    },
  }
}

interface Parted {
  readonly fixed: readonly Target[]
  readonly open: readonly Target[]
  readonly others: ReadonlySet<Target>
}

export const weightOf = ({ family }: Pick<Target, 'family'>): number => (family.kind === 'histogram' ? OF_A_HISTOGRAM : 1)

function* weigh(targets: Iterable<Target>): Generator<void, number> {
  let sum = 0
  for (const target of targets) {
    sum += weightOf(target)
    yield
  }
  return sum
}

const isFoldable = ({ labels }: Target): boolean =>
  Object.keys(labels).some((label) => /(owner|service)_name$/.test(label) && labels[label] !== OTHER)

function foldedOf(target: Target, keys: Keys): Target {
  const names = Object.keys(target.labels)
  const labels = Object.fromEntries(names.map((name) => [name, FOLDED.test(name) ? OTHER : (target.labels[name] as string)]))
  const key = keys.of({ ...target.family, labels: names }, labels)
  return { ...target, key, labels, within: new Map(), sentAs: undefined }
}

function empty(other: Target): void {
  other.value = 0
  other.sum = 0
  other.count = 0
  other.within.clear()
}

function add(other: Target, { family, value, sum, within }: Target): void {
  other.value = family.kind === 'gauge' && other.count > 0 ? levelOf(family)(other.value, value) : other.value + value
  other.sum += sum
  other.count++
  for (const [le, count] of within) other.within.set(le, (other.within.get(le) ?? 0) + count)
}
