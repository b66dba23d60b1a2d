// What runs an agent, as a real API server has it: nobody collects garbage here, so what is deleted with finalizers stays to be looked at.
// And Leases of nodes on which nothing runs one any more.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Test } from 'tap'
import { openApiServer } from '../../src/agent/api-server.js'
import { createAbandoned } from '../../src/cluster/abandoned.js'
import { ABANDONED_MS, type CoverageLease, coverageLeaseOf, isLabelledAgent, leaseOf } from '../../src/cluster/leases.js'
import { readWorkload } from '../../src/cluster/workload.js'
import { type PodFacts, podFactsOf } from '../../src/identity/objects/pod.js'
import { createKubeClient } from '../../src/kube/client.js'
import { fixedToken } from '../../src/kube/token.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import type { Client, KubeObject } from './client.js'
import type { Cluster } from './cluster.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace, createNode, createPod, createWorkload } from './objects.js'
import { change, changeStatus, create, type NewObject, ownerOf, pathOf, read, remove } from './resource.js'
import { clusterTest } from './suite.js'

const NAMESPACE = 'default'
const { signal } = new AbortController()

async function openClient(t: Test, { url, caFile, adminToken }: Cluster) {
  const options = { server: url, ca: await readFile(caFile, 'utf8'), token: fixedToken(adminToken) }
  const client = createKubeClient(options, { clock: createHandClock() })
  t.teardown(() => client.close())
  return client
}

const deleteWith = (propagationPolicy: string) => async (admin: Client, name: string) =>
  void (await admin.send('DELETE', `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${name}`, { propagationPolicy }))

const makeAnew = async (admin: Client, name: string): Promise<void> => {
  await deleteWith('Background')(admin, name)
  await createWorkload(admin, { kind: 'DaemonSet', namespace: NAMESPACE, name })
}

const template = (spec: object) => async (admin: Client, name: string) =>
  void (await change(
    admin,
    { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace: NAMESPACE, name } },
    { spec: { template: { spec } } },
  ))

const narrow = template({ nodeSelector: { pool: 'other' } })

const leaveAlone = async (admin: Client, _: string, pod: KubeObject): Promise<void> =>
  void (await change(admin, pod, { metadata: { ownerReferences: [] } }))

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  await createNode(admin, { name: 'n1', labels: { pool: 'own' } })
  const cases = [
    { name: 'it runs', act: async () => undefined, wanted: 'stays' },
    { name: 'it was deleted', act: deleteWith('Background'), wanted: 'gone' },
    { name: 'it is being deleted, after its pods', act: deleteWith('Foreground'), wanted: 'gone' },
    { name: 'it is being deleted, and its pods stay', act: deleteWith('Orphan'), wanted: 'stays' },
    { name: 'its pods were left to nobody', act: leaveAlone, wanted: 'none' },
    { name: 'another one has its name', act: makeAnew, wanted: 'gone' },
    { name: 'it was narrowed to other nodes', act: narrow, wanted: 'gone' },
    { name: 'it was changed otherwise', act: template({ nodeSelector: { pool: 'own' } }), wanted: 'stays' },
    { name: 'the next ones are not on the network of their nodes', act: template({ hostNetwork: false }), wanted: 'gone' },
  ]
  for (const [index, { name, act, wanted }] of cases.entries()) {
    t.test(name, async (t) => {
      const own = `agent-${index}`
      const daemonSet = await createWorkload(admin, { kind: 'DaemonSet', namespace: NAMESPACE, name: own })
      await template({ hostNetwork: true })(admin, own)
      const pod = await createPod(admin, {
        namespace: NAMESPACE,
        name: `${own}-x2x4v`,
        node: 'n1',
        hostNetwork: true,
        owner: ownerOf(daemonSet),
      })
      await act(admin, own, pod)
      t.equal(await readWorkload(await openClient(t, cluster), { namespace: NAMESPACE, name: `${own}-x2x4v` }, signal), wanted)
    })
  }

  t.test('a pod of something else, and none', async (t) => {
    const client = await openClient(t, cluster)
    const job = await createWorkload(admin, { kind: 'Job', namespace: NAMESPACE, name: 'once' })
    const pod = await createPod(admin, { namespace: NAMESPACE, name: 'once-x2x4v', owner: ownerOf(job) })
    const asked = { namespace: NAMESPACE, name: 'once-x2x4v' }
    t.equal(await readWorkload(client, asked, signal), 'none')
    await remove(admin, pod)
    await t.rejects(readWorkload(client, asked, signal), { message: 'there is no Pod default/once-x2x4v any more' })
  })

  t.test('the Lease of a node whose agent went without a word', async (t) => {
    const { look, see, isThere, leaseFor, log, ...janitor } = await openJanitor(t, cluster, NAMESPACE)
    const name = 'abandoned'
    const daemonSet = await createWorkload(admin, { kind: 'DaemonSet', namespace: NAMESPACE, name })
    await template({ hostNetwork: true })(admin, name)
    const node = await createNode(admin, { name: 'n2' })
    const other = await createNode(admin, { name: 'n3', labels: { pool: 'other' } })
    const podOn = async ({ metadata }: KubeObject) =>
      createPod(admin, {
        namespace: NAMESPACE,
        name: `pod-${randomUUID()}`,
        node: metadata.name,
        hostNetwork: true,
        owner: ownerOf(daemonSet),
      })

    const lease = await leaseFor(node, name)
    const wanted = await leaseFor(other, name)
    see(lease)
    see(wanted)
    await look(0)
    await look(ABANDONED_MS)
    t.ok(await isThere(lease), 'one may come back: it is wanted there')
    await narrow(admin, name)
    const pod = await podOn(node)
    janitor.hear(pod)
    await look(ABANDONED_MS)
    t.ok(await isThere(lease), 'it is there still')
    await remove(admin, pod)
    janitor.forget(pod)
    await look(0)
    await look(ABANDONED_MS - 1)
    t.ok(await isThere(lease), 'not at once')
    const unheard = await podOn(node)
    await look(1)
    t.ok(await isThere(lease), 'one that was not heard of is asked for')
    await remove(admin, unheard)
    await look(0)
    await look(ABANDONED_MS)
    t.notOk(await isThere(lease), 'nobody is there, and none is wanted')
    t.match(log.lines, [/^info the Lease of a node without an agent is ended.*n2/])
    t.ok(await isThere(wanted), 'elsewhere one is')

    const anew = await leaseFor(node, name)
    await look(0)
    await look(ABANDONED_MS)
    t.ok(await isThere(anew), 'another one of its name was not seen')
    await remove(admin, anew)
    const ended = await leaseFor(node, name)
    see(ended)
    await remove(admin, ended)
    await look(0)
    await look(ABANDONED_MS)
    t.equal(log.lines.length, 1, 'somebody else ended it')
    const by = await leaseFor(node)
    see(by)
    await look(0)
    await look(ABANDONED_MS)
    t.ok(await isThere(by), 'no DaemonSet made who made it')
    t.equal(log.lines.length, 1, 'nothing went wrong')
  })

  const LABELS = { 'app.kubernetes.io/name': 'meshtoll', 'app.kubernetes.io/component': 'agent' }
  const others: readonly Other[] = [
    { name: 'none', isEnded: true },
    { name: 'one of agents that wants the node', isEnded: false, set: {} },
    { name: 'one of agents that wants other nodes', isEnded: true, set: { spec: { nodeSelector: { pool: 'other' } } } },
    { name: 'one of agents that are not on the network of their nodes', isEnded: true, set: { spec: { hostNetwork: false } } },
    { name: 'one of something else', isEnded: true, set: { labels: { ...LABELS, 'app.kubernetes.io/name': 'exporter' } } },
    { name: 'one of directories', isEnded: true, set: { labels: { ...LABELS, 'app.kubernetes.io/component': 'directory' } } },
    { name: 'one of agents in another namespace', isEnded: true, set: { namespace: 'elsewhere' } },
    { name: 'one of agents that is being deleted', isEnded: true, set: { propagation: 'Foreground' } },
    { name: 'one of agents that leaves its pods behind', isEnded: false, set: { propagation: 'Orphan' } },
    { name: 'none, but an agent of nobody is there', isEnded: false, pod: { labels: LABELS } },
    { name: 'none, but something else is there', isEnded: true, pod: { labels: {} } },
    { name: 'none, but an agent is there that counts nothing', isEnded: true, pod: { labels: LABELS, hostNetwork: false } },
  ]
  await createNamespace(admin, 'elsewhere')
  for (const [index, { name, isEnded, set, pod }] of others.entries()) {
    t.test(`the Lease of a DaemonSet that is gone, where there is another: ${name}`, async (t) => {
      const namespace = `ns-${index}`
      await createNamespace(admin, namespace)
      const node = await createNode(admin, { name: `other-${index}` })
      if (set) await createAgents(admin, { namespace, labels: LABELS, ...set })
      if (pod) await createPod(admin, { namespace, name: 'agent', node: node.metadata.name, hostNetwork: true, ...pod })
      const { look, see, isThere, leaseFor, log } = await openJanitor(t, cluster, namespace)
      const lease = await leaseFor(node, 'gone')
      see(lease)
      await look(0)
      await look(ABANDONED_MS)
      t.equal(await isThere(lease), !isEnded)
      t.equal(log.lines.length, Number(isEnded), 'nothing went wrong')
    })
  }

  t.test('an agent of another DaemonSet that was heard of is not asked for', async (t) => {
    const node = await createNode(admin, { name: 'moved' })
    const { look, see, hear, isThere, leaseFor } = await openJanitor(t, cluster, NAMESPACE)
    const lease = await leaseFor(node, 'gone')
    see(lease)
    const pod = await createPod(admin, { namespace: NAMESPACE, name: 'moved', node: 'moved', hostNetwork: true, labels: LABELS })
    hear(pod)
    await remove(admin, pod)
    await look(0)
    await look(ABANDONED_MS)
    t.ok(await isThere(lease))
  })

  t.test('a Lease names what made its agent where that is beside it', async (t) => {
    const owner = ownerOf(await createWorkload(admin, { kind: 'DaemonSet', namespace: 'elsewhere', name: 'far' }))
    const near = ownerOf(await createWorkload(admin, { kind: 'DaemonSet', namespace: NAMESPACE, name: 'near' }))
    await createPod(admin, { namespace: 'elsewhere', name: 'agent', owner })
    await createPod(admin, { namespace: NAMESPACE, name: 'agent', owner: near })
    const kubeconfig = await writeKubeconfig(cluster, { token: cluster.adminToken, namespace: NAMESPACE, name: 'named' })
    const deps = { clock: createHandClock(), log: createKeptLog(), random: randomUUID, readFile: (path: string) => readFile(path, 'utf8') }
    for (const { namespace, wanted } of [
      { namespace: NAMESPACE, wanted: 'near' },
      { namespace: 'elsewhere', wanted: undefined },
    ]) {
      const { metadata } = await createNode(admin, { name: `of-${namespace}` })
      const api = await openApiServer({ kubeconfig, environment: { POD_NAME: 'agent', POD_NAMESPACE: namespace } }, deps, signal)
      t.teardown(() => api.close())
      await api.createLease({ node: metadata.name, uid: metadata.uid }, signal)
      const name = `meshtoll-${metadata.name}`
      const lease = await read(admin, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace: NAMESPACE, name } })
      t.equal(coverageLeaseOf(lease)?.daemonSet, wanted, namespace)
    }
  })

  t.test('the Lease of a node whose kubelet is not heard: an agent there may be cut off, and count on', async (t) => {
    const node = await createNode(admin, { name: 'cut-off' })
    const { look, see, isThere, leaseFor } = await openJanitor(t, cluster, NAMESPACE)
    const lease = await leaseFor(node, 'gone')
    see(lease)
    const ready = (status: string) => changeStatus(admin, node, { conditions: [{ type: 'Ready', status }] })
    await ready('Unknown')
    await look(0)
    await look(ABANDONED_MS)
    t.ok(await isThere(lease))
    await ready('True')
    await look(ABANDONED_MS - 1)
    t.ok(await isThere(lease))
    await look(0)
    await look(ABANDONED_MS)
    t.notOk(await isThere(lease))
  })
})

interface AgentsGiven {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec?: object
  readonly propagation?: string
}

/** What there is beside the DaemonSet of a Lease, which is gone. */
interface Other {
  readonly name: string
  readonly isEnded: boolean
  readonly set?: Partial<AgentsGiven>
  readonly pod?: { readonly labels: Readonly<Record<string, string>>; readonly hostNetwork?: boolean }
}

async function createAgents(admin: Client, { namespace, labels, spec = {}, propagation }: AgentsGiven): Promise<void> {
  const daemonSet = await createWorkload(admin, { kind: 'DaemonSet', namespace, name: 'agents' })
  await change(admin, daemonSet, { metadata: { labels }, spec: { template: { spec: { hostNetwork: true, ...spec } } } })
  if (propagation) await admin.send('DELETE', pathOf(daemonSet), { propagationPolicy: propagation })
}

/** Its clock is in the test's hands; what it hears is as well. */
async function openJanitor(t: Test, cluster: Cluster, namespace: string) {
  const { admin } = cluster
  const client = await openClient(t, cluster)
  const clock = createHandClock()
  const log = createKeptLog()
  const abandoned = createAbandoned({ client, namespace }, { clock, log })
  return {
    log,
    leaseFor({ metadata }: KubeObject, made?: string) {
      const lease = leaseOf({ node: metadata.name, uid: metadata.uid, daemonSet: made }, 0) as { readonly metadata: object }
      return create(admin, { ...lease, metadata: { ...lease.metadata, namespace } } as NewObject)
    },
    see: (lease: KubeObject) => abandoned.leases.put(`${namespace}/${lease.metadata.name}`, coverageLeaseOf(lease) as CoverageLease),
    hear: (pod: KubeObject) =>
      abandoned.pods.put(`${namespace}/${pod.metadata.name}`, podFactsOf(pod) as PodFacts, isLabelledAgent(pod.metadata)),
    forget: (pod: KubeObject) => abandoned.pods.remove(`${namespace}/${pod.metadata.name}`),
    isThere: (lease: KubeObject): Promise<boolean> =>
      read(admin, lease).then(
        ({ metadata }) => metadata.uid === lease.metadata.uid,
        () => false,
      ),
    async look(ms: number): Promise<void> {
      clock.advance(ms)
      await abandoned.look(signal)
    },
  }
}
