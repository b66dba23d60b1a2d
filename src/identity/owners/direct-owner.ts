// Who a pod belongs to, as far as the pod itself says.
import { groupOf, type OwnerReference } from '../objects/owner-reference.js'
import type { PodFacts } from '../objects/pod.js'

export interface Owner {
  readonly kind: string
  readonly name: string
}

/** What is read of a pod. */
export type OwnedPod = Pick<PodFacts, 'namespace' | 'name' | 'node' | 'controller' | 'generateName' | 'isStatic' | 'templatedBy'>

/** Made anew at every rollout or run, so that whoever makes them is the owner. Other groups have a Job as well, which is an end (Volcano). */
const STEPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ReplicaSet', ['apps', 'extensions']],
  ['Job', ['batch']],
])

/** The controller, where its own controller is asked for. */
export function stepOf({ controller, isStatic }: OwnedPod): OwnerReference | undefined {
  if (!controller || isStatic) return undefined
  return STEPS.get(controller.kind)?.includes(groupOf(controller)) ? controller : undefined
}

/** The pod's controller; without one, the pod itself by a name that those made alike share. */
export function directOwnerOf({ name, node, controller, generateName, isStatic }: OwnedPod): Owner {
  if (isStatic) return ownerOf('StaticPod', node === '' ? name : without(name, `-${node}`))
  if (controller) return ownerOf(controller.kind, controller.name)
  // A name that was given whole stays whole: in `web-httpd` nothing tells a word from a random suffix.
  return ownerOf('Pod', generateName === '' ? name : without(generateName, '-'))
}

/**
 * Where the ReplicaSet or Job is gone. A ReplicaSet of a Deployment carries its maker's name, and its pods the rest of its own, so
 * the answer is the one that was given while it was there: a pod that outlives it keeps its series, on every node. All others are
 * their own answer, since nothing says what made them.
 */
export function lostOwnerOf(pod: OwnedPod, { name }: OwnerReference): Owner {
  return pod.templatedBy === '' ? directOwnerOf(pod) : ownerOf(pod.templatedBy, name.slice(0, name.lastIndexOf('-')))
}

export function ownerOf(kind: string, name: string): Owner {
  return Object.freeze({ kind, name })
}

function without(text: string, suffix: string): string {
  return text.length > suffix.length && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text
}
