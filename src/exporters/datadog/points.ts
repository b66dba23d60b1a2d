// Targets as series of the intake (docs.datadoghq.com/api/latest/metrics/submit-metrics), but for interval and time.
import type { MetricSeries } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/models/MetricSeries.js'
import { maxOf, quantileOf } from './quantiles.js'
import { type Kind, type Pieces, piecesOf } from './series.js'
import type { Target } from './targets.js'

export interface Point {
  /** Within its target. */
  readonly name: string
  readonly metric: string
  readonly kind: Kind
  readonly unit: string | undefined
  readonly value: number
}

const QUANTILES: readonly (readonly [name: string, q: number])[] = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
]

/** A count of nothing is not sent. */
export function pointsOf(target: Target): readonly Point[] {
  const { family, metric, value } = target
  if (family.kind === 'histogram') return pointsOfHistogram(target)
  const unit = unitOf(family.name)
  if (family.kind === 'gauge') return [{ name: '', metric, kind: 'level', unit, value }]
  return value > 0 ? [{ name: '', metric, kind: unit === 'byte' ? 'bytes' : 'count', unit, value }] : []
}

function pointsOfHistogram({ family, metric, value, sum, within }: Target): readonly Point[] {
  const unit = unitOf(family.name)
  const buckets = [...within].sort(([a], [b]) => (a < b ? -1 : 1)).map(([le, count]) => ({ le, count }))
  const peaks = [...QUANTILES.map(([name, q]) => [name, quantileOf(buckets, q)] as const), ['max', maxOf(buckets)] as const]
  return [
    ...(value > 0 ? [{ name: 'count', metric: `${metric}.count`, kind: 'count' as const, unit: undefined, value }] : []),
    ...(sum > 0 ? [{ name: 'sum', metric: `${metric}.sum`, kind: 'count' as const, unit, value: sum }] : []),
    ...peaks.flatMap(([name, peak]) =>
      peak === undefined ? [] : [{ name, metric: `${metric}.${name}`, kind: 'peak' as const, unit, value: peak }],
    ),
  ]
}

/** As the name says it. */
export function unitOf(name: string): string | undefined {
  if (/_timestamp_seconds$/.test(name)) return undefined
  const [, unit] = /_(bytes|seconds)(?:_total)?$/.exec(name) ?? []
  return unit?.slice(0, -1)
}

/** MetricIntakeType: 1 is a count, 3 a gauge. */
const COUNT = 1
const GAUGE = 3

type Head = Required<Pick<MetricSeries, 'metric' | 'type' | 'resources'>> & Pick<MetricSeries, 'unit'>

export const isCount = (kind: Kind): boolean => kind === 'bytes' || kind === 'count'

export interface Heads {
  /** The JSON of all that stays the same, without braces, in the pieces of a series. `tags`: as JSON has them, but for the first quote. */
  of(point: Point, of: { readonly host: string; readonly tags: Pieces }): Pieces
}

export function createHeads(): Heads {
  /** Of a host, by metric. */
  const known = new Map<string, Pieces>()
  let knownHost = ''

  return {
    of(point, { host, tags }) {
      if (host !== knownHost) known.clear()
      knownHost = host
      const head = known.get(point.metric) ?? piecesOf(renderHead(point, host))
      known.set(point.metric, head)
      if (tags.length === 0) return [...head, 'tags":[]']
      const pieces = [...head, `tags":["${tags[0]}`, ...tags.slice(1)]
      pieces[pieces.length - 1] += ']'
      return pieces
    },
  }
}

function renderHead({ metric, kind, unit }: Point, host: string): string {
  const head: Head = {
    metric,
    type: isCount(kind) ? COUNT : GAUGE,
    ...(unit === undefined ? {} : { unit }),
    resources: [{ type: 'host', name: host }],
  }
  return JSON.stringify(head).slice(1, -1)
}
