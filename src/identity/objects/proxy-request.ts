// What the Istio proxy in a pod reserves (k8s.io/api core/v1, ResourceRequirements). Only agents keep it, of their own nodes' pods.
import { quantityOf } from '../../formats/quantity.js'
import { fieldsOf, listOf, type Raw } from '../../formats/raw.js'

export interface ProxyRequest {
  /** Undefined: it reserves none. */
  readonly cpuCores: number | undefined
  readonly memoryBytes: number | undefined
}

const PROXY = 'istio-proxy'
/** As an init container that runs on it is what Kubernetes calls a sidecar. */
const LISTS = ['containers', 'initContainers']

/** Of a Pod as the API server writes it. Undefined where it has no proxy. */
export function proxyRequestOf(raw: unknown): ProxyRequest | undefined {
  const spec = fieldsOf(fieldsOf(raw).spec)
  const containers = LISTS.flatMap((list): readonly Raw[] => listOf(spec[list]).map(fieldsOf))
  const proxy = containers.find(({ name }) => name === PROXY)
  if (!proxy) return undefined
  const { cpu, memory } = fieldsOf(fieldsOf(proxy.resources).requests)
  return Object.freeze({ cpuCores: quantityOf(cpu), memoryBytes: quantityOf(memory) })
}
