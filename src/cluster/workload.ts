// What runs this agent, and whether it is there to stay: its own Pod, and the DaemonSet that made it.
import { type KubeClient, readJson } from '../kube/client.js'
import { METADATA_ONLY, type ObjectMetadata, type OwnerReference, readMetadata } from '../kube/metadata.js'

export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** `stays`: after this Pod comes another one; `gone`: none does; `none`: no DaemonSet has made it, so that nobody knows. */
export type Workload = 'stays' | 'gone' | 'none'

/** With `--cascade=orphan` it goes, and its pods stay. */
const ORPHANS = 'orphan'

/** Rejects with a KubeError, or where the Pod is there no longer. */
export async function readWorkload(client: KubeClient, pod: PodName, signal: AbortSignal): Promise<Workload> {
  const made = await readDaemonSet(client, pod, signal)
  if (!made) return 'none'
  const { namespace } = pod
  const found = await readMetadata(client, { group: 'apps', version: 'v1', resource: 'daemonsets', namespace, name: made.name }, signal)
  return isGone(found, made) ? 'gone' : 'stays'
}

/** As the Pod says; undefined where none has made it. Rejects as `readWorkload` does. */
export async function readDaemonSet(client: KubeClient, pod: PodName, signal: AbortSignal): Promise<OwnerReference | undefined> {
  const made = (await readPod(client, pod, signal)).ownerReferences?.find(({ controller }) => controller)
  return made?.kind === 'DaemonSet' ? made : undefined
}

function isGone(found: ObjectMetadata | undefined, { uid }: OwnerReference): boolean {
  if (found?.uid !== uid) return true
  return found.deletionTimestamp !== undefined && !found.finalizers?.includes(ORPHANS)
}

/** By a list of one: agents may list pods, and need not be allowed to get them as well. */
async function readPod(client: KubeClient, { namespace, name }: PodName, signal: AbortSignal): Promise<ObjectMetadata> {
  const query = { fieldSelector: `metadata.name=${name}` }
  const list = await readJson(client, `/api/v1/namespaces/${namespace}/pods`, { query, accept: METADATA_ONLY.list, signal })
  // Go writes an empty list as null.
  const { items } = list as { readonly items: readonly { readonly metadata: ObjectMetadata }[] | null }
  const [found] = items ?? []
  if (!found) throw new Error(`there is no Pod ${namespace}/${name} any more`)
  return found.metadata
}
