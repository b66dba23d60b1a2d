// Nodes that are network namespaces, with a real API server behind their loopbacks and real agents that act as a ServiceAccount.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { NodeSpec, TopologySpec } from '../../src/lab/plan.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { type Agents, type AgentsOptions, startAgents } from '../lab/agents.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { createTruth, type Truth } from '../lab/truth.js'
import { allow, createServiceAccount, createToken, type Rule } from './access.js'
import type { KubeObject } from './client.js'
import { type Cluster, startCluster } from './cluster.js'
import { createNamespace, createNode, createReplicaSet, createRunningPod } from './objects.js'
import { reachFrom } from './reach.js'
import { ownerOf } from './resource.js'

export const NAMESPACE = 'meshtoll'
export const ACCOUNT = { namespace: NAMESPACE, name: 'meshtoll-agent' }

/** What an agent may, and no more. */
export const RULES: { readonly everywhere: readonly Rule[]; readonly own: readonly Rule[] } = {
  everywhere: [
    { apiGroups: [''], resources: ['pods', 'nodes', 'services'], verbs: ['list', 'watch'] },
    { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
  ],
  own: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list', 'watch', 'create', 'delete'] }],
}

export interface ClusterLab {
  readonly topology: Topology
  readonly truth: Truth
  readonly cluster: Cluster
  /** Of an agent. */
  readonly kubeconfig: string
  startAgents(options?: AgentsOptions): Promise<Agents>
  /** A pod of the topology, as its Deployment `deployment` made it. */
  createPod(pod: {
    readonly name: string
    readonly address: string
    readonly node: string
    readonly deployment: string
  }): Promise<KubeObject>
}

export async function createClusterLab(t: Test, spec: TopologySpec = THREE_ZONES): Promise<ClusterLab> {
  const topology = await createTopology(spec)
  t.teardown(() => topology.close())
  const cluster = await startCluster()
  t.teardown(() => cluster.stop())
  const { admin } = cluster
  const reach = await reachFrom(
    topology,
    spec.nodes.map(({ name }) => name),
    cluster,
  )
  t.teardown(() => reach.close())
  for (const name of [NAMESPACE, 'shop']) await createNamespace(admin, name)
  await createServiceAccount(admin, ACCOUNT)
  await allow(admin, { name: 'meshtoll-agent', rules: RULES.everywhere, serviceAccount: ACCOUNT })
  await allow(admin, { name: 'meshtoll-agent', namespace: NAMESPACE, rules: RULES.own, serviceAccount: ACCOUNT })
  for (const node of spec.nodes) await createNode(admin, nodeOf(node))
  const kubeconfig = await writeKubeconfig(cluster, await createToken(admin, ACCOUNT))
  const replicaSets = new Map<string, Promise<KubeObject>>()

  function replicaSetOf(deployment: string): Promise<KubeObject> {
    const known = replicaSets.get(deployment) ?? createReplicaSet(admin, { namespace: 'shop', name: `${deployment}-7d9f`, deployment })
    replicaSets.set(deployment, known)
    return known
  }

  return {
    topology,
    truth: await createTruth(topology),
    cluster,
    kubeconfig,
    async createPod({ name, address, node, deployment }) {
      const owner = ownerOf(await replicaSetOf(deployment))
      return createRunningPod(admin, { namespace: 'shop', name, node, owner, podIps: [address] })
    },
    async startAgents({ options = {}, ...given } = {}) {
      const kubernetes = { kubeconfig }
      const identity = { handover: '1s', ...options['identity'] }
      const agents = await startAgents(topology, {
        ...given,
        inventory: [],
        describe: ({ name }) => ({ name }),
        options: { ...options, kubernetes, identity },
      })
      t.teardown(() => agents.stop())
      return agents
    },
  }
}

const nodeOf = ({ name, zone, address, address6 }: NodeSpec) => ({
  name,
  zone,
  region: 'lab',
  addresses: [address, ...(address6 ? [address6] : [])],
})

async function writeKubeconfig({ url, caFile, folder }: Cluster, token: string): Promise<string> {
  const path = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'agent', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'agent', namespace: NAMESPACE } }],
    'current-context': 'lab',
  }
  await writeFile(path, JSON.stringify(config))
  return path
}
