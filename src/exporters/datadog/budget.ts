// Custom metrics cost money, so there is a limit to them. What has an owner in its labels can be told in less detail: its zones stay, its
// owners become `_other`. Those who keep their names are the ones with the largest shares of their families, of late. Since what is sent is
// what came, a series may lose its name and get it back: sums stay exact.
import { levelOf, type Target } from './targets.js'

export interface Budget {
  /** One step for each few series, so that whoever calls may give way between two. */
  fit(targets: ReadonlyMap<string, Target>, nowMs: number): Generator<void, Fitted>
}

/** `targets`: under their own names or added up. `folded`: how many lost theirs. */
export interface Fitted {
  readonly targets: ReadonlyMap<string, Target>
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
  let named: ReadonlySet<string> = new Set()
  let lastMs: number | undefined

  function* age(nowMs: number): Generator<void> {
    const factor = 0.5 ** (Math.max(0, nowMs - (lastMs ?? nowMs)) / HALVED_EVERY_MS)
    lastMs = nowMs
    for (const [key, score] of scores) {
      if (score * factor < NEGLIGIBLE) scores.delete(key)
      else scores.set(key, score * factor)
      yield
    }
  }

  function* score(targets: Iterable<Target>): Generator<void> {
    const sums = new Map<string, number>()
    for (const { metric, value } of targets) sums.set(metric, (sums.get(metric) ?? 0) + Math.abs(value))
    for (const { key, metric, value } of targets) {
      scores.set(key, (scores.get(key) ?? 0) + Math.abs(value) / (sums.get(metric) || 1))
      yield
    }
  }

  /** The best of all that had something of late, whether it has something now or not: a name that comes and goes is a custom metric as well. */
  function* choose(room: number, targets: ReadonlyMap<string, Target>): Generator<void, ReadonlySet<string>> {
    const worthOf = (key: string, score: number): number => score * (named.has(key) ? CLEARLY_MORE : 1)
    const worths = new Float64Array(scores.size)
    let at = 0
    for (const [key, score] of scores) worths[at++] = worthOf(key, score)
    worths.sort()
    const least = room >= worths.length ? 0 : (worths[worths.length - room] ?? Number.POSITIVE_INFINITY)
    const chosen = new Set<string>()
    let left = room
    for (const [key, score] of scores) {
      yield
      const target = targets.get(key)
      const weight = target ? weightOf(target) : 1
      if (worthOf(key, score) < least || weight > left) continue
      left -= weight
      chosen.add(key)
    }
    return chosen
  }

  return {
    *fit(targets, nowMs) {
      yield* age(nowMs)
      if (weigh(targets.values()) <= maxSeries) {
        scores.clear()
        named = new Set()
        return { targets, folded: 0 }
      }
      const [fixed, open] = [[...targets.values()].filter((one) => !isFoldable(one)), [...targets.values()].filter(isFoldable)]
      yield* score(open)
      const rest = new Map<string, Target>()
      for (const target of open) {
        add(rest, foldedOf(target))
        yield
      }
      named = yield* choose(Math.max(0, maxSeries - weigh(fixed) - weigh(rest.values())), targets)
      const fitted = new Map<string, Target>()
      for (const target of fixed) add(fitted, target)
      for (const target of open) {
        add(fitted, named.has(target.key) ? target : foldedOf(target))
        yield
      }
      return { targets: fitted, folded: open.reduce((count, { key }) => count + (named.has(key) ? 0 : 1), 0) }
    },
  }
}

export const weightOf = ({ family }: Pick<Target, 'family'>): number => (family.kind === 'histogram' ? OF_A_HISTOGRAM : 1)

function weigh(targets: Iterable<Target>): number {
  let sum = 0
  for (const target of targets) sum += weightOf(target)
  return sum
}

const isFoldable = ({ labels }: Target): boolean =>
  Object.keys(labels).some((label) => /(owner|service)_name$/.test(label) && labels[label] !== OTHER)

function foldedOf(target: Target): Target {
  const labels = Object.fromEntries(Object.entries(target.labels).map(([label, value]) => [label, FOLDED.test(label) ? OTHER : value]))
  return { ...target, key: JSON.stringify([target.metric, ...Object.values(labels)]), labels }
}

/** To what is there under the same name. */
function add(into: Map<string, Target>, target: Target): void {
  const known = into.get(target.key)
  if (!known) return void into.set(target.key, { ...target, within: new Map(target.within) })
  known.value = target.family.kind === 'gauge' ? levelOf(target.family)(known.value, target.value) : known.value + target.value
  known.sum += target.sum
  for (const [le, count] of target.within) known.within.set(le, (known.within.get(le) ?? 0) + count)
}
