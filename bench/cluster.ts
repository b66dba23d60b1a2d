// A cluster of 5,000 nodes and 100,000 pods, as its API server would write it.
export interface ClusterSize {
  readonly nodes: number
  readonly pods: number
}

const TIME = '2026-01-01T00:00:00Z'
const PODS_OF_A_DEPLOYMENT = 20
const SERVICES_SHARE = 50
const ENDPOINTS_OF_A_SLICE = 5
const FIELDS = Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`f:field${index}`, { '.': {}, 'f:one': {}, 'f:two': {} }]))
const managed = (manager: string) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: TIME,
  fieldsType: 'FieldsV1',
  fieldsV1: FIELDS,
})
const CONDITIONS = Array.from({ length: 5 }, (_, index) => ({ type: `Condition${index}`, status: 'True', lastTransitionTime: TIME }))
const ENV = Array.from({ length: 12 }, (_, index) => ({ name: `SETTING_${index}`, value: 'a value of some length' }))

const uidOf = (kind: number, index: number): string => `${String(kind).padStart(8, '0')}-0000-4000-8000-${String(index).padStart(12, '0')}`
const nodeName = (index: number): string => `ip-10-${index >> 8}-${index & 255}-10.eu-central-1.compute.internal`
const hashOf = (deployment: number): string => (deployment * 7919 + 0x5d9f7c6b).toString(36).slice(0, 9)

export const addressOf = (pod: number): string => `10.${(pod >> 16) & 255}.${(pod >> 8) & 255}.${pod & 255}`

/** About 4 KB, half of it managedFields, as pods are. `life`: counts up with each restart. */
export function podOf(index: number, { nodes }: ClusterSize, life = 0): object {
  const deployment = Math.floor(index / PODS_OF_A_DEPLOYMENT)
  const [name, hash] = [`workload-${deployment}`, hashOf(deployment)]
  const podIP = addressOf(index)
  const startTime = new Date(Date.parse(TIME) + life * 1_000_000).toISOString()
  return {
    metadata: {
      name: `${name}-${hash}-${index % PODS_OF_A_DEPLOYMENT}`,
      generateName: `${name}-${hash}-`,
      namespace: `team-${deployment % 50}`,
      uid: uidOf(life, index),
      resourceVersion: String(1_000 + index),
      creationTimestamp: startTime,
      labels: { app: name, 'pod-template-hash': hash },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-${hash}`, uid: uidOf(90, deployment), controller: true },
      ],
      managedFields: [managed('kube-controller-manager'), managed('kubelet')],
    },
    spec: {
      nodeName: nodeName(index % nodes),
      containers: [{ name: 'main', image: 'registry.example.com/team/cart:1.2.3', env: ENV }],
      serviceAccountName: name,
    },
    status: { phase: 'Running', startTime, podIP, podIPs: [{ ip: podIP }], conditions: CONDITIONS },
  }
}

/** Metadata of a ReplicaSet, by the name that its pods give it. */
export function replicaSetOf(name: string): object {
  const deployment = Number(/^workload-(\d+)-/.exec(name)?.[1])
  const maker = { apiVersion: 'apps/v1', kind: 'Deployment', name: `workload-${deployment}`, uid: uidOf(91, deployment), controller: true }
  return { metadata: { name, uid: uidOf(90, deployment), ownerReferences: [maker] } }
}

/** All objects of a collection, by its path. */
export function collectionOf(path: string, size: ClusterSize): { readonly count: number; readonly at: (index: number) => object } {
  if (path.endsWith('/pods')) return { count: size.pods, at: (index) => podOf(index, size) }
  if (path.endsWith('/nodes')) return { count: size.nodes, at: nodeOf }
  if (path.endsWith('/leases')) return { count: size.nodes, at: leaseAt }
  if (path.endsWith('/endpointslices')) return { count: size.pods / ENDPOINTS_OF_A_SLICE, at: (index) => sliceOf(index, size) }
  return { count: Math.floor(size.pods / SERVICES_SHARE), at: serviceOf }
}

function nodeOf(index: number): object {
  const zone = `eu-central-1${'abc'[index % 3]}`
  const name = nodeName(index)
  return {
    metadata: {
      name,
      uid: uidOf(92, index),
      labels: { 'topology.kubernetes.io/zone': zone, 'topology.kubernetes.io/region': 'eu-central-1', 'kubernetes.io/hostname': name },
      managedFields: [managed('kubelet')],
    },
    spec: { podCIDRs: [`100.${64 + (index >> 8)}.${index & 255}.0/24`], providerID: `aws:///${zone}/i-${index}` },
    status: {
      addresses: [{ type: 'InternalIP', address: `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}` }],
      conditions: CONDITIONS,
    },
  }
}

function serviceOf(index: number): object {
  const clusterIP = `198.18.${(index >> 8) & 255}.${index & 255}`
  return {
    metadata: { name: `workload-${index}`, namespace: `team-${index % 50}`, uid: uidOf(93, index) },
    spec: { clusterIP, clusterIPs: [clusterIP] },
    status: { loadBalancer: {} },
  }
}

/** As many of each as pods are in a Deployment have: a cluster of many small slices, which take more than few large ones. */
function sliceOf(index: number, { nodes }: ClusterSize): object {
  const deployment = Math.floor((index * ENDPOINTS_OF_A_SLICE) / PODS_OF_A_DEPLOYMENT)
  const service = `workload-${deployment}`
  const pods = Array.from({ length: ENDPOINTS_OF_A_SLICE }, (_, at) => index * ENDPOINTS_OF_A_SLICE + at)
  return {
    metadata: {
      name: `${service}-${index.toString(36).padStart(5, '0')}`,
      namespace: `team-${deployment % 50}`,
      uid: uidOf(95, index),
      labels: { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      managedFields: [managed('kube-controller-manager')],
    },
    addressType: 'IPv4',
    endpoints: pods.map((pod) => ({
      addresses: [addressOf(pod)],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace: `team-${deployment % 50}`, name: `${service}-${hashOf(deployment)}-${pod}`, uid: uidOf(0, pod) },
      nodeName: nodeName(pod % nodes),
      zone: `eu-central-1${'abc'[pod % 3]}`,
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  }
}

function leaseAt(index: number): object {
  return {
    metadata: { name: `meshtoll-${nodeName(index)}`, namespace: 'meshtoll', uid: uidOf(94, index) },
    spec: { holderIdentity: nodeName(index), acquireTime: '2026-01-01T00:00:00.000000Z' },
  }
}
