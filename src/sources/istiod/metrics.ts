// What istiod says at port 15014 (istio.io: pilot/pkg/xds/monitoring.go), under names without _total or _seconds:
//   pilot_xds_pushes{type="eds"} 123                  and type="eds_senderr" for those that could not be sent
//   pilot_total_xds_rejects{type="lds"} 3
//   pilot_xds_config_size_bytes_sum{type="type.googleapis.com/envoy.config.cluster.v3.Cluster"} 8104
//   pilot_debounce_time_bucket{le="0.1"} 0            _sum and _count; 1.31 has le="0.5" as well
//   pilot_xds{version="1.31.0"} 3
// Not read: pilot_push_triggers, which counts each push once for each proxy; pilot_xds_lds_reject and the like, which are 1 once and for ever.
import { isCount, parseLabels, readSamplesInPieces } from '../../formats/prometheus-samples.js'
import { isShortType, shortTypeOf } from '../../formats/xds-types.js'
import type { Family, Labels } from '../../model.js'
import { configBytes, convergence, debounce, pushContext, pushes, queue, rejects, sendErrors } from './families.js'

/** A running total, or a part of a histogram. */
export interface IstiodTotal {
  readonly family: Family
  /** Of counters. */
  readonly xds?: string
  /** Of histograms. */
  readonly part?: 'sum' | number
  readonly value: number
}

export interface IstiodMetrics {
  readonly totals: readonly IstiodTotal[]
  /** Proxies by their release. */
  readonly proxies: ReadonlyMap<string, number>
  readonly startedMs: number | undefined
  readonly rejected: number
}

const STARTED = 'process_start_time_seconds'
const PROXIES = 'pilot_xds'
const PUSHES = 'pilot_xds_pushes'
const SIZES = 'pilot_xds_config_size_bytes_sum'
const REJECTS = 'pilot_total_xds_rejects'
const SEND_ERROR = /_senderr$/
/** What each istiod sends to sidecars and gateways; which others it sends its pushes say. */
const USUAL = ['cds', 'eds', 'lds', 'rds']
const HISTOGRAMS: ReadonlyMap<string, Family> = new Map([
  ['pilot_proxy_convergence_time', convergence],
  ['pilot_proxy_queue_time', queue],
  ['pilot_debounce_time', debounce],
  ['pilot_pushcontext_init_seconds', pushContext],
])
const PART = /_(bucket|sum)$/
/** An istiod says some two hundred. Whoever calls itself one is asked. */
const MAX_SAMPLES = 5_000
const VERSION = /^[\w.+-]{1,64}$/
const OTHER = '_other'

const isWanted = (name: string): boolean =>
  [STARTED, PROXIES, PUSHES, SIZES, REJECTS].includes(name) || HISTOGRAMS.has(name.replace(PART, ''))

/** Rejects where it is no istiod that answers. */
export async function readIstiodMetrics(pieces: AsyncIterable<string>): Promise<IstiodMetrics> {
  let [isIstiod, samples] = [false, 0]
  const sums = createSums()
  const { rejected } = await readSamplesInPieces(
    pieces,
    (name) => {
      isIstiod ||= name.startsWith('pilot_')
      return isWanted(name)
    },
    (name, labelText, value) => {
      if (++samples > MAX_SAMPLES) throw new Error(`it says more than any istiod: ${MAX_SAMPLES} samples`)
      const labels = parseLabels(labelText)
      return labels !== undefined && isCount(value) && sums.take(name, labels, value)
    },
  )
  if (!isIstiod) throw new Error('it is no istiod')
  const said = sums.done()
  // What could not be understood may be one of those.
  const zeros = rejected === 0 ? zerosOf(said.totals) : []
  return { ...said, totals: [...said.totals, ...zeros], rejected: rejected + said.rejected }
}

interface Counter {
  readonly family: Family
  readonly xds: string
  readonly value: number
}

/** Nothing of the text is kept. */
function createSums() {
  const counters = new Map<string, Counter>()
  const proxies = new Map<string, number>()
  const histograms = new Map([...HISTOGRAMS.keys()].map((name) => [name, histogramOf()]))
  let startedMs: number | undefined

  /** Two types may have one short name. */
  function count(family: Family, type: string, more: number): boolean {
    const xds = xdsOf(type.replace(SEND_ERROR, ''))
    const key = `${family.name} ${xds}`
    const value = more + (counters.get(key)?.value ?? 0)
    if (isCount(value)) counters.set(key, { family, xds, value })
    return isCount(value)
  }

  function addProxies(said: string, more: number): boolean {
    const version = said === '' || VERSION.test(said) ? copyOf(said) : OTHER
    const value = more + (proxies.get(version) ?? 0)
    if (isCount(value)) proxies.set(version, value)
    return isCount(value)
  }

  return {
    take(name: string, { type = '', version = '', le }: Labels, value: number): boolean {
      const family = familyOf(name, type)
      if (family) return count(family, type, value)
      if (name === PROXIES) return addProxies(version, value)
      if (name === STARTED) startedMs ??= value * 1000
      const histogram = histograms.get(name.replace(PART, ''))
      if (name.endsWith('_bucket')) histogram?.buckets.push({ le: boundOf(le), value })
      else if (histogram && name.endsWith('_sum')) histogram.sum ??= value
      return true
    },
    done(): IstiodMetrics {
      const { totals, rejected } = totalsOf(histograms)
      return { totals: [...counters.values(), ...totals], proxies, startedMs, rejected }
    },
  }
}

/** Of both forms: counters of pushes have the whole URL of what has no short one. */
const xdsOf = (type: string): string => (isShortType(type) ? copyOf(type) : (shortTypeOf(type) ?? OTHER))

/** A part of a string keeps all of it in memory. */
const copyOf = (text: string): string => Buffer.from(text).toString()

function familyOf(name: string, type: string): Family | undefined {
  if (name === PUSHES) return SEND_ERROR.test(type) ? sendErrors : pushes
  if (name === REJECTS) return rejects
  return name === SIZES ? configBytes : undefined
}

/** istiod says nothing of what never happened: rejects and errors of each type that are not there were none. */
function zerosOf(totals: readonly IstiodTotal[]): readonly IstiodTotal[] {
  const typesOf = (wanted: Family): readonly string[] => totals.flatMap(({ family, xds }) => (family === wanted && xds ? [xds] : []))
  const types = new Set([...USUAL, ...typesOf(pushes)])
  return [rejects, sendErrors].flatMap((family) => {
    const said = new Set(typesOf(family))
    return [...types].filter((xds) => !said.has(xds)).map((xds) => ({ family, xds, value: 0 }))
  })
}

interface Histogram {
  sum: number | undefined
  readonly buckets: { readonly le: number; readonly value: number }[]
}

const histogramOf = (): Histogram => ({ sum: undefined, buckets: [] })

/** Buckets say how many are not above their bound; told apart they can be added to others. One that has fewer than the one before it is torn. */
function totalsOf(histograms: ReadonlyMap<string, Histogram>): { readonly totals: readonly IstiodTotal[]; readonly rejected: number } {
  const totals: IstiodTotal[] = []
  let rejected = 0
  for (const [name, family] of HISTOGRAMS) {
    const { sum, buckets } = histograms.get(name) ?? histogramOf()
    if (sum === undefined && buckets.length === 0) continue
    const ascending = buckets.toSorted((a, b) => (a.le < b.le ? -1 : 1))
    const parts = ascending.map(({ le, value }, i) => ({ family, part: le, value: value - (ascending[i - 1]?.value ?? 0) }))
    const isWhole = sum !== undefined && ascending.at(-1)?.le === Number.POSITIVE_INFINITY
    if (!isWhole || parts.some(({ part, value }) => value < 0 || Number.isNaN(part))) rejected++
    else totals.push(...parts, { family, part: 'sum', value: sum })
  }
  return { totals, rejected }
}

const boundOf = (le = ''): number => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le || Number.NaN))
