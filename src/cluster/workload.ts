// What runs this agent, and whether it is there to stay: its own Pod, and the DaemonSet that made it.
import { type KubeClient, readJson } from '../kube/client.js'
import { unlessNotFound } from '../kube/kube-error.js'
import { type ObjectMetadata, type OwnerReference, pathOf } from '../kube/metadata.js'
import { type PodPlace, type RawNode, wantsNode } from './daemon-nodes.js'
import { readRawNode } from './node.js'

export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** `stays`: after this Pod comes another one; `gone`: none does; `none`: no DaemonSet has made it, so that nobody knows. */
export type Workload = 'stays' | 'gone' | 'none'

export interface RawPod {
  readonly metadata: ObjectMetadata
  readonly spec: PodPlace & { readonly nodeName?: string }
}

/** The fields of a DaemonSet that are used (k8s.io/api apps/v1). */
export interface RawDaemonSet {
  readonly metadata: ObjectMetadata
  readonly spec: { readonly template: { readonly spec: PodPlace } }
}

/** With `--cascade=orphan` it goes, and its pods stay. */
const ORPHANS = 'orphan'

/** Rejects with a KubeError, or where the Pod is there no longer. */
export async function readWorkload(client: KubeClient, name: PodName, signal: AbortSignal): Promise<Workload> {
  const pod = await readPod(client, name, signal)
  const made = makerOf(pod)
  if (!made) return 'none'
  const found = await readDaemonSet(client, { namespace: name.namespace, name: made.name }, signal)
  if (!found || isGone(found.metadata, made)) return 'gone'
  return (await wants(client, { found, pod }, signal)) ? 'stays' : 'gone'
}

/** What made a Pod, as the Pod says; undefined where it was no DaemonSet. Rejects as `readWorkload` does. */
export const readMaker = async (client: KubeClient, name: PodName, signal: AbortSignal): Promise<OwnerReference | undefined> =>
  makerOf(await readPod(client, name, signal))

/** Undefined where there is none. Rejects with a KubeError. */
export async function readDaemonSet(client: KubeClient, { namespace, name }: PodName, signal: AbortSignal) {
  const path = pathOf({ group: 'apps', version: 'v1', resource: 'daemonsets', namespace, name })
  return (await readJson(client, path, { signal }).catch(unlessNotFound)) as RawDaemonSet | undefined
}

/** All of a namespace. Rejects with a KubeError. */
export async function readDaemonSets(client: KubeClient, namespace: string, signal: AbortSignal): Promise<readonly RawDaemonSet[]> {
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets`
  return itemsOf(await readJson(client, path, { signal }))
}

/** Whether it is to have a Pod there that counts what the node sends: one on the node's network. */
export function wantsAgent({ metadata, spec: { template } }: RawDaemonSet, node: RawNode): boolean {
  return !isGoing(metadata) && template.spec.hostNetwork === true && wantsNode(template.spec, node)
}

export function makerOf({ metadata: { ownerReferences } }: { readonly metadata: ObjectMetadata }): OwnerReference | undefined {
  const made = ownerReferences?.find(({ controller }) => controller)
  return made?.kind === 'DaemonSet' ? made : undefined
}

const isGone = (metadata: ObjectMetadata, made: OwnerReference): boolean => metadata.uid !== made.uid || isGoing(metadata)

const isGoing = ({ deletionTimestamp, finalizers }: ObjectMetadata): boolean =>
  deletionTimestamp !== undefined && !finalizers?.includes(ORPHANS)

/** One that is no longer on the network of its nodes counts nothing there. Of a Node that is gone nobody says anything. */
async function wants(
  client: KubeClient,
  { found, pod }: { readonly found: RawDaemonSet; readonly pod: RawPod },
  signal: AbortSignal,
): Promise<boolean> {
  const { spec: next } = found.spec.template
  if (pod.spec.hostNetwork && !next.hostNetwork) return false
  const node = pod.spec.nodeName === undefined ? undefined : await readRawNode(client, pod.spec.nodeName, signal)
  return !node || wantsNode(next, node)
}

/** By a list of one: agents may list pods, and need not be allowed to get them as well. */
async function readPod(client: KubeClient, { namespace, name }: PodName, signal: AbortSignal): Promise<RawPod> {
  const query = { fieldSelector: `metadata.name=${name}` }
  const [found] = await listPods(client, { namespace, query }, signal)
  if (!found) throw new Error(`there is no Pod ${namespace}/${name} any more`)
  return found
}

/** Those of a namespace on a node. Rejects with a KubeError. */
export const readPodsOn = (
  client: KubeClient,
  { namespace, node }: { readonly namespace: string; readonly node: string },
  signal: AbortSignal,
): Promise<readonly RawPod[]> => listPods(client, { namespace, query: { fieldSelector: `spec.nodeName=${node}` } }, signal)

interface Asked {
  readonly namespace: string
  readonly query: Readonly<Record<string, string>>
}

const listPods = async (client: KubeClient, { namespace, query }: Asked, signal: AbortSignal): Promise<readonly RawPod[]> =>
  itemsOf(await readJson(client, `/api/v1/namespaces/${namespace}/pods`, { query, signal }))

/** Go writes an empty list as null. */
const itemsOf = <T>(list: unknown): readonly T[] => (list as { readonly items: readonly T[] | null }).items ?? []
