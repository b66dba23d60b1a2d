// Writes what controllers, scheduler, kubelets and a cloud would write. Each function answers with the object as it is kept.
// Nobody else acts on it: nothing is garbage collected, scheduled or run.
import type { Client, KubeObject, OwnerReference } from './client.js'
import { change, changeStatus, create, ownerOf, pathOf, remove } from './resource.js'

type Labels = Readonly<Record<string, string>>

interface Named {
  readonly namespace: string
  readonly name: string
}

const ownedBy = (owner: OwnerReference | undefined) => (owner === undefined ? {} : { ownerReferences: [owner] })

export interface NodeGiven {
  readonly name: string
  readonly zone?: string
  readonly region?: string
  /** InternalIP, one or one of each family. */
  readonly addresses?: readonly string[]
  readonly podCidrs?: readonly string[]
  readonly labels?: Labels
  readonly taints?: readonly object[]
}

export function createNode(
  api: Client,
  { name, zone, region, addresses = [], podCidrs = [], labels, taints = [] }: NodeGiven,
): Promise<KubeObject> {
  const places = {
    'kubernetes.io/hostname': name,
    ...(zone !== undefined && { 'topology.kubernetes.io/zone': zone }),
    ...(region !== undefined && { 'topology.kubernetes.io/region': region }),
  }
  return create(api, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { ...places, ...labels } },
    spec: { ...(podCidrs.length > 0 && { podCIDR: podCidrs[0], podCIDRs: podCidrs }), ...(taints.length > 0 && { taints }) },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  })
}

export const createNamespace = (api: Client, name: string, labels: Labels = {}): Promise<KubeObject> =>
  create(api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })

const POD_SPEC = { restartPolicy: 'Always', containers: [{ name: 'main', image: 'none' }] }
const JOB_SPEC = { template: { spec: { ...POD_SPEC, restartPolicy: 'Never' } } }
const selecting = (app: string) => ({
  selector: { matchLabels: { app } },
  template: { metadata: { labels: { app } }, spec: POD_SPEC },
})

const WORKLOADS = {
  Deployment: { apiVersion: 'apps/v1', specOf: selecting },
  ReplicaSet: { apiVersion: 'apps/v1', specOf: selecting },
  StatefulSet: { apiVersion: 'apps/v1', specOf: (app: string) => ({ ...selecting(app), serviceName: app }) },
  DaemonSet: { apiVersion: 'apps/v1', specOf: selecting },
  Job: { apiVersion: 'batch/v1', specOf: () => JOB_SPEC },
  CronJob: { apiVersion: 'batch/v1', specOf: () => ({ schedule: '0 0 1 1 *', jobTemplate: { spec: JOB_SPEC } }) },
} as const

export interface WorkloadGiven extends Named {
  readonly kind: keyof typeof WORKLOADS
  readonly owner?: OwnerReference
}

export function createWorkload(api: Client, { kind, namespace, name, owner }: WorkloadGiven): Promise<KubeObject> {
  const { apiVersion, specOf } = WORKLOADS[kind]
  return create(api, { apiVersion, kind, metadata: { namespace, name, ...ownedBy(owner) }, spec: specOf(name) })
}

/** The ReplicaSet of a Deployment, which is made with it. */
export async function createReplicaSet(api: Client, { namespace, name, deployment }: Named & { readonly deployment: string }) {
  const owner = ownerOf(await createWorkload(api, { kind: 'Deployment', namespace, name: deployment }))
  return createWorkload(api, { kind: 'ReplicaSet', namespace, name, owner })
}

/** A Job of a CronJob, which is made with it. */
export async function createJob(api: Client, { namespace, name, cronJob }: Named & { readonly cronJob: string }) {
  const owner = ownerOf(await createWorkload(api, { kind: 'CronJob', namespace, name: cronJob }))
  return createWorkload(api, { kind: 'Job', namespace, name, owner })
}

export interface PodGiven extends Named {
  readonly node?: string
  readonly owner?: OwnerReference
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly hostNetwork?: boolean
  readonly serviceAccount?: string
  /** Their names. */
  readonly containers?: readonly string[]
}

const SIDECAR = 'istio-proxy'
/** What Istio's injector reserves for one. */
const RESERVED = { requests: { cpu: '100m', memory: '128Mi' } }

/** Pending, without an address. */
export function createPod(api: Client, { namespace, name, owner, labels = {}, annotations = {}, ...given }: PodGiven): Promise<KubeObject> {
  return create(api, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels, annotations, ...ownedBy(owner) },
    spec: {
      ...(given.node !== undefined && { nodeName: given.node }),
      ...(given.serviceAccount !== undefined && { serviceAccountName: given.serviceAccount }),
      hostNetwork: given.hostNetwork ?? false,
      containers: (given.containers ?? ['main']).map((name) => ({ name, image: 'none', ...(name === SIDECAR && { resources: RESERVED }) })),
    },
  })
}

export interface PodStatusGiven {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  /** One, or one of each family. */
  readonly podIps?: readonly string[]
  readonly hostIp?: string
  /** As in Kubernetes; what is not given is that of a container that runs. */
  readonly containerStatuses?: readonly { readonly name: string; readonly [field: string]: unknown }[]
}

export function setPodStatus(api: Client, pod: KubeObject, { phase = 'Running', podIps, hostIp, containerStatuses }: PodStatusGiven) {
  return changeStatus(api, pod, {
    phase,
    ...(podIps !== undefined && { podIP: podIps[0] ?? null, podIPs: podIps.map((ip) => ({ ip })) }),
    ...(hostIp !== undefined && { hostIP: hostIp, hostIPs: [{ ip: hostIp }] }),
    ...(containerStatuses !== undefined && { containerStatuses: containerStatuses.map((status) => ({ ...RUNS, ...status })) }),
  })
}

const RUNS = { image: 'none', imageID: '', ready: true, restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }

export const createRunningPod = async (api: Client, given: PodGiven & PodStatusGiven): Promise<KubeObject> =>
  setPodStatus(api, await createPod(api, given), given)

/** As its kubelet says it: asked to go, its containers ended then, and gone. */
export async function endPod(api: Client, pod: KubeObject, finishedAt: Date): Promise<void> {
  await api.send('DELETE', pathOf(pod), { gracePeriodSeconds: 30 })
  await setPodStatus(api, pod, { containerStatuses: [endedAt(finishedAt)] })
  await remove(api, pod)
}

/** Its containers ended then by themselves; the API server goes on to tell of it. */
export const completePod = (api: Client, pod: KubeObject, finishedAt: Date): Promise<KubeObject> =>
  setPodStatus(api, pod, { phase: 'Succeeded', containerStatuses: [endedAt(finishedAt)] })

const endedAt = (time: Date) => ({
  name: 'main',
  ready: false,
  state: { running: null, terminated: { exitCode: 0, finishedAt: time.toISOString().replace(/\.\d+/, '') } },
})

export interface EndpointGiven {
  readonly address: string
  readonly pod?: string
  /** Of the pod. */
  readonly uid?: string
  readonly node?: string
  readonly zone?: string
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
}

export interface EndpointSliceGiven {
  readonly namespace: string
  readonly service: string
  /** Default: that of the Service. */
  readonly name?: string
  /** All of one family. */
  readonly endpoints: readonly EndpointGiven[]
  readonly port?: number
}

export function createEndpointSlice(api: Client, { namespace, service, name = service, endpoints, port = 80 }: EndpointSliceGiven) {
  return create(api, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': service } },
    addressType: endpoints.some(({ address }) => address.includes(':')) ? 'IPv6' : 'IPv4',
    endpoints: endpoints.map((endpoint) => endpointOf(namespace, endpoint)),
    ports: [{ name: '', port, protocol: 'TCP' }],
  })
}

export const setEndpoints = (api: Client, slice: KubeObject, endpoints: readonly EndpointGiven[]): Promise<KubeObject> =>
  change(api, slice, { endpoints: endpoints.map((endpoint) => endpointOf(slice.metadata.namespace, endpoint)) })

const endpointOf = (namespace: string | undefined, { address, pod, uid, node, zone, conditions = { ready: true } }: EndpointGiven) => ({
  addresses: [address],
  conditions,
  ...(node !== undefined && { nodeName: node }),
  ...(zone !== undefined && { zone }),
  ...(pod !== undefined && { targetRef: { kind: 'Pod', namespace, name: pod, uid } }),
})

export interface ServiceGiven extends Named {
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer'
  readonly selector?: Labels
  readonly ports?: readonly number[]
  /** What a cloud has given to a LoadBalancer. */
  readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[]
}

export async function createService(api: Client, { namespace, name, type = 'ClusterIP', selector, ports = [80], ingress }: ServiceGiven) {
  const service = await create(api, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { type, ...(selector && { selector }), ports: ports.map((port) => ({ name: `port-${port}`, port })) },
  })
  return ingress === undefined ? service : changeStatus(api, service, { loadBalancer: { ingress } })
}
