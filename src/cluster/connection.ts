// A connection to the API server, and what agents and the directory follow over it alike.
import type { Deps } from '../deps.js'
import type { Tenancies } from '../identity/tenancies.js'
import { readAccess } from '../kube/access.js'
import { createKubeClient, type KubeClient } from '../kube/client.js'
import { createAbandoned } from './abandoned.js'
import { createResolveHost } from './dns.js'
import { createFollowing, type Following } from './following.js'
import { coverageLeaseOf, LEASE_SELECTOR, type Leases, leasesPath } from './leases.js'
import { type ClusterObjectsParts, followCluster } from './objects.js'

export interface ConnectionOptions {
  readonly kubeconfig: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
}

export type ConnectionDeps = Pick<Deps, 'clock' | 'log' | 'random' | 'readFile'>

export type FollowOptions = Pick<ClusterObjectsParts, 'patienceMs' | 'ownNode' | 'restarts'>

export interface Connection {
  readonly client: KubeClient
  /** For what must not wait behind others: a client of its own, with one connection. Who makes it closes it. */
  createClient(): KubeClient
  /** Our own. */
  readonly namespace: string
  readonly following: Following
  /** Both resolve once all there is has been told, and go on until aborted. */
  followObjects(tenancies: Tenancies, options: FollowOptions, signal: AbortSignal): Promise<void>
  followLeases(leases: Leases, signal: AbortSignal): Promise<void>
  /** Of nodes whose agent went without a word; where both of the above are followed. Goes on until aborted; never rejects. */
  endAbandonedLeases(mayEnd: () => boolean, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Rejects with an AccessError that says what to do. */
export async function connect(
  { environment, kubeconfig }: ConnectionOptions,
  deps: ConnectionDeps,
  signal: AbortSignal,
): Promise<Connection> {
  const { namespace, ...access } = await readAccess({ environment, kubeconfig }, deps, signal)
  const client = createKubeClient(access, deps)
  const following = createFollowing(client, deps)
  const resolve = createResolveHost()
  const abandoned = createAbandoned({ client, namespace }, deps)
  const leases = { path: leasesPath(namespace), query: { labelSelector: LEASE_SELECTOR }, prune: coverageLeaseOf }
  return {
    client,
    createClient: () => createKubeClient({ ...access, connections: 1 }, deps),
    namespace,
    following,
    followObjects: (tenancies, options, until) =>
      followCluster({ client, following, tenancies, resolve, agents: abandoned.pods, ...options }, deps, until),
    followLeases: (into, until) => following.follow({ ...leases, ...both(into, abandoned.leases) }, until),
    endAbandonedLeases: abandoned.run,
    close: () => client.close(),
  }
}

const both = (one: Leases, other: Leases): Leases => ({
  put(key, lease) {
    one.put(key, lease)
    other.put(key, lease)
  },
  remove(key) {
    one.remove(key)
    other.remove(key)
  },
})
