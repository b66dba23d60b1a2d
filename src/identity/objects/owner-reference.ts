import { fieldsOf, listOf, type Raw, textOf } from '../../formats/raw.js'

/** An entry of `metadata.ownerReferences` (k8s.io/apimachinery meta/v1); it is of the namespace of what it owns, or of none. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** The one that is marked as the controller. */
export function controllerOf(metadata: Raw): OwnerReference | undefined {
  const reference = listOf(metadata.ownerReferences)
    .map(fieldsOf)
    .find(({ controller }) => controller === true)
  const [apiVersion, kind, name, uid] = [reference?.apiVersion, reference?.kind, reference?.name, reference?.uid].map(textOf)
  return apiVersion && kind && name && uid ? Object.freeze({ apiVersion, kind, name, uid }) : undefined
}

/** `''`: the core group. */
export function groupOf({ apiVersion }: OwnerReference): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}
