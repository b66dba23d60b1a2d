import { fieldsOf, listOf, type Raw, textOf } from '../../formats/raw.js'

/** An entry of `metadata.ownerReferences` (k8s.io/apimachinery meta/v1); it is of the namespace of what it owns, or of none. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

// Whoever makes a pod writes its references, and the API server looks only whether something is there. So a name of no object, of a megabyte or
// `_unknown`, refers to nothing.
const KIND = /^[a-z][a-z0-9]{0,62}$/i
const NAME = /^[a-z0-9]([-a-z0-9_.:]{0,251}[a-z0-9])?$/i

/** The one that is marked as the controller. */
export function controllerOf(metadata: Raw): OwnerReference | undefined {
  const reference = listOf(metadata.ownerReferences)
    .map(fieldsOf)
    .find(({ controller }) => controller === true)
  const [apiVersion, kind, name, uid] = [reference?.apiVersion, reference?.kind, reference?.name, reference?.uid].map(textOf)
  const isPossible = KIND.test(kind ?? '') && NAME.test(name ?? '')
  return isPossible && apiVersion && kind && name && uid ? Object.freeze({ apiVersion, kind, name, uid }) : undefined
}

/** `''`: the core group. */
export function groupOf({ apiVersion }: OwnerReference): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}
