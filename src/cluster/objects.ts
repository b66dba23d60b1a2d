// What the API server has that has addresses -> tenancies: pods with their owners, nodes, and what lasting-objects.ts lists.
import type { Deps } from '../deps.js'
import { meshRoleOf } from '../identity/objects/mesh-role.js'
import { nodeFactsOf } from '../identity/objects/node.js'
import { mirroredUidOf, type PodFacts, podFactsOf } from '../identity/objects/pod.js'
import { type ContainerRestarts, restartsOf } from '../identity/objects/pod-restarts.js'
import { proxyRequestOf } from '../identity/objects/proxy-request.js'
import { createSharing, type Sharing } from '../identity/objects/sharing.js'
import type { OwnPodFacts } from '../identity/own-pods.js'
import type { Owner } from '../identity/owners/direct-owner.js'
import { type ControllerReference, controllerIn } from '../identity/owners/lookup.js'
import { createOwners } from '../identity/owners.js'
import type { Heard, Tenancies } from '../identity/tenancies.js'
import { createBackoff } from '../kube/backoff.js'
import type { KubeClient } from '../kube/client.js'
import { readMetadata } from '../kube/metadata.js'
import type { Following } from './following.js'
import type { ResolveHost } from './host-names.js'
import { followLasting } from './lasting-objects.js'
import { isLabelledAgent } from './leases.js'

export interface ClusterObjectsParts {
  readonly client: KubeClient
  readonly following: Following
  readonly tenancies: Tenancies
  /** An owner that cannot be read for this long is stood in for. */
  readonly patienceMs: number
  /** The agent's; the directory has none. */
  readonly ownNode?: string | undefined
  /** Host names, such as those of load balancers. */
  readonly resolve: ResolveHost
  /** Hears of each pod as well, whoever owns it. */
  readonly restarts?: PodRestarts | undefined
  /** So does this. */
  readonly agents?: AgentPods | undefined
}

export interface AgentPods {
  /** `isLabelled`: as agents are. */
  put(key: string, pod: PodFacts, isLabelled: boolean): void
  remove(key: string): void
}

export interface PodRestarts {
  put(key: string, pod: PodFacts, restarts: readonly ContainerRestarts[]): void
  remove(key: string): void
}

type ClusterDeps = Pick<Deps, 'clock' | 'log' | 'random'>

/** Its owner is asked for; `goneMs`: it has gone meanwhile. */
interface Waiting {
  readonly pod: PodFacts
  readonly heard: Heard
  readonly goneMs?: number
}

export const NODES = '/api/v1/nodes'
export const PODS = '/api/v1/pods'
const MOST_SHARED = 20_000
/** What is made anew at every rollout or run (identity/owners). */
const RESOURCES: Readonly<Record<string, string>> = { ReplicaSet: 'replicasets', Job: 'jobs' }

interface Labelled {
  readonly metadata: Parameters<typeof isLabelledAgent>[0]
}

type PodParts = Omit<ClusterObjectsParts, 'resolve' | 'restarts' | 'agents'>

/** The pods of one node. Resolves once all of them have been told; goes on in the background until aborted. */
export async function followPodsOf(node: string, parts: PodParts, deps: ClusterDeps, signal: AbortSignal): Promise<void> {
  const pods = createOwnedPods(parts, deps, signal)
  const query = { fieldSelector: `spec.nodeName=${node}` }
  await parts.following.follow({ path: PODS, query, prune: (raw) => podOf(raw, node), ...pods }, signal)
  await pods.told()
}

/** Of its own node's pods an agent keeps more than the directory does of all. */
function podOf(raw: unknown, ownNode: string, sharing?: Sharing): OwnPodFacts | undefined {
  const pod = podFactsOf(raw, sharing)
  if (pod?.node !== ownNode) return pod
  const [proxy, role, nodeUid] = [proxyRequestOf(raw), meshRoleOf(raw), mirroredUidOf(raw)]
  return proxy || role || nodeUid ? Object.freeze({ ...pod, proxy, role, nodeUid }) : pod
}

/** All there is. Resolves once it has been told; goes on in the background until aborted. */
export async function followCluster(parts: ClusterObjectsParts, deps: ClusterDeps, signal: AbortSignal): Promise<void> {
  const { following, tenancies, restarts, agents, ownNode = '' } = parts
  const { clock } = deps
  const pods = createOwnedPods(parts, deps, signal)
  const sharing = createSharing(MOST_SHARED)
  // A pod's zone is its node's: so nodes come first.
  await following.follow(
    {
      path: NODES,
      prune: nodeFactsOf,
      put: (_, node) => tenancies.putNode(node, clock.now()),
      remove: (name) => tenancies.removeNode(name, clock.now()),
    },
    signal,
  )
  await Promise.all([
    following.follow(
      {
        path: PODS,
        prune: (raw) => {
          const pod = podOf(raw, ownNode, sharing)
          return pod && { pod, restarted: restarts ? restartsOf(raw) : [], isLabelled: isLabelledAgent((raw as Labelled).metadata) }
        },
        put(key, { pod, restarted, isLabelled }, sinceMs) {
          pods.put(key, pod, sinceMs)
          restarts?.put(key, pod, restarted)
          agents?.put(key, pod, isLabelled)
        },
        remove(key, sinceMs) {
          pods.remove(key, sinceMs)
          restarts?.remove(key)
          agents?.remove(key)
        },
        missed: pods.missed,
        told: pods.told,
      },
      signal,
    ),
    followLasting({ ...parts, clock, log: deps.log }, signal),
  ])
  await pods.told()
}

/** A pod is told of with its owner: until that is known its bytes wait. */
function createOwnedPods({ client, tenancies, patienceMs }: PodParts, deps: ClusterDeps, signal: AbortSignal) {
  const readController = async (reference: ControllerReference, until: AbortSignal) =>
    controllerIn(await readMetadata(client, objectNameOf(reference), until), reference)
  const owners = createOwners({ readController, createBackoff: () => createBackoff(deps.random), giveUpMs: patienceMs, ...deps }, signal)
  const waiting = new Map<string, Waiting>()
  const underWay = new Set<Promise<void>>()

  function tell(key: string, { pod, heard, goneMs }: Waiting, owner: Owner): void {
    tenancies.putPod(key, pod, owner, heard)
    if (goneMs !== undefined) tenancies.removePod(key, goneMs)
  }

  async function tellLater(key: string, uid: string, asked: Promise<Owner>): Promise<void> {
    const owner = await asked.catch(() => undefined)
    const latest = waiting.get(key)
    if (!owner || latest?.pod.uid !== uid) return
    waiting.delete(key)
    tell(key, latest, owner)
  }

  return {
    /** `sinceMs`: what it was before it may have ceased to be at any time after that. */
    put(key: string, pod: PodFacts, sinceMs?: number): void {
      const before = waiting.get(key)
      const isAsked = before?.pod.uid === pod.uid
      const latest = { pod, heard: { atMs: deps.clock.now(), sinceMs: before?.heard.sinceMs ?? sinceMs } }
      if (isAsked) waiting.set(key, latest)
      if (isAsked) return
      const owner = owners.ownerOf(pod)
      if (!(owner instanceof Promise)) {
        waiting.delete(key)
        tell(key, latest, owner)
        return
      }
      waiting.set(key, latest)
      const telling = tellLater(key, pod.uid, owner).finally(() => underWay.delete(telling))
      underWay.add(telling)
    },
    /** All whose owners are asked for by now: what cannot be read is given up after `patienceMs`. */
    async told(): Promise<void> {
      await Promise.all(underWay)
    },
    missed: tenancies.miss,
    /** `sinceMs`: it may have ended at any time after that. */
    remove(key: string, sinceMs?: number): void {
      const goneMs = sinceMs ?? deps.clock.now()
      const asked = waiting.get(key)
      if (asked) waiting.set(key, { ...asked, goneMs })
      else tenancies.removePod(key, goneMs)
    },
  }
}

function objectNameOf({ apiVersion, kind, namespace, name }: ControllerReference) {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return { group, version, resource: RESOURCES[kind] ?? `${kind.toLowerCase()}s`, namespace, name }
}
