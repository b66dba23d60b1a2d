// All that the agent asks of an API server. Loaded only where there is one: its HTTP client takes some megabytes.
import { type Connection, type ConnectionDeps, type ConnectionOptions, connect } from '../cluster/connection.js'
import { type Claimant, coverageLeaseOf, leaseNameOf, leaseOf, leasesPath } from '../cluster/leases.js'
import { readNode } from '../cluster/node.js'
import { followPodsOf } from '../cluster/objects.js'
import { type PodName, readMaker, readWorkload, type Workload } from '../cluster/workload.js'
import type { Tenancies } from '../identity/tenancies.js'
import { type KubeClient, readJson } from '../kube/client.js'
import { unlessNotFound } from '../kube/kube-error.js'
import type { CoverageRecord } from './coverage-record.js'

export interface ApiServer extends Omit<Connection, 'client' | 'createClient' | 'namespace'> {
  /** The pods of one node only. */
  followPods(node: string, tenancies: Tenancies, options: { readonly patienceMs: number }, signal: AbortSignal): Promise<void>
  /** One Node, into the tenancies; out of them where it is gone. */
  readNode(name: string, tenancies: Tenancies, signal: AbortSignal): Promise<void>
  /** One node's Lease, into the record. */
  readLease(node: string, record: CoverageRecord, signal: AbortSignal): Promise<void>
  createLease(claimant: Omit<Claimant, 'daemonSet'>, signal: AbortSignal): Promise<void>
  deleteLease(node: string, signal: AbortSignal): Promise<void>
  readWorkload(pod: PodName, signal: AbortSignal): Promise<Workload>
}

type Environment = ConnectionOptions['environment']

/** Rejects with an AccessError that says what to do. */
export async function openApiServer(options: ConnectionOptions, deps: ConnectionDeps, signal: AbortSignal): Promise<ApiServer> {
  const { client, namespace, ...connection } = await connect(options, deps, signal)
  const { following } = connection
  const path = leasesPath(namespace)
  return {
    ...connection,
    followPods: (node, tenancies, { patienceMs }, until) => followPodsOf(node, { client, following, tenancies, patienceMs }, deps, until),
    async readNode(name, tenancies, until) {
      const facts = await readNode(client, name, until)
      if (facts) tenancies.putNode(facts, deps.clock.now())
      else if (tenancies.nodes.has(name)) tenancies.removeNode(name, deps.clock.now())
    },
    async readLease(node, record, until) {
      const key = leaseNameOf(node)
      const lease = coverageLeaseOf(await readJson(client, `${path}/${key}`, { signal: until }).catch(unlessNotFound))
      if (lease) record.put(key, lease)
      else record.remove(key)
      record.synced()
    },
    async createLease(claimant, until) {
      const daemonSet = await nameOfMaker(client, { namespace, environment: options.environment }, until)
      await readJson(client, path, { method: 'POST', body: leaseOf({ ...claimant, daemonSet }, deps.clock.now()), signal: until })
    },
    async deleteLease(node, until) {
      await client.request(`${path}/${leaseNameOf(node)}`, { method: 'DELETE', signal: until }).catch(unlessNotFound)
    },
    readWorkload: (pod, until) => readWorkload(client, pod, until),
  }
}

interface OwnPod {
  /** Of the Leases: whoever looks after them sees the DaemonSets beside them. */
  readonly namespace: string
  readonly environment: Environment
}

/** Undefined where it cannot be known, or others cannot see it: then nobody else ends the Lease. */
async function nameOfMaker(client: KubeClient, { namespace, environment }: OwnPod, signal: AbortSignal) {
  const { POD_NAME: name, POD_NAMESPACE: own } = environment
  if (!name || own !== namespace) return undefined
  const made = await readMaker(client, { name, namespace }, signal).catch(() => signal.throwIfAborted())
  return made?.name
}
