// Leases of nodes whose agent went without a word: killed as it was leaving, or gone while its node was off. All others leave to it what such a
// node's pods send, so somebody has to end them. Not where an agent may come back, whose kernel table counts on:
//   no Pod of the DaemonSet that the Lease names is on its node, seen for ABANDONED_MS and then asked for once more,
//   and that DaemonSet wants none there.
import type { Deps } from '../deps.js'
import type { KubeClient } from '../kube/client.js'
import { KubeError } from '../kube/kube-error.js'
import { wantsNode } from './daemon-nodes.js'
import { ABANDONED_MS, type CoverageLease, leasesPath } from './leases.js'
import { readRawNode } from './node.js'
import type { AgentPods } from './objects.js'
import { hasPodOn, readDaemonSet } from './workload.js'

export interface Abandoned {
  /** Hear of all pods and Leases. */
  readonly pods: AgentPods
  readonly leases: {
    put(key: string, lease: CoverageLease): void
    remove(key: string): void
  }
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
const NOT_FOUND = 404
const CONFLICT = 409
/** Each is four requests. */
const MOST_AT_ONCE = 20

export function createAbandoned(
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
): Abandoned {
  const pods = new Map<string, string>()
  const leases = new Map<string, Suspect>()
  /** Since when they have been without an agent, by uid. */
  const since = new Map<string, number>()
  const refused = new Set<string>()

  function suspects(): ReadonlyMap<string, Suspect> {
    const withAgent = new Set(pods.values())
    return new Map([...leases].filter(([, { daemonSet, node }]) => !withAgent.has(placeOf(daemonSet, node))))
  }

  function notice(found: ReadonlyMap<string, Suspect>): void {
    const uids = new Set([...found.values()].map(({ uid }) => uid))
    for (const uid of since.keys()) if (!uids.has(uid)) since.delete(uid)
    for (const uid of refused) if (!uids.has(uid)) refused.delete(uid)
    for (const uid of uids) if (!since.has(uid)) since.set(uid, clock.monotonic())
  }

  const isDue = ({ uid }: Suspect): boolean => clock.monotonic() - (since.get(uid) ?? Number.POSITIVE_INFINITY) >= ABANDONED_MS

  async function isAbandoned({ daemonSet, node }: Suspect, signal: AbortSignal): Promise<boolean> {
    const found = await readDaemonSet(client, { namespace, name: daemonSet }, signal)
    const raw = found && (await readRawNode(client, node, signal))
    if (!raw || wantsNode(found.spec.template.spec, raw)) return false
    return !(await hasPodOn(client, { namespace, name: daemonSet, node }, signal))
  }

  async function end(key: string, suspect: Suspect, signal: AbortSignal): Promise<void> {
    const { uid, node, daemonSet } = suspect
    // Whatever comes of it, not before the same time again.
    since.delete(uid)
    if (!(await isAbandoned(suspect, signal))) return
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
    for (const [key, suspect] of due)
      await end(key, suspect, signal).catch((error: Error) => {
        if (!signal.aborted && !isEnded(error)) complain(suspect, error)
      })
  }

  return {
    pods: {
      put(key, pod) {
        const { controller, node } = pod
        if (pod.namespace !== namespace || controller?.kind !== 'DaemonSet' || node === '') pods.delete(key)
        else pods.set(key, placeOf(controller.name, node))
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
const isEnded = (error: Error): boolean => error instanceof KubeError && (error.status === NOT_FOUND || error.status === CONFLICT)

const placeOf = (daemonSet: string, node: string): string => `${daemonSet}/${node}`
