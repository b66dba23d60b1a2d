// The few facts of a Node that are kept (k8s.io/api core/v1).
import { addressText } from '../../formats/address-text.js'
import { fieldsOf, listOf, type Raw, textOf, timeMsOf } from '../../formats/raw.js'
import { parsePrefix } from '../address.js'
import { addressesOf, objectOf } from './raw.js'

export interface NodeFacts {
  readonly name: string
  readonly uid: string
  /** `''` without a label. */
  readonly zone: string
  readonly region: string
  /** Canonical text, as are the others. */
  readonly internalIps: readonly string[]
  readonly externalIps: readonly string[]
  /** `10.244.1.0/24`; empty where the network plug-in keeps its ranges for itself. */
  readonly podCidrs: readonly string[]
  /** `aws:///us-east-1a/i-0a1b2c3d4e5f60718`; `''` outside of clouds. */
  readonly providerId: string
  /** Since 1970, whole seconds, rounded down; 0 where it does not say. */
  readonly createdMs: number
}

/** Undefined where it is no Node as the API server writes it. */
export function nodeFactsOf(raw: unknown): NodeFacts | undefined {
  const object = objectOf(raw, 'Node')
  if (!object?.uid) return undefined
  const { metadata, spec, status, uid, name } = object
  const labels = fieldsOf(metadata.labels)
  const addresses = listOf(status.addresses).map(fieldsOf)
  return Object.freeze({
    name,
    uid,
    zone: topologyOf(labels, 'zone'),
    region: topologyOf(labels, 'region'),
    internalIps: addressesOf(ofType(addresses, 'InternalIP')),
    externalIps: addressesOf(ofType(addresses, 'ExternalIP')),
    podCidrs: cidrsOf([...listOf(spec.podCIDRs), spec.podCIDR]),
    providerId: textOf(spec.providerID),
    createdMs: timeMsOf(metadata.creationTimestamp) ?? 0,
  })
}

/** The label before 1.17 is still written by some, and alone by old ones. */
function topologyOf(labels: Raw, level: 'zone' | 'region'): string {
  return textOf(labels[`topology.kubernetes.io/${level}`]) || textOf(labels[`failure-domain.beta.kubernetes.io/${level}`])
}

function ofType(addresses: readonly Raw[], type: string): readonly unknown[] {
  return addresses.filter((entry) => entry.type === type).map(({ address }) => address)
}

function cidrsOf(values: readonly unknown[]): readonly string[] {
  const distinct = new Set<string>()
  for (const text of values.map(textOf)) {
    const prefix = text.includes('/') ? parsePrefix(text) : undefined
    if (prefix) distinct.add(`${addressText(prefix.address)}/${prefix.length}`)
  }
  return Object.freeze([...distinct])
}
