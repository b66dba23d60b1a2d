// What sources ask over HTTP: pods of this node by what they are to Istio, and what the configuration names where no API server tells of pods.
import type { Deps } from '../deps.js'
import type { MeshRole } from '../identity/objects/mesh-role.js'
import type { OwnPod, OwnPods } from '../identity/own-pods.js'
import type { LogTarget } from '../sources/container-logs/following.js'
import { containerLog, fileLog } from '../sources/container-logs/segments.js'
import type { Target } from '../sources/scraping.js'
import type { PodLogs } from './pod-logs.js'

/** `urlOf`: of a host as it stands in a URL. Who has its address no longer, though its end was not heard of yet, has none. */
export function* targetsOf(pods: Pick<OwnPods, 'live'>, role: MeshRole, urlOf: (host: string) => string): Generator<Target> {
  const holders = holdersOf(pods, role)
  for (const pod of pods.live()) {
    if (pod.role !== role) continue
    const { uid, namespace, name, startedMs, addresses } = pod
    const [address] = addresses
    yield {
      name: uid,
      url: address === undefined || holders.get(address)?.uid !== uid ? undefined : urlOf(hostOf(address)),
      pod: { uid, namespace, name },
      startedMs,
      labels: NO_LABELS,
    }
  }
}

/** Auto: where it is known which pods there are, or targets are configured. */
export const isAsked = (
  { enabled, targets }: { readonly enabled: boolean | 'auto'; readonly targets: readonly unknown[] },
  pods: Pick<OwnPods, 'live'> | undefined,
): boolean => (enabled === 'auto' ? pods !== undefined || targets.length > 0 : enabled)

/** What role is believed of whom: any pod can have a label, or a container of that name. */
export interface Belief {
  readonly role: MeshRole
  readonly namespaces: readonly string[]
}

/** All pods; those that are not believed are nothing to Istio. */
export const believedOf = (pods: Pick<OwnPods, 'live'>, belief: Belief): Pick<OwnPods, 'live'> => ({
  *live() {
    for (const pod of pods.live()) yield isRefused(pod, belief) ? { ...pod, role: undefined } : pod
  },
})

export function* refusedOf(pods: Pick<OwnPods, 'live'>, belief: Belief): Generator<OwnPod> {
  for (const pod of pods.live()) if (isRefused(pod, belief)) yield pod
}

const isRefused = (pod: OwnPod, { role, namespaces }: Belief): boolean => pod.role === role && !namespaces.includes(pod.namespace)

/** Says of each namespace once that its pods are not believed. */
export function createRefusals(belief: Belief, { log }: Pick<Deps, 'log'>): (pods: Pick<OwnPods, 'live'> | undefined) => void {
  const said = new Set<string>()
  return (pods) => {
    if (!pods) return
    for (const { namespace, name } of refusedOf(pods, belief)) {
      if (said.has(namespace) || said.size >= MOST_SAID) continue
      said.add(namespace)
      log.warn('a pod is not believed for its namespace, and not asked', { source: belief.role, pod: `${namespace}/${name}` })
    }
  }
}

const MOST_SAID = 100

/** By address the youngest that has it; on the node's network many do, and of one role one. */
function holdersOf(pods: Pick<OwnPods, 'live'>, role: MeshRole): ReadonlyMap<string, OwnPod> {
  const holders = new Map<string, OwnPod>()
  for (const pod of pods.live()) {
    const [address] = pod.addresses
    if (address === undefined || (pod.hostNetwork && pod.role !== role)) continue
    const before = holders.get(address)
    if (!before || before.startedMs <= pod.startedMs) holders.set(address, pod)
  }
  return holders
}

/** Always the same ones. */
const NO_LABELS = Object.freeze({})

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** As in `envoy.targets`. */
export interface ConfiguredTarget {
  readonly url: string
  readonly zone: string
  readonly namespace: string
  readonly ownerKind: string
  readonly ownerName: string
}

/** Named by their URLs. */
export function configuredTargets(targets: readonly ConfiguredTarget[]): readonly Target[] {
  return targets.map(({ url, zone, namespace, ownerKind, ownerName }) => ({
    name: url,
    url,
    labels: { owner_zone: zone, owner_namespace: namespace, owner_kind: ownerKind, owner_name: ownerName },
  }))
}

interface LogsOf {
  /** Those that the configuration names, with the paths of their logs; '' where it is not to be read. */
  readonly named: readonly (ConfiguredTarget & { readonly log: string })[]
  readonly pods: Pick<OwnPods, 'live'> | undefined
  readonly role: MeshRole
  readonly container: string
  /** Where they are followed through the API server; else they are files. */
  readonly podLogs?: Pick<PodLogs, 'placeOf'> | undefined
}

/** Named as what is asked over HTTP. */
export function* logTargets({ named, pods, role, container, podLogs }: LogsOf): Generator<LogTarget> {
  const written = named.filter(({ log }) => log !== '')
  for (const [i, { name, labels }] of configuredTargets(written).entries()) yield { name, labels, place: fileLog(written[i]?.log ?? '') }
  if (!pods) return
  for (const { name, pod, labels, startedMs } of targetsOf(pods, role, (host) => host)) {
    if (!pod) continue
    const place = podLogs?.placeOf({ namespace: pod.namespace, pod: pod.name, container }) ?? containerLog(pod, container)
    yield { name, pod, labels, place, ...(startedMs === undefined ? {} : { startedMs }) }
  }
}
