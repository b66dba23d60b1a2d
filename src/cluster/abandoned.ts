// Leases of nodes whose agent went without a word: killed as it was leaving, or gone while its node was off. All others leave to it what such a
// node's pods send, so somebody has to end them. Not where an agent may come back, whose kernel table counts on:
//   no agent's Pod is on its node, seen for ABANDONED_MS and then asked for once more,
//   and no DaemonSet of agents wants one there.
// Agents are those with the labels of the chart, and those of the DaemonSet that the Lease names: a node may go on from one DaemonSet to another,
// and one that is gone says nothing of the nodes of the others.
import type { Deps } from '../deps.js'
import type { PodFacts } from '../identity/objects/pod.js'
import type { KubeClient } from '../kube/client.js'
import { isNotFound, KubeError } from '../kube/kube-error.js'
import { isUnheard } from './daemon-nodes.js'
import { ABANDONED_MS, isLabelledAgent, type Leases, leasesPath } from './leases.js'
import { readRawNode } from './node.js'
import type { AgentPods } from './objects.js'
import { makerOf, type RawDaemonSet, readDaemonSets, readPodsOn, wantsAgent } from './workload.js'

export interface Abandoned {
  /** Hear of all pods and Leases. */
  readonly pods: AgentPods
  readonly leases: Leases
  /** Looks for them now and then, until aborted. `mayEnd`: whether they are ours to end. */
  run(mayEnd: () => boolean, signal: AbortSignal): Promise<void>
  /** Once. Never rejects. */
  look(signal: AbortSignal): Promise<void>
}

/** A Lease that may be one. */
interface Suspect {
  readonly uid: string
  readonly node: string
  readonly daemonSet: string
}

const LOOK_EVERY_MS = 60_000
const CONFLICT = 409
/** Each is three requests. */
const MOST_AT_ONCE = 20

type ReadSets = () => Promise<readonly RawDaemonSet[]>

export function createAbandoned(
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
): Abandoned {
  /** By key, where it is. */
  const pods = new Map<string, string>()
  const leases = new Map<string, Suspect>()
  /** Since when they have been without an agent, by uid. */
  const since = new Map<string, number>()
  const refused = new Set<string>()

  function suspects(): ReadonlyMap<string, Suspect> {
    const withAgent = new Set(pods.values())
    const hasAgent = ({ daemonSet, node }: Suspect): boolean => withAgent.has(node) || withAgent.has(placeOf(daemonSet, node))
    return new Map([...leases].filter(([, lease]) => !hasAgent(lease)))
  }

  function notice(found: ReadonlyMap<string, Suspect>): void {
    const uids = new Set([...found.values()].map(({ uid }) => uid))
    for (const uid of since.keys()) if (!uids.has(uid)) since.delete(uid)
    for (const uid of refused) if (!uids.has(uid)) refused.delete(uid)
    for (const uid of uids) if (!since.has(uid)) since.set(uid, clock.monotonic())
  }

  const isDue = ({ uid }: Suspect): boolean => clock.monotonic() - (since.get(uid) ?? Number.POSITIVE_INFINITY) >= ABANDONED_MS

  /** Of a node that is not heard nobody knows whether its agent is: one that is cut off goes on counting, one that is off sends nothing. */
  async function isAbandoned({ daemonSet, node }: Suspect, readSets: ReadSets, signal: AbortSignal): Promise<boolean> {
    const raw = await readRawNode(client, node, signal)
    if (!raw || isUnheard(raw)) return false
    const sets = (await readSets()).filter(({ metadata }) => isLabelledAgent(metadata) || metadata.name === daemonSet)
    if (sets.some((set) => wantsAgent(set, raw))) return false
    const found = await readPodsOn(client, { namespace, node }, signal)
    return !found.some((pod) => pod.spec.hostNetwork && (isLabelledAgent(pod.metadata) || makerOf(pod)?.name === daemonSet))
  }

  async function end(key: string, suspect: Suspect, readSets: ReadSets, signal: AbortSignal): Promise<void> {
    const { uid, node, daemonSet } = suspect
    // Whatever comes of it, not before the same time again.
    since.delete(uid)
    if (!(await isAbandoned(suspect, readSets, signal))) return
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } }
    await client.request(`${leasesPath(namespace)}/${key.split('/').at(-1)}`, { method: 'DELETE', body, signal })
    log.info('the Lease of a node without an agent is ended: its bytes are posted where they arrive', { node, daemonset: daemonSet })
  }

  function complain({ uid, node }: Suspect, error: Error): void {
    if (refused.has(uid)) return
    refused.add(uid)
    log.warn('whether the Lease of a node without an agent is to be ended cannot be known, or it cannot be ended', {
      node,
      error: error.message,
    })
  }

  async function look(signal: AbortSignal): Promise<void> {
    const found = suspects()
    notice(found)
    const due = [...found].filter(([, suspect]) => isDue(suspect)).slice(0, MOST_AT_ONCE)
    let sets: Promise<readonly RawDaemonSet[]> | undefined
    const readSets: ReadSets = () => (sets ??= readDaemonSets(client, namespace, signal))
    for (const [key, suspect] of due)
      await end(key, suspect, readSets, signal).catch((error: Error) => {
        if (!signal.aborted && !isEnded(error)) complain(suspect, error)
      })
  }

  return {
    pods: {
      put(key, pod, isLabelled) {
        const place = pod.namespace === namespace ? placeOfPod(pod, isLabelled) : undefined
        if (place === undefined) pods.delete(key)
        else pods.set(key, place)
      },
      remove: (key) => void pods.delete(key),
    },
    leases: {
      put(key, { uid, node, daemonSet }) {
        if (uid !== undefined && daemonSet !== undefined) leases.set(key, { uid, node, daemonSet })
        else leases.delete(key)
      },
      remove: (key) => void leases.delete(key),
    },
    async run(mayEnd, signal) {
      while (!signal.aborted) {
        await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined)
        if (signal.aborted) return
        if (mayEnd()) await look(signal)
        else notice(suspects())
      }
    },
    look,
  }
}

/** By somebody else, who may have made another one. */
const isEnded = (error: Error): boolean => isNotFound(error) || (error instanceof KubeError && error.status === CONFLICT)

/** One that is not on its node's network counts nothing there. No name has a slash. */
function placeOfPod({ controller, hostNetwork, node }: PodFacts, isLabelled: boolean): string | undefined {
  if (!hostNetwork || node === '') return undefined
  if (isLabelled) return node
  return controller?.kind === 'DaemonSet' ? placeOf(controller.name, node) : undefined
}

const placeOf = (daemonSet: string, node: string): string => `${daemonSet}/${node}`
