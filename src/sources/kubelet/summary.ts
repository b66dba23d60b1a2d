// The kubelet's /stats/summary, as its API types have it (k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go), of which this is read:
//   {"node": {"network": {"name": "eth0", "rxBytes": 1, "txBytes": 2, "interfaces": [{"name": "eth0", "rxBytes": 1, "txBytes": 2}]}},
//    "pods": [{"podRef": {"name": "cart-7f9c-x2x4v", "namespace": "shop", "uid": "4f6b..."}, "startTime": "2026-11-21T10:00:00Z",
//              "network": {...as above}, "containers": [{"name": "istio-proxy", "startTime": "...",
//              "cpu": {"usageCoreNanoSeconds": 5}, "memory": {"workingSetBytes": 6}}]}]}
// Everything in it but names may be missing: the network of a pod is, until the kubelet has looked at it.
import { fieldsOf, listOf, type Raw, textOf, timeMsOf } from '../../formats/raw.js'

/** Running totals in bytes; undefined where it does not say. */
export interface InterfaceRow {
  readonly name: string
  readonly receive: number | undefined
  readonly transmit: number | undefined
}

export interface ProxyRow {
  readonly startedMs: number | undefined
  readonly cpuSeconds: number | undefined
  readonly memoryBytes: number | undefined
}

export interface PodRow {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** When its network began to be counted. */
  readonly startedMs: number | undefined
  /** Each once, without loopback. */
  readonly interfaces: readonly InterfaceRow[]
  readonly proxy: ProxyRow | undefined
}

export interface Summary {
  readonly node: readonly InterfaceRow[]
  readonly pods: readonly PodRow[]
  /** Rows and numbers that could not be understood. */
  readonly rejected: number
}

/** What came is no answer of a kubelet. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood'
}

export const PROXY = 'istio-proxy'

/** Past it a double no longer counts bytes one by one, and no interface has carried so many. */
const MAX_BYTES = Number.MAX_SAFE_INTEGER
/** Of uint64, half: what is more was below zero. */
const MAX_NANOSECONDS = 2 ** 63
const NANOSECONDS = 1e9

/** Throws NotUnderstood where it is no summary at all. */
export function parseSummary(text: string): Summary {
  const summary = parseObject(text)
  if (!Array.isArray(summary.pods)) throw new NotUnderstood('its answer is no summary: it has no pods')
  const numbers = createNumbers()
  const node = interfacesOf(fieldsOf(summary.node).network, numbers)
  const pods = summary.pods.flatMap((pod) => podRowOf(fieldsOf(pod), numbers) ?? [])
  return { node, pods, rejected: numbers.rejected + summary.pods.length - pods.length }
}

function parseObject(text: string): Raw {
  try {
    return fieldsOf(JSON.parse(text))
  } catch (error) {
    throw new NotUnderstood('its answer is no whole JSON', { cause: error })
  }
}

interface Numbers {
  /** Undefined where there is none, or a wrong one. */
  of(value: unknown, max: number): number | undefined
  readonly rejected: number
}

function createNumbers(): Numbers {
  let rejected = 0
  return {
    of(value, max) {
      if (value === undefined || value === null) return undefined
      if (typeof value === 'number' && value >= 0 && value <= max) return value
      rejected++
      return undefined
    },
    get rejected() {
      return rejected
    },
  }
}

function podRowOf(pod: Raw, numbers: Numbers): PodRow | undefined {
  const reference = fieldsOf(pod.podRef)
  const [uid = '', namespace = '', name = ''] = [reference.uid, reference.namespace, reference.name].map(textOf)
  if (!uid || !namespace || !name) return undefined
  const proxy = listOf(pod.containers)
    .map(fieldsOf)
    .find((container) => container.name === PROXY)
  return {
    uid,
    namespace,
    name,
    startedMs: timeMsOf(pod.startTime),
    interfaces: interfacesOf(pod.network, numbers),
    proxy: proxy && proxyRowOf(proxy, numbers),
  }
}

function proxyRowOf({ startTime, cpu, memory }: Raw, numbers: Numbers): ProxyRow {
  const nanoseconds = numbers.of(fieldsOf(cpu).usageCoreNanoSeconds, MAX_NANOSECONDS)
  return {
    startedMs: timeMsOf(startTime),
    cpuSeconds: nanoseconds === undefined ? undefined : nanoseconds / NANOSECONDS,
    memoryBytes: numbers.of(fieldsOf(memory).workingSetBytes, MAX_BYTES),
  }
}

/** Some runtimes list the default interface among all, others beside them. */
function interfacesOf(network: unknown, numbers: Numbers): readonly InterfaceRow[] {
  const whole = fieldsOf(network)
  const listed = listOf(whole.interfaces).map(fieldsOf)
  const isListed = listed.some(({ name }) => textOf(name) === textOf(whole.name))
  const rows = new Map<string, InterfaceRow>()
  for (const { name, rxBytes, txBytes } of isListed ? listed : [whole, ...listed]) {
    const row = { name: textOf(name), receive: numbers.of(rxBytes, MAX_BYTES), transmit: numbers.of(txBytes, MAX_BYTES) }
    const isSaid = row.receive !== undefined || row.transmit !== undefined
    if (isSaid && row.name !== 'lo' && !rows.has(row.name)) rows.set(row.name, row)
  }
  return [...rows.values()]
}
