// Who acts in a cluster that has an API server and nothing else: the kubelets, the controllers of DaemonSets and Jobs, the Prometheus Operator. Call
// it inside a world (src/lab/world.ts), with an image handed to it.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import type { Program } from '../../src/lab/program.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { createToken } from '../cluster/access.js'
import { type Cluster, startCluster } from '../cluster/cluster.js'
import { createNamespace, createNode, createPod as createPodObject, createReplicaSet, createRunningPod } from '../cluster/objects.js'
import { reachFrom } from '../cluster/reach.js'
import { change, changeStatus, type NewObject, ownerOf, read, remove } from '../cluster/resource.js'
import { endOf } from '../lab/agents.js'
import { startPrometheus } from '../lab/prometheus.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { eventually } from '../lab/world.js'
import type { Prometheus } from '../prometheus.js'
import { createPod, type Pod, podSpecOf } from './container.js'
import { handedImage } from './image.js'
import { installOperator } from './operator.js'

const NAMESPACE = 'meshtoll'
const LABELS = { release: 'prometheus' }
/** As the Operator calls the targets of a PodMonitor. */
const JOB = 'meshtoll/meshtoll-agent'

/** What others have installed before: nodes in three zones, a pod on each, and the Operator's definitions. */
export async function createEmptyCluster(t: Test) {
  const topology = await createTopology(THREE_ZONES)
  t.teardown(() => topology.close())
  const cluster = await startCluster()
  t.teardown(() => cluster.stop())
  const { admin } = cluster
  await installOperator(admin)
  const { nodes } = topology.spec
  for (const { name, zone, address } of nodes) await createNode(admin, { name, zone, region: 'lab', addresses: [address] })
  await createNamespace(admin, 'shop')
  const cart = await createReplicaSet(admin, { namespace: 'shop', name: 'cart-7d9f', deployment: 'cart' })
  for (const { name, pods } of nodes)
    await createRunningPod(admin, {
      namespace: 'shop',
      name: `cart-${name}`,
      node: name,
      owner: ownerOf(cart),
      podIps: [pods[0]?.address ?? ''],
    })
  const port = Number(new URL(cluster.url).port)
  const reach = await reachFrom(
    topology,
    nodes.map(({ name }) => name),
    { port, folder: cluster.folder, target: () => port },
  )
  t.teardown(() => reach.close())
  return { topology, cluster }
}

/** What a kubelet adds to a pod of this account. */
async function inClusterOf({ url, caFile, folder, admin }: Cluster, name: string) {
  const account = join(folder, `account-${name}`)
  await mkdir(account, { recursive: true })
  await copyFile(caFile, join(account, 'ca.crt'))
  await writeFile(join(account, 'namespace'), NAMESPACE)
  await writeFile(join(account, 'token'), await createToken(admin, { namespace: NAMESPACE, name }))
  const { hostname, port } = new URL(url)
  return { account, environment: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port } }
}

export interface Started {
  readonly node: string
  readonly pod: Pod
  readonly program: Program
  readonly socketPath: string
}

/** In the place of the DaemonSet's controller and of the kubelets. */
export async function startPods(t: Test, topology: Topology, cluster: Cluster): Promise<readonly Started[]> {
  const { admin } = cluster
  const of = (apiVersion: string, kind: string) =>
    read(admin, { apiVersion, kind, metadata: { namespace: NAMESPACE, name: 'meshtoll-agent' } })
  const [daemonSet, configMap] = [await of('apps/v1', 'DaemonSet'), await of('v1', 'ConfigMap')]
  const inCluster = await inClusterOf(cluster, 'meshtoll-agent')
  const secrets = await secretsOf(cluster, [daemonSet as unknown as NewObject])
  const starting = topology.spec.nodes.map(async ({ name: node, address }) => {
    const name = `meshtoll-agent-${node}`
    await createPodObject(admin, { namespace: NAMESPACE, name, node, owner: ownerOf(daemonSet) })
    const fields = { ...secrets, NODE_NAME: node, NODE_IP: address, POD_NAME: name, POD_NAMESPACE: NAMESPACE }
    const objects = [daemonSet, configMap] as unknown as readonly NewObject[]
    const pod = await createPod({ topology, image: handedImage(), objects, fields, inCluster })
    const program = pod.start(pod.spec.containers[0])
    t.teardown(() => pod.close())
    await program.waitFor(/agent is running/, 90_000)
    return { node, pod, program, socketPath: await topology.peer(node).relay({ port: 10_042, host: address }) }
  })
  return Promise.all(starting)
}

/** In the place of the DaemonSet's controller, after an upgrade; a node's new pod begins without the state of the one before. */
export async function replacePods(
  t: Test,
  { topology, cluster, agents }: { topology: Topology; cluster: Cluster; agents: readonly Started[] },
): Promise<readonly Started[]> {
  await Promise.all(
    agents.map(async ({ node, program }) => {
      await program.stop('SIGTERM', 15_000)
      await remove(cluster.admin, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: `meshtoll-agent-${node}` } })
    }),
  )
  return startPods(t, topology, cluster)
}

/** What the first container has from Secrets, by the names of the variables. */
async function secretsOf({ admin }: Cluster, objects: readonly NewObject[]): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const { name: variable, valueFrom } of podSpecOf(objects).containers[0].env) {
    if (!valueFrom?.secretKeyRef) continue
    const { name, key } = valueFrom.secretKeyRef
    const { data = {} } = (await read(admin, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name } })) as {
      readonly data?: Readonly<Record<string, string>>
    }
    found[variable] = Buffer.from(data[key] ?? '', 'base64').toString()
  }
  return found
}

/** In the place of the controllers, while helm uninstall waits: its Job runs, and then the pods of what the Job deletes end. */
export async function endPods(
  t: Test,
  { topology, cluster, agents }: { topology: Topology; cluster: Cluster; agents: readonly Started[] },
) {
  const { admin } = cluster
  const of = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { namespace: NAMESPACE, name } })
  const job = await eventually('the Job', () => read(admin, of('batch/v1', 'Job', 'meshtoll-uninstall')).catch(() => undefined), 30_000)
  const inCluster = await inClusterOf(cluster, job.metadata.name)
  const fields = { NODE_NAME: 'n1', POD_NAMESPACE: NAMESPACE }
  const pod = await createPod({ topology, image: handedImage(), objects: [job as unknown as NewObject], fields, inCluster })
  const running = pod.start(pod.spec.containers[0])
  const daemonSet = of('apps/v1', 'DaemonSet', 'meshtoll-agent')
  await eventually('it is being deleted', async () => ('deletionTimestamp' in (await read(admin, daemonSet)).metadata ? true : undefined))
  const exits = await Promise.all(agents.map(({ program }) => program.stop('SIGTERM', 15_000)))
  t.same(
    exits.map(({ code }) => code),
    [0, 0, 0],
  )
  for (const { node } of agents) t.notMatch(await topology.run(node, ['nft', 'list', 'tables']), 'meshtoll', `no table on ${node}`)
  await change(admin, daemonSet, { metadata: { finalizers: [] } })
  t.same(await endOf(running), { code: 0, signal: null }, running.stderr())
  await pod.close()
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' }))
  const at = new Date().toISOString()
  await changeStatus(admin, job, { conditions, succeeded: 1, startTime: at, completionTime: at })
}

/** In the place of the Prometheus Operator, which selects by label. */
export async function scrape(cluster: Cluster, agents: readonly Started[]): Promise<Prometheus> {
  const [monitor, rule] = await Promise.all(
    [
      { kind: 'PodMonitor', name: 'meshtoll-agent' },
      { kind: 'PrometheusRule', name: 'meshtoll' },
    ].map(({ kind, name }) =>
      read(cluster.admin, { apiVersion: 'monitoring.coreos.com/v1', kind, metadata: { namespace: NAMESPACE, name } }),
    ),
  )
  for (const { metadata } of [monitor, rule].filter((one) => one !== undefined))
    if (metadata.labels?.['release'] !== LABELS.release) throw new Error(`${metadata.name} has no label by which it is selected`)
  return startPrometheus({ agents, job: JOB, interval: '1s', rules: { 'meshtoll.yaml': stringify(rule?.spec) } })
}

export const ruleNow = async ({ admin }: Cluster): Promise<unknown> =>
  (
    await read(admin, {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { namespace: NAMESPACE, name: 'meshtoll' },
    })
  ).spec
