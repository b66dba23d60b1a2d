// The few facts of a Pod that are kept, of the ten kilobytes that it has (k8s.io/api core/v1).
import { fieldsOf, listOf, type Raw, textOf, timeMsOf } from '../../formats/raw.js'
import { controllerOf, groupOf, type OwnerReference } from './owner-reference.js'
import { endedMsOf } from './pod-end.js'
import { addressesOf, objectOf } from './raw.js'
import { type Sharing, UNSHARED } from './sharing.js'

export interface PodFacts {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** `''` until it is scheduled. */
  readonly node: string
  /** Its addresses are the node's. */
  readonly hostNetwork: boolean
  /** Canonical text. Empty until it has one, and perhaps again when it ended. */
  readonly addresses: readonly string[]
  /** When the kubelet took it up, before anything was sent; before that, when it was created. Whole seconds, rounded down. */
  readonly startedMs: number
  /** Undefined while it may send. Whole seconds, rounded down: it may have sent up to a second longer. Never before `startedMs`. */
  readonly endedMs: number | undefined
  readonly controller: OwnerReference | undefined
  /** `''` where the name was given whole. */
  readonly generateName: string
  /** Its node made it, from a file; the API server holds a mirror of it. */
  readonly isStatic: boolean
  /** What made its ReplicaSet, whose name is then the maker's, a dash and a hash; `''` where that is not known from the pod itself. */
  readonly templatedBy: '' | 'Deployment' | 'Rollout'
}

/** Undefined where it is no Pod as the API server writes it. `sharing`: for who keeps many. */
export function podFactsOf(raw: unknown, sharing: Sharing = UNSHARED): PodFacts | undefined {
  const object = objectOf(raw, 'Pod')
  if (!object?.uid || !object.namespace) return undefined
  const { metadata, spec, status, uid, namespace, name } = object
  const startedMs = timeMsOf(status.startTime) ?? timeMsOf(metadata.creationTimestamp)
  if (startedMs === undefined) return undefined
  const controller = controllerOf(metadata)
  return Object.freeze({
    uid,
    namespace: sharing.text(namespace),
    name,
    node: sharing.text(textOf(spec.nodeName)),
    hostNetwork: spec.hostNetwork === true,
    addresses: addressesOf([...listOf(status.podIPs).map((entry) => fieldsOf(entry).ip), status.podIP]),
    startedMs,
    endedMs: endedMsOf({ metadata, spec, status, startedMs }),
    controller: controller && sharing.reference(controller),
    generateName: sharing.text(textOf(metadata.generateName)),
    isStatic: isStatic(metadata, controller),
    templatedBy: templatedBy(metadata, controller),
  })
}

/** A mirror has the annotation, and since 1.17 its node for an owner. */
function isStatic(metadata: Raw, controller: OwnerReference | undefined): boolean {
  return mirroredUid(metadata) !== '' || (controller !== undefined && controller.kind === 'Node' && groupOf(controller) === '')
}

/** The uid by which its node knows a pod that it made from a file, and by which it names its cgroups; undefined for all others. */
export const mirroredUidOf = (raw: unknown): string | undefined => mirroredUid(fieldsOf(fieldsOf(raw).metadata)) || undefined

const mirroredUid = (metadata: Raw): string => textOf(fieldsOf(metadata.annotations)['kubernetes.io/config.mirror'])

/** Both name a ReplicaSet after themselves and the hash of their template, and write the hash on its pods. */
function templatedBy(metadata: Raw, controller: OwnerReference | undefined): PodFacts['templatedBy'] {
  if (controller?.kind !== 'ReplicaSet') return ''
  const labels = fieldsOf(metadata.labels)
  const isIn = (hash: string): boolean =>
    /^[a-z0-9]+$/.test(hash) && controller.name.length > hash.length + 1 && controller.name.endsWith(`-${hash}`)
  if (isIn(textOf(labels['pod-template-hash']))) return 'Deployment'
  return isIn(textOf(labels['rollouts-pod-template-hash'])) ? 'Rollout' : ''
}
