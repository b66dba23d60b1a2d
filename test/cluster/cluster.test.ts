// The harness does what it promises, on the real thing.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { nodeCommand } from '../../src/lab/program.js'
import { eventually } from '../lab/world.js'
import { allow, createServiceAccount, createToken } from './access.js'
import type { Client, KubeObject, WatchEvent } from './client.js'
import { type Cluster, startCluster } from './cluster.js'
import {
  createEndpointSlice,
  createJob,
  createNamespace,
  createNode,
  createPod,
  createReplicaSet,
  createRunningPod,
  createService,
  setEndpoints,
  setPodStatus,
} from './objects.js'
import { change, collectionOf, ownerOf, read, remove } from './resource.js'
import { clusterTest } from './suite.js'

const STARTS_CLUSTER = fileURLToPath(new URL('starts-cluster.ts', import.meta.url))

/** Processes that were told to work in this folder. */
function processesIn(folder: string): number[] {
  const commandLineOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return ''
    }
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandLineOf(pid).includes(folder)).map(Number)
}

const isGone = (folder: string) =>
  eventually(`the end of all in ${folder}`, () => (processesIn(folder).length === 0 && !existsSync(folder) ? true : undefined))

async function firstEvent(api: Client, path: string): Promise<WatchEvent | undefined> {
  for await (const event of api.watch(path, AbortSignal.timeout(10_000))) return event
  return undefined
}

async function writesObjects(t: Test, { admin }: Cluster): Promise<void> {
  const kept = async (object: KubeObject): Promise<KubeObject> => read(admin, object)

  t.test('a node', async (t) => {
    const given = { name: 'n1', zone: 'us-east-1a', region: 'us-east-1', addresses: ['10.0.0.1'], podCidrs: ['10.1.1.0/24'] }
    t.match(await kept(await createNode(admin, given)), {
      metadata: { labels: { 'topology.kubernetes.io/zone': 'us-east-1a', 'topology.kubernetes.io/region': 'us-east-1' } },
      spec: { podCIDR: '10.1.1.0/24', podCIDRs: ['10.1.1.0/24'] },
      status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
    })
  })

  t.test('a pod of a Deployment, from its creation to its end', async (t) => {
    await createNamespace(admin, 'shop', { team: 'one' })
    const replicaSet = await createReplicaSet(admin, { namespace: 'shop', name: 'cart-7d9f', deployment: 'cart' })
    t.match((await kept(replicaSet)).metadata.ownerReferences, [{ kind: 'Deployment', name: 'cart', controller: true }])

    const owner = ownerOf(replicaSet)
    const pod = await createPod(admin, { namespace: 'shop', name: 'cart-7d9f-x2x4z', node: 'n1', owner, labels: { app: 'cart' } })
    t.match(await kept(pod), { spec: { nodeName: 'n1' }, status: { phase: 'Pending', podIP: undefined } })
    t.match((await kept(pod)).metadata, { ownerReferences: [owner], labels: { app: 'cart' } })

    const terminated = { exitCode: 137, reason: 'OOMKilled' }
    await setPodStatus(admin, pod, {
      podIps: ['10.1.1.10', 'fd00::10'],
      hostIp: '10.0.0.1',
      containerStatuses: [{ name: 'main', restartCount: 2, lastState: { terminated } }],
    })
    t.match((await kept(pod)).status, {
      phase: 'Running',
      podIP: '10.1.1.10',
      podIPs: [{ ip: '10.1.1.10' }, { ip: 'fd00::10' }],
      hostIP: '10.0.0.1',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 2, lastState: { terminated } }],
    })

    await remove(admin, pod)
    await t.rejects(kept(pod), /: 404 /, 'gone at once, although it ran on a node')
  })

  t.test('a pod of a CronJob', async (t) => {
    const job = await createJob(admin, { namespace: 'shop', name: 'report-29000000', cronJob: 'report' })
    t.match((await kept(job)).metadata.ownerReferences, [{ kind: 'CronJob', name: 'report' }])
    const pod = await createRunningPod(admin, {
      namespace: 'shop',
      name: 'report-29000000-abcde',
      owner: ownerOf(job),
      hostNetwork: true,
      podIps: ['10.0.0.1'],
      hostIp: '10.0.0.1',
      phase: 'Succeeded',
    })
    t.match(await kept(pod), { spec: { hostNetwork: true }, status: { phase: 'Succeeded', podIP: '10.0.0.1' } })
  })

  t.test('a Service and where it leads', async (t) => {
    const ingress = [{ ip: '203.0.113.7' }, { hostname: 'lb.example.com' }]
    const service = await createService(admin, {
      namespace: 'shop',
      name: 'cart',
      type: 'LoadBalancer',
      selector: { app: 'cart' },
      ingress,
    })
    t.match(await kept(service), { spec: { type: 'LoadBalancer', clusterIP: /^10\.96\./ }, status: { loadBalancer: { ingress } } })

    const endpoints = [{ address: '10.1.1.10', pod: 'cart-7d9f-x2x4z', node: 'n1', zone: 'us-east-1a' }]
    const slice = await createEndpointSlice(admin, { namespace: 'shop', service: 'cart', endpoints, port: 8080 })
    const [endpoint] = [
      { addresses: ['10.1.1.10'], nodeName: 'n1', zone: 'us-east-1a', targetRef: { kind: 'Pod', name: 'cart-7d9f-x2x4z' } },
    ]
    t.match(await kept(slice), { addressType: 'IPv4', endpoints: [{ ...endpoint, conditions: { ready: true } }], ports: [{ port: 8080 }] })
    t.match(slice.metadata.labels, { 'kubernetes.io/service-name': 'cart' })
    await setEndpoints(admin, slice, [{ address: '10.1.1.11', conditions: { ready: false, terminating: true } }])
    t.match(await kept(slice), { endpoints: [{ addresses: ['10.1.1.11'], conditions: { ready: false, terminating: true } }] })
  })
}

async function forgets(t: Test, cluster: Cluster): Promise<void> {
  const { admin } = cluster
  await createNamespace(admin, 'history')
  const path = '/api/v1/namespaces/history/configmaps'
  const make = (name: string) => admin.send('POST', path, { metadata: { name } })
  const first = await make('one')
  const second = await make('two')
  const watch = (resourceVersion: string) => firstEvent(admin, `${path}?watch=true&resourceVersion=${resourceVersion}`)
  t.match(await watch(first.metadata.resourceVersion), { type: 'ADDED', object: { metadata: { name: 'two' } } }, 'known before')

  const { metadata } = (await admin.send('GET', `${path}?limit=1`)) as KubeObject & { metadata: { continue: string } }
  const goOn = () => admin.ask('GET', `${path}?limit=1&continue=${metadata.continue}`)
  await change(admin, second, { data: { changed: 'yes' } })
  t.match(await goOn(), { status: 200 }, 'a list goes on where it was')

  await cluster.compact()
  t.match(await watch(first.metadata.resourceVersion), { type: 'ERROR', object: { code: 410, reason: 'Expired' } }, 'a watch')
  t.match(await goOn(), { status: 410, body: { reason: 'Expired' } }, 'the rest of a list')
  const now = await read(admin, second)
  const deleted = watch(now.metadata.resourceVersion)
  await remove(admin, now)
  t.match(await deleted, { type: 'DELETED', object: { metadata: { name: 'two' } } }, 'and from now on all is told')
}

/** A process of its own, as a test file is one. */
async function startElsewhere(t: Test): Promise<{ readonly child: ChildProcess; readonly folder: string; readonly pids: number[] }> {
  const [command = '', ...args] = ['env', '-u', 'NODE_OPTIONS', ...nodeCommand(STARTS_CLUSTER)]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, ...JSON.parse(line) }
}

await clusterTest(async (t, cluster) => {
  const { admin } = cluster

  t.test('what is written is read back', (t) => writesObjects(t, cluster))

  t.test('after compact() an old resourceVersion answers 410', (t) => forgets(t, cluster))

  t.test('restart() keeps objects, address and tokens', async (t) => {
    const [first] = [await createNamespace(admin, 'stays'), await createNamespace(admin, 'stays-too')]
    const [etcd, before] = cluster.pids
    await cluster.restart()
    t.equal(cluster.pids[0], etcd, 'the same etcd')
    t.not(cluster.pids[1], before, 'another API server')
    t.match(await read(admin, first), first)
    const watch = `/api/v1/namespaces?watch=true&resourceVersion=${first.metadata.resourceVersion}`
    t.match(await firstEvent(admin, watch), { type: 'ERROR', object: { code: 410 } }, 'it remembers nothing from before')
  })

  t.test('a ServiceAccount may what RBAC allows', async (t) => {
    const [namespace, path] = ['access', collectionOf({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'access' } })]
    await createNamespace(admin, namespace)
    const serviceAccount = { namespace, name: 'agent' }
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]
    await createServiceAccount(admin, serviceAccount)
    const client = cluster.clientOf(await createToken(admin, serviceAccount))
    t.match(await client.ask('GET', path), { status: 403, body: { message: /system:serviceaccount:access:agent/ } }, 'without RBAC')

    await allow(admin, { name: 'agent', namespace, rules, serviceAccount })
    const mayList = (at: string) =>
      eventually(`leave to list ${at}`, async () => ((await client.ask('GET', at)).status === 200 ? true : undefined))
    t.ok(await mayList(path), 'with it')
    t.match(await client.ask('GET', '/api/v1/pods'), { status: 403 }, 'but not in all namespaces')
    await allow(admin, { name: 'agent', rules, serviceAccount })
    t.ok(await mayList('/api/v1/pods'), 'by a ClusterRole')

    const foreign = await createToken(admin, { ...serviceAccount, audience: 'meshtoll-directory' })
    t.match(await cluster.clientOf(foreign).ask('GET', path), { status: 401 }, 'a token for somebody else is none')
  })

  t.test('stop() leaves nothing', async (t) => {
    const other = await startCluster()
    t.teardown(() => other.stop())
    for (const pid of other.pids) t.ok(processesIn(other.folder).includes(pid), 'beside the other one')
    await other.stop()
    t.same(processesIn(other.folder), [])
    t.notOk(existsSync(other.folder))
  })

  t.test('nor does a test that is killed', async (t) => {
    const { child, folder, pids } = await startElsewhere(t)
    for (const pid of pids) t.ok(processesIn(folder).includes(pid))
    child.kill('SIGKILL')
    t.ok(await isGone(folder))
  })

  t.test('a server that cannot start says why, and leaves nothing', async (t) => {
    const error = await startCluster({ flags: ['--authorization-mode=Wish'] }).catch(String)
    t.match(
      error,
      /^Error: kube-apiserver ended before it was ready; its log ends with\n.*authorization-mode .*Wish.* is not a valid mode/s,
    )
    const [folder = ''] = /\S*meshtoll-cluster-\w+/.exec(String(error).replaceAll('(', ' ')) ?? []
    t.same([processesIn(folder), existsSync(folder)], [[], false], folder)
  })
})
