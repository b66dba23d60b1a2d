// The kubelet's /metrics/resource (kubernetes.io/docs/reference/instrumentation/node-metrics): CPU and memory, no network, and no uids.
//   container_cpu_usage_seconds_total{container="istio-proxy",namespace="shop",pod="cart-7f9c-x2x4v"} 4.71 1395066363000
import { parseSamples, type Sample } from '../../formats/prometheus-samples.js'
import { PROXY, type ProxyRow } from './summary.js'

export interface ProxyOfPod extends ProxyRow {
  readonly namespace: string
  readonly name: string
}

export interface Resources {
  readonly proxies: readonly ProxyOfPod[]
  readonly rejected: number
}

const CPU = 'container_cpu_usage_seconds_total'
const MEMORY = 'container_memory_working_set_bytes'
const STARTED = 'container_start_time_seconds'
const WANTED = new Set([CPU, MEMORY, STARTED])

export function parseResources(text: string): Resources {
  const { samples, rejected } = parseSamples(text, (name) => WANTED.has(name))
  const byPod = new Map<string, Map<string, Sample>>()
  for (const sample of samples.filter(({ labels }) => labels.container === PROXY)) {
    const key = JSON.stringify([sample.labels.namespace, sample.labels.pod])
    const known = byPod.get(key) ?? new Map<string, Sample>()
    byPod.set(key, known.set(sample.name, sample))
  }
  return { proxies: [...byPod.values()].map(rowOf), rejected }
}

function rowOf(samples: ReadonlyMap<string, Sample>): ProxyOfPod {
  const [first] = samples.values()
  const { namespace = '', pod: name = '' } = first?.labels ?? {}
  const numberOf = (sample: string): number | undefined => {
    const value = samples.get(sample)?.value
    return value !== undefined && value >= 0 && Number.isFinite(value) ? value : undefined
  }
  const started = numberOf(STARTED)
  const startedMs = started === undefined ? undefined : Math.floor(started) * 1000
  return { namespace, name, startedMs, cpuSeconds: numberOf(CPU), memoryBytes: numberOf(MEMORY) }
}
