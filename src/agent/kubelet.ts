// The kubelet of this node as a source: whether it is asked, where it is, and with what credentials.
import type { ConnectionOptions } from '../cluster/connection.js'
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import { parseAddress } from '../identity/address.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import type { Source } from '../model.js'
import { createKubelet, type KubeletEndpoint, type PodsHere } from '../sources/kubelet/source.js'
import { type Cluster, usesCluster } from './cluster.js'

type Environment = ConnectionOptions['environment']
type KubeletDeps = Pick<Deps, 'clock' | 'log' | 'readFile'>

interface Parts {
  readonly config: Pick<Config, 'kubelet' | 'kubernetes'>
  readonly environment: Environment
}

const PORT = 10250

/** Auto: in a pod, which Kubernetes tells where its API server is, unless that is not to be asked. */
export function usesKubelet({ kubelet, kubernetes }: Parts['config'], environment: Environment): boolean {
  const isPod = (environment.KUBERNETES_SERVICE_HOST ?? '') !== ''
  return kubelet.enabled === 'auto' ? isPod && usesCluster({ kubernetes }, environment) : kubelet.enabled
}

/**
 * Whether we see the node's own devices. A pod on the network of pods has an address of its own, and not its node's. Where nobody says what
 * the node's is, this is no pod.
 */
export function isOnNodesNetwork(environment: Environment, rtnetlink: Pick<Rtnetlink, 'addresses'>): boolean {
  const own = canonical(environment.NODE_IP ?? '')
  if (own === undefined) return true
  try {
    return rtnetlink.addresses().some(({ address }) => canonical(address) === own)
  } catch {
    // Without netlink it cannot be told; /proc still says something.
    return true
  }
}

interface SourceParts extends Parts {
  readonly cluster: Pick<Cluster, 'pods' | 'ownNode'> | undefined
  readonly servesNode: boolean
}

export function createKubeletSource({ config, environment, cluster, servesNode }: SourceParts, deps: KubeletDeps): Source {
  const open = (signal: AbortSignal): Promise<KubeletEndpoint> =>
    openKubelet({ config, environment, internalIps: cluster?.ownNode?.internalIps ?? [] }, deps, signal)
  return createKubelet({ open, pods: cluster ? podsHere(cluster) : NO_PODS, servesNode }, deps)
}

interface Where extends Parts {
  /** Of the Node, where it was told. */
  readonly internalIps: readonly string[]
}

/** Rejects with one line that says what to do. */
export async function openKubelet(
  { config, environment, internalIps }: Where,
  deps: KubeletDeps,
  signal: AbortSignal,
): Promise<KubeletEndpoint> {
  const { kubelet, kubernetes } = config
  const url = kubelet.url ?? urlOf(environment.NODE_IP || internalIps[0])
  const [{ readAccess }, { createKubeletEndpoint }] = await Promise.all([
    import('../kube/access.js'),
    import('../sources/kubelet/endpoint.js'),
  ])
  const { kubeconfig } = kubernetes
  const { ca, token, clientCertificate } = await readAccess({ environment, kubeconfig }, deps, signal)
  const { caFile, insecureSkipVerify } = kubelet.tls
  const authority = caFile === null ? ca : await readAuthority(caFile, deps, signal)
  return createKubeletEndpoint({ url, ca: authority, token, clientCertificate, insecureSkipVerify }, deps)
}

function urlOf(address: string | undefined): string {
  if (!address) throw new Error("the node's address is not known yet; set NODE_IP in the environment, or kubelet.url")
  return `https://${address.includes(':') ? `[${address}]` : address}:${PORT}`
}

function readAuthority(path: string, { readFile }: Pick<Deps, 'readFile'>, signal: AbortSignal): Promise<string> {
  return readFile(path, signal).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted()
    throw new Error(`kubelet.tls.caFile ${path} cannot be read: ${error.code ?? error.message}; correct the path or its permissions`)
  })
}

const NO_PODS: PodsHere = { uidOf: () => undefined, proxies: () => [] }

function podsHere({ pods }: Pick<Cluster, 'pods'>): PodsHere {
  return {
    uidOf: pods.uidOf,
    *proxies() {
      for (const { uid, namespace, name, proxy } of pods.live()) if (proxy) yield { pod: { uid, namespace, name }, ...proxy }
    },
  }
}

const canonical = (text: string): string | undefined => {
  const address = parseAddress(text)
  return address && String(address)
}
