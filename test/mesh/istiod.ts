// A real istiod in the network namespace of a pod, on its own ports: 15010 (xDS in plain text), 15014 (metrics, debug), 8080.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Program } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import type { KubeObject } from '../cluster/client.js'
import { eventually } from '../lab/world.js'
import { programOf } from '../peers/needed.js'
import { type Ask, askAt } from './ask.js'
import { type ContainerLog, createContainerLog } from './container-log.js'
import { SYSTEM } from './workloads.js'

export const XDS_PORT = 15010
const METRICS_PORT = 15014
/** Relative to the folder of a proxy. */
export const ACCESS_LOG = 'access.log'
const HTTP_PORT = 8080
const READY_WITHIN_MS = 60_000

export interface IstiodGiven {
  /** The network namespace. */
  readonly in: string
  readonly address: string
  readonly pod: KubeObject
  readonly kubeconfig: string
  readonly folder: string
  /** As /var/log/pods. */
  readonly logs: string
  readonly environment?: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
}

export interface Istiod {
  readonly in: string
  readonly address: string
  readonly pod: KubeObject
  /** What the kubelet keeps of its output. */
  readonly log: ContainerLog
  readonly program: Program
  /** What it serves on 15014. */
  metrics(): Promise<string>
  /** Of 15014: `/debug/syncz` and others, which it answers to the loopback without a token. */
  debug: Ask
  /** As the kubelet when the container ended: resolves when it is ready. */
  start(): Promise<void>
  /** SIGTERM, which it takes some seconds to obey, or kill -9. */
  stop(signal?: NodeJS.Signals): Promise<void>
  close(): Promise<void>
}

// An Envoy without Istio's own filters takes clusters, endpoints and listeners of TCP then, and rejects those of HTTP.
// Each proxy writes its access log where it runs: an Envoy cannot open its output by name, which is no file here.
const MESH_CONFIG = { defaultProviders: {}, enableAutoMtls: false, accessLogFile: ACCESS_LOG }

export async function startIstiod(topology: Topology, given: IstiodGiven): Promise<Istiod> {
  const { in: namespace, pod, folder } = given
  const { name, uid } = pod.metadata
  await mkdir(folder, { recursive: true })
  const meshConfig = join(folder, 'mesh.json')
  await writeFile(meshConfig, JSON.stringify(MESH_CONFIG))
  const log = createContainerLog({ root: given.logs, pod: { namespace: SYSTEM, name, uid }, container: 'discovery' })
  const [http, monitoring] = [await askAt(topology, namespace, HTTP_PORT), await askAt(topology, namespace, METRICS_PORT)]
  const argv = [programOf('istiod'), 'discovery', ...flagsOf(given, meshConfig), ...(given.flags ?? [])]
  const env = {
    PATH: process.env['PATH'],
    POD_NAMESPACE: SYSTEM,
    POD_NAME: name,
    PILOT_ENABLE_METADATA_EXCHANGE: 'false',
    ...given.environment,
  }
  const launch = (): Program => {
    const program = topology.start(namespace, argv, { env, cwd: folder, keepsOutput: false })
    for (const stream of ['stdout', 'stderr'] as const) {
      const output = program.child[stream]
      if (output) log.take(stream, output)
    }
    return program
  }
  const ready = (): Promise<unknown> =>
    eventually(
      `${name} is ready`,
      async () => {
        if (program.child.exitCode !== null) throw new Error(`${name} ended: ${log.text().slice(-2_000)}`)
        return http('/ready').catch(() => undefined)
      },
      READY_WITHIN_MS,
    )
  let program = launch()
  await ready()

  return {
    in: namespace,
    address: given.address,
    pod,
    log,
    get program() {
      return program
    },
    metrics: () => monitoring('/metrics'),
    debug: monitoring,
    async start() {
      log.restart()
      program = launch()
      await ready()
    },
    async stop(signal = 'SIGKILL') {
      await program.stop(signal, 15_000)
    },
    async close() {
      await program.stop('SIGKILL')
      log.close()
    },
  }
}

const flagsOf = ({ kubeconfig }: IstiodGiven, meshConfig: string): readonly string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--meshConfig=${meshConfig}`,
  '--httpsAddr=',
  '--secureGRPCAddr=',
  `--grpcAddr=:${XDS_PORT}`,
  `--httpAddr=:${HTTP_PORT}`,
  `--monitoringAddr=:${METRICS_PORT}`,
]
