// A real sidecar in the network namespace of a pod: pilot-agent, which writes Istio's bootstrap and starts Envoy, on the ports that they have
// in every pod: 15090 (Envoy's metrics), 15020 (those of both), 15000 (Envoy's admin, on the loopback).
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Program } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import type { KubeObject } from '../cluster/client.js'
import { eventually } from '../lab/world.js'
import { programOf } from '../peers/needed.js'
import { type Ask, askAt, sumOf } from './ask.js'
import { ACCESS_LOG } from './istiod.js'
import { type Relay, startRelay, type Target } from './relay.js'

const ENVOY_METRICS_PORT = 15090
const AGENT_METRICS_PORT = 15020
const ADMIN_PORT = 15000
const RELAY_PORT = 15012
const READY_WITHIN_MS = 60_000

export interface SidecarGiven {
  /** The network namespace. */
  readonly in: string
  readonly address: string
  readonly pod: KubeObject
  readonly workload: string
  readonly folder: string
  readonly istiod: Target
  /** As /var/log/pods. */
  readonly logs: string
}

export interface Sidecar {
  readonly in: string
  readonly pod: KubeObject
  /** Of pilot-agent, whose child Envoy is. */
  readonly program: Program
  /** Of pilot-agent and Envoy. */
  pids(): Promise<readonly number[]>
  /** Envoy stands still (SIGSTOP) until what this answers is called. */
  pause(): Promise<() => void>
  /** kill -9 of Envoy, as when it takes more memory than it may; pilot-agent ends with it. Resolves when both have ended. */
  kill(): Promise<void>
  /** What Envoy serves on 15090, `?filter=` included. */
  metrics(query?: string): Promise<string>
  /** What pilot-agent serves on 15020. */
  agentMetrics(): Promise<string>
  /** Envoy's own, as `/clusters?format=json`. */
  admin: Ask
  /** What Envoy received from the control plane since it started. */
  receivedBytes(): Promise<number>
  /** The connection ends, and the next one goes there; without a target it is refused. */
  moveTo(istiod: Target | undefined): Promise<void>
  log(): string
  /** After it ended, as the kubelet: another container in the same pod. */
  start(): Promise<void>
  /** Both, and what stands between them and istiod. */
  close(): Promise<void>
}

export async function startSidecar(topology: Topology, given: SidecarGiven): Promise<Sidecar> {
  const { in: namespace, pod, folder } = given
  await mkdir(folder, { recursive: true })
  await linkAccessLog(given)
  const relay: Relay = await startRelay(topology, namespace, { port: RELAY_PORT, target: given.istiod })
  const ask = (port: number): Promise<Ask> => askAt(topology, namespace, port)
  const [envoy, agent, admin] = [await ask(ENVOY_METRICS_PORT), await ask(AGENT_METRICS_PORT), await ask(ADMIN_PORT)]
  const argv = [programOf('istiod', 'pilot-agent'), 'proxy', 'sidecar', '--proxyLogLevel=warning']
  const launch = (): Program => topology.start(namespace, argv, { env: environmentOf(given), cwd: folder })
  const metrics = (query = ''): Promise<string> => envoy(`/stats/prometheus${query}`)
  const hasClusters = async (): Promise<true | undefined> => {
    if (program.child.exitCode !== null) throw new Error(`${pod.metadata.name} ended: ${program.stdout().slice(-3_000)}`)
    const text = await metrics().catch(() => '')
    return sumOf(text, 'envoy_cluster_manager_cds_update_success') > 0 ? true : undefined
  }
  const ready = (): Promise<unknown> => eventually(`clusters of ${pod.metadata.name}`, hasClusters, READY_WITHIN_MS)
  let program = launch()
  await ready()

  return {
    in: namespace,
    pod,
    get program() {
      return program
    },
    pids: async () => [program.pid, await childOf(program.pid)],
    async pause() {
      const envoy = await childOf(program.pid)
      process.kill(envoy, 'SIGSTOP')
      return () => void process.kill(envoy, 'SIGCONT')
    },
    async kill() {
      process.kill(await childOf(program.pid), 'SIGKILL')
      await program.exited
    },
    metrics,
    agentMetrics: () => agent('/stats/prometheus'),
    admin,
    receivedBytes: async () => sumOf(await metrics(), 'envoy_cluster_upstream_cx_rx_bytes_total', { cluster_name: 'xds-grpc' }),
    moveTo: (istiod) => relay.move(istiod),
    log: () => program.stdout() + program.stderr(),
    async start() {
      program = launch()
      await ready()
    },
    async close() {
      await program.stop('SIGKILL')
      await relay.stop()
    },
  }
}

/** What it writes there is what a kubelet keeps of its container. */
async function linkAccessLog({ pod, folder, logs }: SidecarGiven): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  const kept = join(logs, `${namespace}_${name}_${uid}`, 'istio-proxy')
  await mkdir(kept, { recursive: true })
  await symlink(join(kept, '0.log'), join(folder, ACCESS_LOG))
}

/** Its only one, which any of its threads may have started. */
async function childOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`)
  const children = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')))
  const [child] = children.join(' ').trim().split(/\s+/)
  if (!child) throw new Error(`${pid} has no child`)
  return Number(child)
}

function environmentOf({ pod, address, workload, folder }: SidecarGiven): NodeJS.ProcessEnv {
  const { name, namespace = '' } = pod.metadata
  const config = {
    binaryPath: programOf('envoy'),
    configPath: join(folder, 'proxy'),
    proxyBootstrapTemplatePath: join(dirname(programOf('istiod')), 'envoy_bootstrap.json'),
    discoveryAddress: `127.0.0.1:${RELAY_PORT}`,
    controlPlaneAuthPolicy: 'NONE',
    statusPort: AGENT_METRICS_PORT,
    concurrency: 1,
    terminationDrainDuration: '1s',
  }
  return {
    PATH: process.env['PATH'],
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    INSTANCE_IP: address,
    SERVICE_ACCOUNT: 'default',
    PROXY_CONFIG: JSON.stringify(config),
    ISTIO_META_CLUSTER_ID: 'Kubernetes',
    ISTIO_META_WORKLOAD_NAME: workload,
    // No certificates, no gRPC bootstrap in /etc, and nobody to ask for a zone.
    FILE_MOUNTED_CERTS: 'true',
    GRPC_XDS_BOOTSTRAP: '',
    CLOUD_PLATFORM: 'none',
  }
}
