// The few facts of a Service that are kept (k8s.io/api core/v1).
import { fieldsOf, listOf, timeMsOf } from '../../formats/raw.js'
import { addressesOf, objectOf, textsOf } from './raw.js'

export interface ServiceFacts {
  readonly namespace: string
  readonly name: string
  /** Canonical text, as are the others; empty for a headless one. */
  readonly clusterIps: readonly string[]
  readonly externalIps: readonly string[]
  /** As the load balancer was given them, not as they were wished for (`spec.loadBalancerIP`). */
  readonly loadBalancerIps: readonly string[]
  readonly loadBalancerHostnames: readonly string[]
  /** Since 1970, whole seconds, rounded down; 0 where it does not say. */
  readonly createdMs: number
}

/** Undefined where it is no Service as the API server writes it. */
export function serviceFactsOf(raw: unknown): ServiceFacts | undefined {
  const object = objectOf(raw, 'Service')
  if (!object?.namespace) return undefined
  const { metadata, spec, status, namespace, name } = object
  const ingress = listOf(fieldsOf(status.loadBalancer).ingress).map(fieldsOf)
  return Object.freeze({
    namespace,
    name,
    // "None", of a headless one, is no address.
    clusterIps: addressesOf([...listOf(spec.clusterIPs), spec.clusterIP]),
    externalIps: addressesOf(listOf(spec.externalIPs)),
    loadBalancerIps: addressesOf(ingress.map(({ ip }) => ip)),
    loadBalancerHostnames: textsOf(ingress.map(({ hostname }) => hostname)),
    createdMs: timeMsOf(metadata.creationTimestamp) ?? 0,
  })
}
