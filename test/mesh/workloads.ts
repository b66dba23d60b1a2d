// Who is in the mesh, and where in the lab's three zones:
//   n1  p1a cart (shop)       p1b istiod-0
//   n2  p2a checkout (shop)   p2b istiod-1
//   n3  p3a flapper (noisy)
import type { Client, KubeObject } from '../cluster/client.js'
import { createNamespace, createReplicaSet, createRunningPod } from '../cluster/objects.js'
import { ownerOf } from '../cluster/resource.js'
import { createMeshService, type MeshService } from './services.js'

interface Place {
  /** The network namespace of the pod. */
  readonly in: string
  readonly node: string
  readonly zone: string
  readonly address: string
}

export const SYSTEM = 'istio-system'

export const ISTIODS: readonly Place[] = [
  { in: 'p1b', node: 'n1', zone: 'zone-1', address: '10.1.1.3' },
  { in: 'p2b', node: 'n2', zone: 'zone-2', address: '10.1.2.3' },
]

export const PLACES = {
  cart: { namespace: 'shop', in: 'p1a', node: 'n1', zone: 'zone-1', address: '10.1.1.2' },
  checkout: { namespace: 'shop', in: 'p2a', node: 'n2', zone: 'zone-2', address: '10.1.2.2' },
  flapper: { namespace: 'noisy', in: 'p3a', node: 'n3', zone: 'zone-3', address: '10.1.3.2' },
} as const satisfies Readonly<Record<string, Place & { readonly namespace: string }>>

export type Workload = keyof typeof PLACES
export const WORKLOADS = Object.keys(PLACES) as readonly Workload[]

/** As the controller of an injected Deployment makes it: its second container is the sidecar. */
const createSidecarPod = (api: Client, workload: Workload): Promise<KubeObject> =>
  createPod(api, { ...PLACES[workload], deployment: workload, app: workload, containers: ['main', 'istio-proxy'] })

/** Of the Deployment istiod; each further one is of another revision. */
export const createIstiodPod = (api: Client, place: Place, index: number): Promise<KubeObject> =>
  createPod(api, {
    ...place,
    namespace: SYSTEM,
    deployment: index === 0 ? 'istiod' : `istiod-${index}`,
    app: 'istiod',
    containers: ['discovery'],
  })

interface PodOf extends Place {
  readonly namespace: string
  readonly deployment: string
  readonly app: string
  readonly containers: readonly string[]
}

async function createPod(api: Client, { namespace, deployment, app, node, address, containers }: PodOf): Promise<KubeObject> {
  const name = `${deployment}-7d9f8b6c5d`
  const owner = ownerOf(await createReplicaSet(api, { namespace, name, deployment }))
  return createRunningPod(api, { namespace, name: `${name}-x2x4v`, owner, node, labels: { app }, containers, podIps: [address] })
}

export interface Served {
  readonly pod: KubeObject
  readonly service: MeshService
}

/** A pod and a Service of each; the namespace `shop` is there. */
export async function createWorkloads(api: Client): Promise<Readonly<Record<Workload, Served>>> {
  await createNamespace(api, PLACES.flapper.namespace)
  return forEach(async (workload) => {
    const { namespace, address, node, zone } = PLACES[workload]
    const pod = await createSidecarPod(api, workload)
    const endpoint = { address, pod: pod.metadata.name, uid: pod.metadata.uid, node, zone }
    return { pod, service: await createMeshService(api, { namespace, name: workload, endpoint }) }
  })
}

/** At the same time. */
export async function forEach<Value>(make: (workload: Workload) => Promise<Value>): Promise<Readonly<Record<Workload, Value>>> {
  const made = await Promise.all(WORKLOADS.map(async (workload) => [workload, await make(workload)] as const))
  return Object.fromEntries(made) as Record<Workload, Value>
}
