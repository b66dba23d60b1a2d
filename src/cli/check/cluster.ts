// What the API server says to an agent that would ask it, and what it refuses.
import { usesCluster } from '../../agent/cluster.js'
import { ISTIO_RESOURCES } from '../../cluster/lasting-objects.js'
import { readNode } from '../../cluster/node.js'
import { PODS } from '../../cluster/objects.js'
import { readMaker } from '../../cluster/workload.js'
import type { Config } from '../../config/fields.js'
import { within } from '../../deadline.js'
import type { Deps } from '../../deps.js'
import { readAccess } from '../../kube/access.js'
import { createKubeClient, type KubeClient, readJson } from '../../kube/client.js'
import { findPath } from '../../kube/follow-custom.js'
import { KubeError } from '../../kube/kube-error.js'
import { accessOf, type Refused, refusedOf } from './access.js'

export interface ClusterFacts {
  readonly server: string
  /** Undefined: there is no such Node, or it may not be seen. */
  readonly node: { readonly zone: string; readonly region: string; readonly internalIps?: readonly string[] } | undefined
  readonly pods: number
  /** What RBAC keeps from it. */
  readonly refusals: readonly Refused[]
}

export interface ClusterRefused {
  readonly message: string
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile'>

const ANSWERS_WITHIN_MS = 5_000
const FORBIDDEN = 403

/** Undefined where an agent would ask nobody. */
export async function probeCluster(
  { config, environment }: Omit<Asked, 'namespace'>,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<ClusterFacts | ClusterRefused | undefined> {
  if (!usesCluster(config, environment)) return undefined
  try {
    const { kubeconfig } = config.kubernetes
    const { namespace, ...options } = await readAccess({ kubeconfig, environment }, deps, signal)
    const client = createKubeClient(options, deps)
    try {
      return await within(deps.clock, { ms: ANSWERS_WITHIN_MS, signal }, (limited) =>
        ask(client, { config, environment, namespace }, limited),
      )
    } finally {
      await client.close()
    }
  } catch (error) {
    return { message: (error as Error).message }
  }
}

interface Asked {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly namespace: string
}

async function ask(client: KubeClient, { config, environment, namespace }: Asked, signal: AbortSignal): Promise<ClusterFacts> {
  const node = await readNode(client, config.node.name, signal).catch(unlessForbidden)
  const pods = await readJson(client, PODS, { query: { limit: 1 }, signal }).catch(unlessForbidden)
  const daemonSet = await nameOfDaemonSet(client, environment, signal)
  const istio: string[] = []
  for (const custom of ISTIO_RESOURCES) if (await findPath(client, custom, signal)) istio.push(custom.resource)
  const refusals = await refusedOf(client, accessOf({ config, environment, namespace, daemonSet, istio }), signal)
  return { server: client.server, node, pods: countOf(pods), refusals }
}

/** Undefined where this is no pod, or nobody says what made it. */
async function nameOfDaemonSet(
  client: KubeClient,
  { POD_NAME: name, POD_NAMESPACE: namespace }: Asked['environment'],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!name || !namespace) return undefined
  const made = await readMaker(client, { name, namespace }, signal).catch(() => signal.throwIfAborted())
  return made?.name
}

/** What is refused is asked for by its rule. */
function unlessForbidden(error: unknown): undefined {
  if (!(error instanceof KubeError && error.status === FORBIDDEN)) throw error
}

interface ObjectList {
  readonly metadata?: { readonly remainingItemCount?: number }
  readonly items?: readonly unknown[]
}

const itemsOf = (list: unknown): readonly unknown[] => (list as ObjectList | undefined)?.items ?? []
const countOf = (list: unknown): number => itemsOf(list).length + ((list as ObjectList | undefined)?.metadata?.remainingItemCount ?? 0)
