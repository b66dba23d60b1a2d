// All that the agent asks of an API server. Loaded only where there is one: its HTTP client takes some megabytes.
import { createResolveHost } from '../cluster/dns.js'
import { createFollowing } from '../cluster/following.js'
import { coverageLeaseOf, LEASE_SELECTOR, leaseNameOf, leaseOf, leasesPath } from '../cluster/leases.js'
import { followCluster, followPodsOf, NODES } from '../cluster/objects.js'
import type { Deps } from '../deps.js'
import { nodeFactsOf } from '../identity/objects/node.js'
import type { Tenancies } from '../identity/tenancies.js'
import { readAccess } from '../kube/access.js'
import { createKubeClient, readJson } from '../kube/client.js'
import { KubeError } from '../kube/kube-error.js'
import type { CoverageRecord } from './coverage-record.js'

export interface ApiServerOptions {
  readonly kubeconfig: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
}

export type ApiServerDeps = Pick<Deps, 'clock' | 'log' | 'random' | 'readFile'>

/** Who says that its pods are posted for. `uid`: of its Node. */
export interface Claimant {
  readonly node: string
  readonly uid: string
}

export interface ApiServer {
  /** Both resolve once all there is has been told, and go on until aborted. */
  followObjects(tenancies: Tenancies, options: { readonly patienceMs: number }, signal: AbortSignal): Promise<void>
  followLeases(record: CoverageRecord, signal: AbortSignal): Promise<void>
  /** The pods of one node only. */
  followPods(node: string, tenancies: Tenancies, options: { readonly patienceMs: number }, signal: AbortSignal): Promise<void>
  /** One Node, into the tenancies. */
  readNode(name: string, tenancies: Tenancies, signal: AbortSignal): Promise<void>
  /** One node's Lease, into the record. */
  readLease(node: string, record: CoverageRecord, signal: AbortSignal): Promise<void>
  createLease(claimant: Claimant, signal: AbortSignal): Promise<void>
  deleteLease(node: string, signal: AbortSignal): Promise<void>
  /** What stands in the way of hearing of changes at once; '' when nothing does. */
  readonly trouble: string
  takeRejected(): number
  close(): Promise<void>
}

const GONE = 404

/** Rejects with an AccessError that says what to do. */
export async function openApiServer(options: ApiServerOptions, deps: ApiServerDeps, signal: AbortSignal): Promise<ApiServer> {
  const { environment, kubeconfig } = options
  const { namespace, ...access } = await readAccess({ environment, kubeconfig: kubeconfig ?? undefined }, deps, signal)
  const client = createKubeClient(access, deps)
  const following = createFollowing(client, deps)
  const path = leasesPath(namespace)
  return {
    followObjects: (tenancies, { patienceMs }, until) =>
      followCluster({ client, following, tenancies, patienceMs, resolve: createResolveHost() }, deps, until),
    async followLeases(record, until) {
      const { put, remove } = record
      await following.follow({ path, query: { labelSelector: LEASE_SELECTOR }, prune: coverageLeaseOf, put, remove }, until)
      record.synced()
    },
    followPods: (node, tenancies, { patienceMs }, until) => followPodsOf(node, { client, following, tenancies, patienceMs }, deps, until),
    async readNode(name, tenancies, until) {
      const facts = nodeFactsOf(await readJson(client, `${NODES}/${name}`, { signal: until }).catch(unless(GONE)))
      if (facts) tenancies.putNode(facts)
    },
    async readLease(node, record, until) {
      const key = leaseNameOf(node)
      const lease = coverageLeaseOf(await readJson(client, `${path}/${key}`, { signal: until }).catch(unless(GONE)))
      if (lease) record.put(key, lease)
      else record.remove(key)
      record.synced()
    },
    async createLease(claimant, until) {
      const body = leaseOf(claimant, deps.clock.now())
      await readJson(client, path, { method: 'POST', body, signal: until })
    },
    async deleteLease(node, until) {
      await client.request(`${path}/${leaseNameOf(node)}`, { method: 'DELETE', signal: until }).catch(unless(GONE))
    },
    get trouble() {
      return following.trouble
    },
    takeRejected: following.takeRejected,
    close: () => client.close(),
  }
}

const unless =
  (status: number) =>
  (error: unknown): void => {
    if (!(error instanceof KubeError && error.status === status)) throw error
  }
