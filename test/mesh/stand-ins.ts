// What a node has beside the mesh, in the place of what cannot be had here, and agents that ask all of it: kubelets, ztunnels, a proxy of HTTP and
// Datadog are servers that answer as those do.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createServiceAccount, createToken } from '../cluster/access.js'
import type { ClusterLab } from '../cluster/agents.js'
import type { Client, KubeObject } from '../cluster/client.js'
import { startDirectories } from '../cluster/directories.js'
import { setPodStatus } from '../cluster/objects.js'
import { reachFrom } from '../cluster/reach.js'
import { type Fault, startIntake } from '../datadog/intake.js'
import { KEY } from '../datadog/judge.js'
import { createAuthority } from '../http/certificates.js'
import { createCgroupTree, noCgroups } from '../kernel/cgroup-tree.js'
import type { AgentsOptions } from '../lab/agents.js'
import { requestsLine } from '../sources/envoy/captures.js'
import { CAPTURES } from '../sources/ztunnel/exposition.js'
import type { Mesh } from './mesh.js'
import { SYSTEM } from './workloads.js'

/** On the loopback of each node. */
const PORTS = { kubelet: 10_250, ztunnel: 15_021, proxy: 15_091, datadog: 8_126 }
const ZTUNNEL = { zone: 'zone-1', namespace: SYSTEM, ownerKind: 'DaemonSet', ownerName: 'ztunnel' }
/** By the number of the request, which comes of any agent: what Datadog does not want, and what it may have or not. */
const FAULTS: readonly (Fault | undefined)[] = [
  ...Array<undefined>(3).fill(undefined),
  ...Array<Fault>(3).fill({ kind: 'answer', status: 400, text: '{"errors":["no"]}' }),
  ...Array<Fault>(3).fill({ kind: 'reset', keeps: true }),
]
const GATEWAY = { zone: 'zone-1', namespace: 'shop', ownerKind: 'Deployment', ownerName: 'gateway' }

export interface Furnished {
  /** Of agents that ask all there is. */
  readonly agents: Required<Pick<AgentsOptions, 'options' | 'capabilities' | 'environment'>>
  /** Of Prometheus: whom it asks beside the agents. */
  readonly scrapes: readonly object[]
  /** From now on ztunnels answer nothing but errors. */
  breakZtunnels(): void
}

export async function furnish(t: Test, mesh: Mesh, lab: ClusterLab): Promise<Furnished> {
  const { topology, cluster } = lab
  const nodes = topology.spec.nodes.map(({ name }) => name)
  const reach = async (port: number, target: number): Promise<void> => {
    const reached = await reachFrom(topology, nodes, { port, folder: cluster.folder, target: () => target })
    t.teardown(() => reached.close())
  }
  const { cert, key } = createAuthority(cluster.folder, 'kubelet')
  const pods = Object.values(mesh.proxies).map(({ pod }) => pod)
  const intake = await startIntake(t, { now: Date.now })
  intake.fault = (request) => FAULTS[request]
  let isBroken = false
  const ztunnel = twice(CAPTURES)
  await Promise.all([
    listening(t, createTlsServer({ cert, key }, summaryOf(pods))).then((port) => reach(PORTS.kubelet, port)),
    listening(
      t,
      createPlainServer((request, answer) => (isBroken ? answer.writeHead(500).end() : ztunnel(request, answer))),
    ).then((port) => reach(PORTS.ztunnel, port)),
    listening(t, createPlainServer(twice([1, 2].map(proxyText)))).then((port) => reach(PORTS.proxy, port)),
    reach(PORTS.datadog, Number(new URL(intake.url).port)),
  ])
  await giveCgroups(t, mesh)
  const tokenFile = join(cluster.folder, 'istio-token')
  const reader = await createServiceAccount(cluster.admin, { namespace: SYSTEM, name: 'meshtoll-agent' })
  await writeFile(tokenFile, await createToken(cluster.admin, { namespace: SYSTEM, name: reader.metadata.name, audience: 'istio-ca' }))
  const { ports } = await startDirectories(t, lab)
  const agents = {
    capabilities: ['net_admin', 'sys_admin', 'sys_ptrace'],
    environment: () => ({ DD_API_KEY: KEY }),
    options: {
      istiod: { interval: '1s', debug: true, tokenFile },
      envoy: {
        ...{ interval: '1s', agentInterval: '1s', accessLog: 'auto', admin: 'netns' },
        targets: [{ url: `http://127.0.0.1:${PORTS.proxy}/stats/prometheus`, ...GATEWAY }],
      },
      kubelet: { enabled: true, interval: '1s', url: `https://127.0.0.1:${PORTS.kubelet}`, tls: { insecureSkipVerify: true } },
      ztunnel: { interval: '1s', targets: [{ url: `http://127.0.0.1:${PORTS.ztunnel}/stats/prometheus`, ...ZTUNNEL }] },
      datadog: { enabled: true, url: `http://127.0.0.1:${PORTS.datadog}${new URL(intake.url).pathname}`, flushInterval: '10s' },
    },
  }
  return {
    agents,
    scrapes: [
      {
        job_name: 'meshtoll-directory',
        scheme: 'https',
        tls_config: { insecure_skip_verify: true },
        static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }],
      },
    ],
    breakZtunnels() {
      isBroken = true
    },
  }
}

async function listening(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Of the kubelet: `/stats/summary`, in which all counters grow. */
function summaryOf(pods: readonly KubeObject[]): RequestListener {
  const network = { rxBytes: 0, txBytes: 0 }
  return (_, answer) => {
    network.rxBytes += 1_000
    network.txBytes += 2_000
    const cpu = { usageCoreNanoSeconds: network.rxBytes * 1e6 }
    const stats = pods.map(({ metadata: { name, namespace, uid } }) => ({
      podRef: { name, namespace, uid },
      startTime: '2026-01-01T00:00:00Z',
      network: { name: 'eth0', ...network },
      containers: [{ name: 'istio-proxy', cpu, memory: { workingSetBytes: 5_000_000 } }],
    }))
    answer.end(JSON.stringify({ node: { network: { name: 'ens5', ...network } }, pods: stats }))
  }
}

/** The first of two answers a few times, then the second. */
function twice(answers: readonly string[]): RequestListener {
  let requests = 0
  return (_, answer) => void answer.end(answers[requests++ < 15 ? 0 : 1])
}

/** Of an Envoy with Istio's own filters. */
const proxyText = (count: number): string => `envoy_server_uptime{} ${1_000 * count}\n${requestsLine(count)}`

/** As a kubelet makes them: by these a pod's network namespace is found. */
async function giveCgroups(t: Test, { proxies }: Mesh): Promise<void> {
  if (noCgroups() !== undefined) return
  const tree = createCgroupTree()
  t.teardown(() => tree.remove())
  for (const { pod, pids } of Object.values(proxies)) {
    const path = `kubepods/burstable/pod${pod.metadata.uid}/3c4d`
    tree.make(path)
    tree.take(path, await pids())
  }
}

/** Of a pod with a sidecar, once, as its kubelet says it. */
export async function restartContainers(api: Client, pod: KubeObject, address: string): Promise<void> {
  for (const restartCount of [0, 1]) {
    const containerStatuses = ['main', 'istio-proxy'].map((name) => ({ name, restartCount }))
    await setPodStatus(api, pod, { podIps: [address], containerStatuses })
  }
}
