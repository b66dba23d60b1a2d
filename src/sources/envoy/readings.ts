// What proxies and their pilot-agents said -> readings. There may be thousands each time, hence plain objects, and labels that stay the same ones.
import type { Family, Labels, Reading, TotalReading, ValueReading } from '../../model.js'
import type { Scraped, Target } from '../scraping.js'
import { createJoin } from '../source.js'
import type { AgentStats } from './agent-stats.js'
import {
  clusters,
  configRejected,
  configUpdate,
  connectionFailures,
  connectionTerminations,
  failedRequests,
  proxies,
  unreachable,
  xdsReceive,
} from './families.js'
import { createRotations } from './rotations.js'
import type { ProxyStats } from './stats.js'

export interface Timed extends ProxyStats {
  /** When it began, and so its counters. */
  readonly startedMs: number | undefined
}

export interface ProxyReadings {
  proxyReadings(scraped: Scraped<Timed>): readonly Reading[]
  agentReadings(scraped: Scraped<AgentStats>): readonly Reading[]
  /** Forgets all other targets. */
  keep(targets: ReadonlySet<string>): void
}

const XDS: Readonly<Record<'cds' | 'lds', Labels>> = { cds: { xds: 'cds' }, lds: { xds: 'lds' } }

export function createProxyReadings(): ProxyReadings {
  const rotations = createRotations()
  const join = createJoin()

  /** Of a pod its owner's labels are found out behind us. */
  const labelsOf = (target: Target, labels: Labels): Labels => (target.pod ? labels : join(target.labels, labels))

  return {
    keep: rotations.keep,
    proxyReadings({ target, said, failure }) {
      const of = { target, name: `envoy ${target.name}`, startedMs: said?.startedMs ?? target.startedMs }
      const readings: Reading[] = [gaugeOf(target, proxies, 1), gaugeOf(target, unreachable, failure === undefined ? 0 : 1)]
      if (said?.clusters !== undefined) readings.push(gaugeOf(target, clusters, said.clusters))
      if (said?.updatedMs !== undefined) readings.push(gaugeOf(target, configUpdate, said.updatedMs / 1_000))
      readings.push(totalOf(of, { family: xdsReceive, labels: target.labels, series: '', value: said?.xdsReceiveBytes }))
      if (!said) return readings
      for (const { xds, count } of said.rejected)
        readings.push(totalOf(of, { family: configRejected, labels: labelsOf(target, XDS[xds]), series: xds, value: count }))
      for (const { series, labels, count } of rotations.complete(target.name, said.failed))
        readings.push(totalOf(of, { family: failedRequests, labels: labelsOf(target, labels), series, value: count }))
      return readings
    },
    agentReadings({ target, said }) {
      const of = { target, name: `pilot-agent ${target.name}`, startedMs: said?.startedMs ?? target.startedMs }
      const one = { labels: target.labels, series: '' }
      return [
        totalOf(of, { ...one, family: connectionFailures, value: said?.failures }),
        totalOf(of, { ...one, family: connectionTerminations, value: said?.terminations }),
      ]
    },
  }
}

function gaugeOf({ labels, pod }: Target, family: Family, value: number): ValueReading {
  return pod ? { kind: 'value', family, labels, value, pod } : { kind: 'value', family, labels, value }
}

interface Of {
  readonly target: Target
  readonly name: string
  readonly startedMs: number | undefined
}

type Counter = Pick<TotalReading, 'family' | 'labels' | 'series' | 'value'>

function totalOf({ target: { pod }, name: target, startedMs }: Of, { family, labels, series, value }: Counter): TotalReading {
  const reading = { kind: 'total', family, labels, target, series, value, startedMs } as const
  return pod ? { ...reading, pod } : reading
}
