// What the API server says to an agent that would ask it, and what it refuses.
import { usesCluster } from '../../agent/cluster.js'
import { SERVICES } from '../../cluster/lasting-objects.js'
import { leaseNameOf, leasesPath } from '../../cluster/leases.js'
import { NODES, PODS } from '../../cluster/objects.js'
import type { Config } from '../../config/fields.js'
import { within } from '../../deadline.js'
import type { Deps } from '../../deps.js'
import { nodeFactsOf } from '../../identity/objects/node.js'
import { readAccess } from '../../kube/access.js'
import { createKubeClient, type KubeClient, readJson } from '../../kube/client.js'
import { KubeError } from '../../kube/kube-error.js'

export interface ClusterFacts {
  readonly server: string
  /** Undefined: there is no such Node, or it may not be seen. */
  readonly node: { readonly zone: string; readonly region: string; readonly internalIps?: readonly string[] } | undefined
  readonly pods: number
  /** Each says what and why. */
  readonly refusals: readonly string[]
}

export interface ClusterRefused {
  readonly message: string
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile'>

const ANSWERS_WITHIN_MS = 5_000
const NOT_FOUND = 404

/** Undefined where an agent would ask nobody. */
export async function probeCluster(
  { config, environment }: { readonly config: Config; readonly environment: Readonly<Record<string, string | undefined>> },
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<ClusterFacts | ClusterRefused | undefined> {
  if (!usesCluster(config, environment)) return undefined
  try {
    const { kubeconfig } = config.kubernetes
    const { namespace, ...options } = await readAccess({ kubeconfig: kubeconfig ?? undefined, environment }, deps, signal)
    const client = createKubeClient(options, deps)
    try {
      return await within(deps.clock, { ms: ANSWERS_WITHIN_MS, signal }, (limited) => ask(client, { config, namespace }, limited))
    } finally {
      await client.close()
    }
  } catch (error) {
    return { message: (error as Error).message }
  }
}

async function ask(
  client: KubeClient,
  { config, namespace }: { readonly config: Config; readonly namespace: string },
  signal: AbortSignal,
): Promise<ClusterFacts> {
  const refusals: string[] = []
  const answerOf = async (path: string, query: Readonly<Record<string, string | number>> = {}): Promise<unknown> => {
    try {
      return await readJson(client, path, { query, signal })
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      if (error.status !== NOT_FOUND) refusals.push(error.message)
      return undefined
    }
  }
  const { name } = config.node
  const leases = leasesPath(namespace)
  // With a directory, or without flows, it needs less, and may no more.
  const hasDirectory = config.kubernetes.directory.url !== null
  const countsFlows = config.flows.enabled !== false
  const nodes =
    hasDirectory || !countsFlows
      ? [await answerOf(`${NODES}/${name}`)]
      : itemsOf(await answerOf(NODES, { fieldSelector: `metadata.name=${name}` }))
  const pods = await answerOf(PODS, { limit: 1 })
  if (countsFlows && hasDirectory) await answerOf(`${leases}/${leaseNameOf(name)}`)
  else if (countsFlows) for (const path of [SERVICES, leases]) await answerOf(path, { limit: 1 })
  const [node] = nodes.flatMap((item) => nodeFactsOf(item) ?? [])
  return { server: client.server, node, pods: countOf(pods), refusals }
}

interface ObjectList {
  readonly metadata?: { readonly remainingItemCount?: number }
  readonly items?: readonly unknown[]
}

const itemsOf = (list: unknown): readonly unknown[] => (list as ObjectList | undefined)?.items ?? []
const countOf = (list: unknown): number => itemsOf(list).length + ((list as ObjectList | undefined)?.metadata?.remainingItemCount ?? 0)
