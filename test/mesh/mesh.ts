// A mesh in the lab: a real API server, real istiods and sidecars, each in the network namespace of its pod and on the ports it has there.
// What istiod sends to proxies crosses the wires between nodes; what it hears from the API server does not.
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import type { ClusterLab } from '../cluster/agents.js'
import type { Client } from '../cluster/client.js'
import { CLUSTER_PEERS } from '../cluster/cluster.js'
import { writeKubeconfig } from '../cluster/kubeconfig.js'
import { createNamespace } from '../cluster/objects.js'
import { reachFrom } from '../cluster/reach.js'
import { collectionOf, create, type NewObject } from '../cluster/resource.js'
import { eventually } from '../lab/world.js'
import { programOf } from '../peers/needed.js'
import { type Istiod, startIstiod, XDS_PORT } from './istiod.js'
import type { Target } from './relay.js'
import type { MeshService } from './services.js'
import { type Sidecar, startSidecar } from './sidecar.js'
import { createIstiodPod, createWorkloads, forEach, ISTIODS, PLACES, SYSTEM, WORKLOADS, type Workload } from './workloads.js'

/** What suites with a mesh need of test/peers/table.js. */
export const MESH_PEERS = [...CLUSTER_PEERS, 'istiod', 'envoy'] as const

export interface MeshOptions {
  /** 1, the default, or 2; all proxies are connected to the first. */
  readonly istiods?: number
  /** Of each istiod, as PILOT_DEBOUNCE_AFTER. */
  readonly environment?: Readonly<Record<string, string>>
  /** Of each istiod, as `--log_as_json`. */
  readonly flags?: readonly string[]
}

export interface Mesh {
  readonly istiods: readonly Istiod[]
  readonly proxies: Readonly<Record<Workload, Sidecar>>
  readonly services: Readonly<Record<Workload, MeshService>>
  /** As /var/log/pods. */
  readonly logs: string
  /** Waits until nobody has received anything for a second; answers what each proxy has received, in bytes. */
  settled(): Promise<Readonly<Record<Workload, number>>>
}

/** Of HTTP/2: both ends send one to the other twice a minute. */
export const PING_BYTES = 17
const QUIET_MS = 1_000

export const targetOf = ({ address }: Istiod): Target => ({ address, port: XDS_PORT })

export async function createMesh(t: Test, lab: ClusterLab, { istiods: count = 1, ...given }: MeshOptions = {}): Promise<Mesh> {
  const { topology, cluster } = lab
  const { admin } = cluster
  const folder = join(cluster.folder, 'mesh')
  const logs = join(folder, 'pods')
  await mkdir(logs, { recursive: true })
  const places = ISTIODS.slice(0, count)
  const port = Number(new URL(cluster.url).port)
  const namespaces = places.map((place) => place.in)
  const reach = await reachFrom(topology, namespaces, { port, folder, target: () => port })
  t.teardown(() => reach.close())
  const [workloads] = await Promise.all([createWorkloads(admin), installMesh(admin)])
  const kubeconfig = await writeKubeconfig(cluster, { token: cluster.adminToken, namespace: SYSTEM, name: 'istiod.kubeconfig' })

  const istiods = await Promise.all(
    places.map(async (place, index) => {
      const pod = await createIstiodPod(admin, place, index)
      const istiod = await startIstiod(topology, { ...place, pod, kubeconfig, logs, folder: join(folder, place.in), ...given })
      t.teardown(() => istiod.close())
      return istiod
    }),
  )
  const [first] = istiods
  if (!first) throw new Error('a mesh has an istiod')
  const proxies = await forEach(async (workload) => {
    const { pod } = workloads[workload]
    const place = PLACES[workload]
    const sidecar = await startSidecar(topology, { ...place, pod, workload, folder: join(folder, place.in), istiod: targetOf(first), logs })
    t.teardown(() => sidecar.close())
    return sidecar
  })
  const received = () => forEach((workload) => proxies[workload].receivedBytes())

  return {
    istiods,
    proxies,
    services: await forEach(async (workload) => workloads[workload].service),
    logs,
    async settled() {
      for (let before = await received(); ; ) {
        await sleep(QUIET_MS)
        const now = await received()
        if (WORKLOADS.every((workload) => now[workload] - before[workload] <= PING_BYTES)) return now
        before = now
      }
    },
  }
}

/** What `istioctl install` makes, as far as proxies are concerned: definitions, and a mesh without TLS. */
async function installMesh(api: Client): Promise<void> {
  const text = await readFile(join(dirname(programOf('istiod')), 'crds.yaml'), 'utf8')
  const definitions = parseAllDocuments(text).map((document) => document.toJS() as NewObject)
  await Promise.all(definitions.map((definition) => create(api, definition)))
  await createNamespace(api, SYSTEM)
  const noTls = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata: { namespace: SYSTEM, name: 'default' } }
  await eventually('definitions are served', async () => ((await api.ask('GET', collectionOf(noTls))).status === 200 ? true : undefined))
  await create(api, { ...noTls, spec: { mtls: { mode: 'DISABLE' } } })
}
