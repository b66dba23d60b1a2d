// A reduced agent, whole: owners from a real API server with the rules of the chart, numbers from a kubelet over HTTPS, totals across kill -9.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { readAgentAccess } from '../deploy/access.js'
import { createAuthority } from '../http/certificates.js'
import { createToken } from './access.js'
import type { KubeObject } from './client.js'
import type { Cluster } from './cluster.js'
import { eventually, servedBy, startAgent } from './in-process.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace, createNode, createReplicaSet, createRunningPod } from './objects.js'
import { create, ownerOf } from './resource.js'
import { clusterTest } from './suite.js'

/** Received by each pod; sent are twice as many. */
type Bytes = Readonly<Record<string, number>>

/** Nothing of a pod without bytes. */
function statsOf({ metadata }: KubeObject, rxBytes: number | undefined): readonly object[] {
  if (rxBytes === undefined) return []
  return [
    {
      podRef: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
      startTime: '2026-01-01T00:00:00Z',
      network: { name: 'eth0', rxBytes, txBytes: 2 * rxBytes },
      containers: [{ name: 'istio-proxy', cpu: { usageCoreNanoSeconds: rxBytes * 1e9 }, memory: { workingSetBytes: 5 } }],
    },
  ]
}

async function startKubelet(t: Test, pods: () => readonly object[]) {
  const { cert, key } = createAuthority(t.testdir(), 'kubelet')
  const node = { network: { name: 'ens5', rxBytes: 7, txBytes: 8 } }
  let reads = 0
  const server = createServer({ cert, key }, (_, answer) => {
    reads++
    answer.end(JSON.stringify({ node, pods: pods() }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, reads: () => reads }
}

const configOf = (url: string) => ({ enabled: true, intervalMs: 50, url, tls: { caFile: null, insecureSkipVerify: true } }) as const

async function prepare({ admin }: Cluster) {
  const { account, objects } = await readAgentAccess('reduced')
  for (const name of [account.namespace, 'shop']) await createNamespace(admin, name)
  for (const object of objects) await create(admin, object)
  await createNode(admin, { name: 'n1', zone: 'us-east-1a', region: 'us-east-1', addresses: ['192.0.2.1'] })
  const owner = ownerOf(await createReplicaSet(admin, { namespace: 'shop', name: 'cart-7d9f', deployment: 'cart' }))
  const given = { namespace: 'shop', node: 'n1', podIps: ['10.1.0.2'] }
  const cart = await createRunningPod(admin, { ...given, name: 'cart-7d9f-a', owner })
  const second = await createRunningPod(admin, { ...given, name: 'cart-7d9f-b', owner })
  const host = await createRunningPod(admin, { ...given, name: 'host', hostNetwork: true })
  return { account, cart, second, host }
}

await clusterTest(async (t, cluster) => {
  t.test('bytes and proxies by owner, through kill -9', async (t) => {
    const { account, cart, second, host } = await prepare(cluster)
    const token = await createToken(cluster.admin, account)
    const kubeconfig = await writeKubeconfig(cluster, { token, namespace: account.namespace, name: 'reduced' })
    let bytes: Bytes = { cart: 100, second: 1000, host: 50_000 }
    const kubelet = await startKubelet(t, () => Object.entries({ cart, second, host }).flatMap(([name, pod]) => statsOf(pod, bytes[name])))
    const stateDir = t.testdir()
    const owner = 'us-east-1a/shop/Deployment/cart'
    const first = await startAgent(t, { kubeconfig, kubelet: configOf(kubelet.url), stateDir })
    const received = () => servedBy(first.agent, 'owner_network_receive_bytes_total')
    await eventually(async () => owner in (await received()))
    t.same(await received(), { [owner]: 0 }, 'a baseline for both, and nothing of the network of the node')
    bytes = { cart: 105, second: 1010, host: 60_000 }
    await eventually(async () => (await received())[owner] === 15)
    t.same(await received(), { [owner]: 15 })
    t.same(await servedBy(first.agent, 'owner_network_transmit_bytes_total'), { [owner]: 30 })
    t.same(await servedBy(first.agent, 'proxy_cpu_seconds_total'), { [owner]: 15, 'us-east-1a/shop/Pod/host': 10_000 })
    t.same(await servedBy(first.agent, 'proxy_memory_working_set_bytes'), { [owner]: 10, 'us-east-1a/shop/Pod/host': 5 })
    t.same(await servedBy(first.agent, 'node_network_receive_bytes_total'), { ens5: 7 }, "the node's devices, not the pod's")
    t.same(await first.kill(), [], 'with the rules of mode reduced there is nothing to complain of')

    bytes = { cart: 3, second: 1012 }
    const next = await startAgent(t, { kubeconfig, kubelet: configOf(kubelet.url), stateDir })
    await eventually(async () => ((await servedBy(next.agent, 'owner_network_receive_bytes_total'))[owner] ?? 0) > 15)
    t.same(
      await servedBy(next.agent, 'owner_network_receive_bytes_total'),
      { [owner]: 20 },
      'what came meanwhile, from zero where it began anew',
    )
    const reads = kubelet.reads()
    await eventually(() => kubelet.reads() > reads + 2)
    t.same(await servedBy(next.agent, 'owner_network_receive_bytes_total'), { [owner]: 20 }, 'once')
    t.same(await next.kill(), [])
  })
})
