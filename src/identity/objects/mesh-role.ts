// What a pod is to Istio. Only agents keep it, of their own nodes' pods.
import { fieldsOf, listOf, textOf } from '../../formats/raw.js'

/** `proxy`: an Envoy, be it a sidecar, a gateway or a waypoint. */
export type MeshRole = 'proxy' | 'istiod' | 'ztunnel'

/** As an init container that runs on it is what Kubernetes calls a sidecar; Istio makes it one since 1.27. */
const LISTS = ['containers', 'initContainers']

/** Of a Pod as the API server writes it. Undefined where Istio has no part in it. */
export function meshRoleOf(raw: unknown): MeshRole | undefined {
  const { metadata, spec } = fieldsOf(raw)
  const { app } = fieldsOf(fieldsOf(metadata).labels)
  const containers = new Set(LISTS.flatMap((list) => listOf(fieldsOf(spec)[list]).map((container) => textOf(fieldsOf(container).name))))
  // The only container of a ztunnel has the name of the proxy.
  if (app === 'ztunnel') return 'ztunnel'
  if (app === 'istiod' || containers.has('discovery')) return 'istiod'
  return containers.has('istio-proxy') ? 'proxy' : undefined
}
