// The kubelet of this node: what its pods' networks carried, and what their proxies take. It says which pod; who owns that, others know.
// Needs the kubelet's port, and the rules nodes/stats and nodes/metrics. Where /stats/summary is gone or refused, /metrics/resource says the CPU
// and the memory.
import type { Log } from '../../deps.js'
import type { OfPod, Reading, Readings, Source } from '../../model.js'
import { receiveBytes, transmitBytes } from '../net-dev.js'
import { families, ownerReceive, ownerTransmit, proxyCpu, proxyCpuRequest, proxyMemory, proxyMemoryRequest } from './families.js'
import { parseResources } from './resource.js'
import { type InterfaceRow, type PodRow, PROXY, type ProxyRow, parseSummary } from './summary.js'

export interface KubeletEndpoint {
  /** The whole answer. Rejects with KubeletRefused for any but 200, and with one line that says what to do for whatever else goes wrong. */
  read(path: string, signal: AbortSignal): Promise<string>
  close(): Promise<void>
}

/** It answers, but not that. */
export class KubeletRefused extends Error {
  override readonly name = 'KubeletRefused'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** What a proxy reserves; undefined: nothing. */
export interface ProxyRequests {
  readonly pod: OfPod
  readonly cpuCores: number | undefined
  readonly memoryBytes: number | undefined
}

/** What is known of this node's pods. */
export interface PodsHere {
  uidOf(namespace: string, name: string): string | undefined
  proxies(): Iterable<ProxyRequests>
}

export interface KubeletParts {
  /** Asked for before the first read, and again after one that failed. */
  readonly open: (signal: AbortSignal) => Promise<KubeletEndpoint>
  readonly pods: PodsHere
  /** The node's devices as well: for who cannot see them. */
  readonly servesNode: boolean
}

const SUMMARY = '/stats/summary'
const RESOURCES = '/metrics/resource'
const FORBIDDEN = 403
const NOT_FOUND = 404
const NEAR = 0.1

export function createKubelet({ open, pods, servesNode }: KubeletParts, { log }: { readonly log: Log }): Source {
  let endpoint: KubeletEndpoint | undefined
  let isReduced = false

  async function readWith(opened: KubeletEndpoint, signal: AbortSignal): Promise<Readings> {
    try {
      const { node, pods: rows, rejected } = parseSummary(await opened.read(SUMMARY, signal))
      if (isReduced) log.info('the kubelet serves its summary again', { path: SUMMARY })
      isReduced = false
      return {
        readings: [...(servesNode ? nodeReadings(node) : []), ...rows.flatMap((row) => podReadings(row, node)), ...requestReadings(pods)],
        rejected,
      }
    } catch (error) {
      const isRefused = error instanceof KubeletRefused && (error.status === FORBIDDEN || error.status === NOT_FOUND)
      if (!isRefused) throw error
      return readResources(opened, error, signal)
    }
  }

  async function readResources(opened: KubeletEndpoint, refused: KubeletRefused, signal: AbortSignal): Promise<Readings> {
    const text = await opened.read(RESOURCES, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      throw refused.status === FORBIDDEN ? refused : error
    })
    if (!isReduced)
      log.warn('the kubelet serves no summary: CPU and memory of proxies are read elsewhere, bytes of pods cannot be', {
        path: RESOURCES,
        error: refused.message,
      })
    isReduced = true
    const { proxies, rejected } = parseResources(text)
    const rows = proxies.flatMap(({ namespace, name, ...proxy }) => {
      const uid = pods.uidOf(namespace, name)
      return uid === undefined
        ? []
        : [...networkReadings({ uid, namespace, name, network: 'own' }, NO_NETWORK), ...proxyReadings({ uid, namespace, name }, proxy)]
    })
    return { readings: [...rows, ...requestReadings(pods)], rejected }
  }

  return {
    name: 'kubelet',
    families: servesNode ? [...families, receiveBytes, transmitBytes] : families,
    needs: [
      { kind: 'rule', resource: 'nodes/stats', verb: 'get' },
      { kind: 'rule', resource: 'nodes/metrics', verb: 'get' },
    ],
    async read(signal) {
      signal.throwIfAborted()
      endpoint ??= await open(signal)
      const opened = endpoint
      try {
        return await readWith(opened, signal)
      } catch (error) {
        // A certificate or an address may have changed: the next read begins with them.
        endpoint = undefined
        await opened.close().catch(() => undefined)
        throw error
      }
    },
  }
}

type NetworkRow = Pick<PodRow, 'startedMs' | 'interfaces'>

/** It is there still: what it said last is to be kept. */
const NO_NETWORK: NetworkRow = { startedMs: undefined, interfaces: [] }

function podReadings(row: PodRow, node: readonly InterfaceRow[]): readonly Reading[] {
  const { uid, namespace, name, proxy } = row
  const pod = { uid, namespace, name }
  const network = isLike(row.interfaces, node) ? 'perhaps node' : 'own'
  return [...networkReadings({ ...pod, network }, row), ...(proxy ? proxyReadings(pod, proxy) : [])]
}

/** The two are not read at the same moment. A pod that carries almost all of its node's bytes looks the same: so this proves nothing. */
function isLike(interfaces: readonly InterfaceRow[], node: readonly InterfaceRow[]): boolean {
  const isNear = (one = 0, other = 0): boolean => Math.abs(one - other) <= NEAR * Math.max(one, other)
  const isSame = ({ name, receive, transmit }: InterfaceRow): boolean =>
    node.some((of) => of.name === name && isNear(of.receive, receive) && isNear(of.transmit, transmit))
  return interfaces.length > 0 && interfaces.length === node.length && interfaces.every(isSame)
}

function networkReadings(pod: OfPod, { startedMs, interfaces }: NetworkRow): readonly Reading[] {
  const common = { kind: 'total', labels: {}, pod, target: `network ${pod.uid}`, startedMs } as const
  if (interfaces.length === 0) return [{ ...common, family: ownerReceive, series: '', value: undefined }]
  return interfaces.flatMap(({ name: series, receive, transmit }) => [
    { ...common, family: ownerReceive, series, value: receive },
    { ...common, family: ownerTransmit, series, value: transmit },
  ])
}

function proxyReadings(pod: OfPod, { startedMs, cpuSeconds, memoryBytes }: ProxyRow): readonly Reading[] {
  const target = `container ${pod.uid} ${PROXY}`
  return [
    { kind: 'total', family: proxyCpu, labels: {}, pod, target, series: '', value: cpuSeconds, startedMs },
    ...(memoryBytes === undefined ? [] : [{ kind: 'value', family: proxyMemory, labels: {}, pod, value: memoryBytes } as const]),
  ]
}

function* requestReadings(pods: PodsHere): Generator<Reading> {
  for (const { pod, cpuCores, memoryBytes } of pods.proxies()) {
    if (cpuCores !== undefined) yield { kind: 'value', family: proxyCpuRequest, labels: {}, pod, value: cpuCores }
    if (memoryBytes !== undefined) yield { kind: 'value', family: proxyMemoryRequest, labels: {}, pod, value: memoryBytes }
  }
}

function nodeReadings(interfaces: readonly InterfaceRow[]): readonly Reading[] {
  return interfaces.flatMap(({ name: device, receive, transmit }) => [
    ...(receive === undefined ? [] : [{ kind: 'value', family: receiveBytes, labels: { device }, value: receive } as const]),
    ...(transmit === undefined ? [] : [{ kind: 'value', family: transmitBytes, labels: { device }, value: transmit } as const]),
  ])
}
