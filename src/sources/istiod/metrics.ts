// What istiod says at port 15014 (istio.io: pilot/pkg/xds/monitoring.go), under names without _total or _seconds:
//   pilot_xds_pushes{type="eds"} 123                  and type="eds_senderr" for those that could not be sent
//   pilot_total_xds_rejects{type="lds"} 3
//   pilot_xds_config_size_bytes_sum{type="type.googleapis.com/envoy.config.cluster.v3.Cluster"} 8104
//   pilot_debounce_time_bucket{le="0.1"} 0            _sum and _count; 1.31 has le="0.5" as well
//   pilot_xds{version="1.31.0"} 3
// Not read: pilot_push_triggers, which counts each push once for each proxy; pilot_xds_lds_reject and the like, which are 1 once and for ever.
import { parseLabels, readSamplesInTurns, type Sample } from '../../formats/prometheus-samples.js'
import { isShortType, shortTypeOf } from '../../formats/xds-types.js'
import type { Family } from '../../model.js'
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

/** Throws where it is no istiod that answers. */
export async function parseIstiodMetrics(text: string): Promise<IstiodMetrics> {
  let isIstiod = false
  const all: Sample[] = []
  const rejected = await readSamplesInTurns(
    text,
    (name) => {
      isIstiod ||= name.startsWith('pilot_')
      return isWanted(name)
    },
    (name, labelText, value) => {
      if (all.length >= MAX_SAMPLES) throw new Error(`it says more than any istiod: ${MAX_SAMPLES} samples`)
      const labels = parseLabels(labelText)
      if (labels) all.push({ name, labels, value })
      return labels !== undefined
    },
  )
  if (!isIstiod) throw new Error('it is no istiod')
  const samples = all.filter(({ value }) => value >= 0 && Number.isFinite(value))
  const histograms = histogramsOf(samples)
  const started = samples.find(({ name }) => name === STARTED)?.value
  return {
    totals: [...counters(samples), ...histograms.totals],
    proxies: proxiesOf(samples),
    startedMs: started === undefined ? undefined : started * 1000,
    rejected: rejected + all.length - samples.length + histograms.rejected,
  }
}

function counters(samples: readonly Sample[]): readonly IstiodTotal[] {
  const sums = new Map<string, IstiodTotal>()
  for (const { name, labels, value } of samples) {
    const { type = '' } = labels
    const family = familyOf(name, type)
    if (!family) continue
    const xds = xdsOf(type.replace(SEND_ERROR, ''))
    const key = `${family.name} ${xds}`
    // Two types may have one short name.
    sums.set(key, { family, xds, value: value + (sums.get(key)?.value ?? 0) })
  }
  return [...sums.values()]
}

/** Of both forms: counters of pushes have the whole URL of what has no short one. */
const xdsOf = (type: string): string => (isShortType(type) ? type : (shortTypeOf(type) ?? OTHER))

function proxiesOf(samples: readonly Sample[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { name, labels, value } of samples) {
    if (name !== PROXIES) continue
    const version = labels.version === undefined || VERSION.test(labels.version) ? (labels.version ?? '') : OTHER
    counts.set(version, value + (counts.get(version) ?? 0))
  }
  return counts
}

function familyOf(name: string, type: string): Family | undefined {
  if (name === PUSHES) return SEND_ERROR.test(type) ? sendErrors : pushes
  if (name === REJECTS) return rejects
  return name === SIZES ? configBytes : undefined
}

/** Buckets say how many are not above their bound; told apart they can be added to others. One that has fewer than the one before it is torn. */
function histogramsOf(samples: readonly Sample[]): { readonly totals: readonly IstiodTotal[]; readonly rejected: number } {
  const totals: IstiodTotal[] = []
  let rejected = 0
  for (const [name, family] of HISTOGRAMS) {
    const sum = samples.find((sample) => sample.name === `${name}_sum`)
    const buckets = samples
      .filter((sample) => sample.name === `${name}_bucket`)
      .map(({ labels, value }) => ({ le: boundOf(labels.le), value }))
      .sort((a, b) => (a.le < b.le ? -1 : 1))
    if (!sum && buckets.length === 0) continue
    const parts = buckets.map(({ le, value }, i) => ({ family, part: le, value: value - (buckets[i - 1]?.value ?? 0) }))
    const isWhole = sum !== undefined && buckets.at(-1)?.le === Number.POSITIVE_INFINITY
    if (!isWhole || parts.some(({ part, value }) => value < 0 || Number.isNaN(part))) rejected++
    else totals.push(...parts, { family, part: 'sum', value: sum.value })
  }
  return { totals, rejected }
}

const boundOf = (le = ''): number => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le || Number.NaN))
