// The pods of this node by their uids: whose they are, whatever addresses they have or have not.
import type { MeshRole } from './objects/mesh-role.js'
import type { PodFacts } from './objects/pod.js'
import type { ProxyRequest } from './objects/proxy-request.js'
import type { Owner } from './owners/direct-owner.js'
import type { Tenancies } from './tenancies.js'

/** What is kept of a pod of this node. */
export interface OwnPodFacts extends PodFacts {
  readonly proxy?: ProxyRequest | undefined
  readonly role?: MeshRole | undefined
  /** By which its node knows it, where that is not its uid. */
  readonly nodeUid?: string | undefined
}

export interface OwnPod {
  readonly key: string
  readonly uid: string
  /** By which its node knows it. */
  readonly nodeUid: string
  readonly namespace: string
  readonly name: string
  readonly owner: Owner
  readonly hostNetwork: boolean
  readonly isStatic: boolean
  readonly proxy: ProxyRequest | undefined
  readonly role: MeshRole | undefined
  /** Canonical text; empty until it has one. On its node's network they are the node's. */
  readonly addresses: readonly string[]
  readonly startedMs: number
  /** It may still run. */
  readonly isLive: boolean
}

/** Keys are those of the API server. Pods of other nodes are passed over. */
export interface OwnPods {
  put(key: string, pod: OwnPodFacts, owner: Owner): void
  remove(key: string, atMs: number): void
  /** A static pod's uid is its node's, and its mirror at the API server has another one: those are found by name. */
  find(pod: Pick<OwnPod, 'uid' | 'namespace' | 'name'>): OwnPod | undefined
  uidOf(namespace: string, name: string): string | undefined
  live(): Iterable<OwnPod>
}

/** What a pod did last is heard of after it is gone. */
const REMEMBERED_MS = 600_000

export function createOwnPods(node: string): OwnPods {
  const byUid = new Map<string, OwnPod>()
  const uids = new Map<string, string>()
  const gone = new Map<string, number>()

  function forget(atMs: number): void {
    for (const [uid, sinceMs] of gone) {
      if (atMs - sinceMs < REMEMBERED_MS) continue
      gone.delete(uid)
      byUid.delete(uid)
    }
  }

  function end(key: string, atMs: number): void {
    const uid = uids.get(key)
    const pod = uid === undefined ? undefined : byUid.get(uid)
    uids.delete(key)
    if (!pod) return
    byUid.set(pod.uid, { ...pod, isLive: false })
    gone.set(pod.uid, atMs)
  }

  return {
    put(key, pod, owner) {
      if (pod.node !== node) return
      const { uid, nodeUid, namespace, name, hostNetwork, isStatic, proxy, role, addresses, endedMs, startedMs } = pod
      // One of a StatefulSet comes back by the same name.
      if (uids.has(key) && uids.get(key) !== uid) end(key, startedMs)
      const isLive = endedMs === undefined
      const kept = { namespace, name, owner, hostNetwork, isStatic, proxy, role, addresses, startedMs, isLive }
      byUid.set(uid, { key, uid, nodeUid: nodeUid ?? uid, ...kept })
      uids.set(key, uid)
      gone.delete(uid)
    },
    remove(key, atMs) {
      end(key, atMs)
      forget(atMs)
    },
    find({ uid, namespace, name }) {
      const named = byUid.get(uids.get(`${namespace}/${name}`) ?? '')
      return byUid.get(uid) ?? (named?.isStatic ? named : undefined)
    },
    uidOf: (namespace, name) => uids.get(`${namespace}/${name}`),
    *live() {
      for (const pod of byUid.values()) if (pod.isLive) yield pod
    },
  }
}

/** Tenancies say who has an address; of a pod more is of interest here. */
export function heardBy(pods: OwnPods, tenancies: Tenancies): Tenancies {
  return {
    ...tenancies,
    putPod(key, pod, owner, heard) {
      pods.put(key, pod, owner)
      tenancies.putPod(key, pod, owner, heard)
    },
    removePod(key, atMs) {
      pods.remove(key, atMs)
      tenancies.removePod(key, atMs)
    },
  }
}
