// Nodes that are network namespaces, with a real API server behind their loopbacks and real agents that act as a ServiceAccount.
import type { Test } from 'tap'
import type { NodeSpec, TopologySpec } from '../../src/lab/plan.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { type Access, readAgentAccess } from '../deploy/access.js'
import type { Manifest } from '../deploy/manifests.js'
import { type Agents, type AgentsOptions, startAgents } from '../lab/agents.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { createTruth, type Truth } from '../lab/truth.js'
import { createToken } from './access.js'
import type { KubeObject } from './client.js'
import { type Cluster, type ClusterOptions, startCluster } from './cluster.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace, createNode, createReplicaSet, createRunningPod } from './objects.js'
import { reachFrom } from './reach.js'
import { create, ownerOf } from './resource.js'

export interface ClusterLab {
  readonly topology: Topology
  readonly truth: Truth
  readonly cluster: Cluster
  /** Of the agents, and what lets them do what they do. */
  readonly account: Access['account']
  readonly access: Access['objects']
  /** Of an agent. */
  readonly kubeconfig: string
  startAgents(options?: AgentsOptions): Promise<Agents>
  /** A pod of the topology, as its Deployment `deployment` made it. */
  createPod(pod: {
    readonly name: string
    readonly address: string
    /** Of the other family. */
    readonly address6?: string
    readonly node: string
    readonly deployment: string
  }): Promise<KubeObject>
}

export interface ClusterLabOptions {
  readonly spec?: TopologySpec
  /** Of which agents have their rules. */
  readonly manifest?: Manifest
  readonly audit?: ClusterOptions['audit']
}

export async function createClusterLab(
  t: Test,
  { spec = THREE_ZONES, manifest = 'full', audit = false }: ClusterLabOptions = {},
): Promise<ClusterLab> {
  const topology = await createTopology(spec)
  t.teardown(() => topology.close())
  const cluster = await startCluster({ audit })
  t.teardown(() => cluster.stop())
  const { admin } = cluster
  const nodes = spec.nodes.map(({ name }) => name)
  const port = Number(new URL(cluster.url).port)
  const reach = await reachFrom(topology, nodes, { port, folder: cluster.folder, target: () => port })
  t.teardown(() => reach.close())
  const { account, objects: access } = await readAgentAccess(manifest)
  for (const name of [account.namespace, 'shop']) await createNamespace(admin, name)
  for (const object of access) await create(admin, object)
  for (const node of spec.nodes) await createNode(admin, nodeOf(node))
  const kubeconfig = await writeKubeconfig(cluster, { token: await createToken(admin, account), namespace: account.namespace })
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
    account,
    access,
    kubeconfig,
    async createPod({ name, address, address6, node, deployment }) {
      const owner = ownerOf(await replicaSetOf(deployment))
      return createRunningPod(admin, { namespace: 'shop', name, node, owner, podIps: [address, ...(address6 ? [address6] : [])] })
    },
    async startAgents({ options = {}, ...given } = {}) {
      const kubernetes = { ...options['kubernetes'], kubeconfig }
      const identity = { handover: '1s', ...options['identity'] }
      const agents = await startAgents(topology, {
        inventory: [],
        describe: ({ name }) => ({ name }),
        ...given,
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
