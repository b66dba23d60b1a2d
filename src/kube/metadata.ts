// Objects without their spec and status, as the API server cuts them: owners are found by them.
import { type KubeClient, readJson } from './client.js'
import type { Accept } from './follow.js'
import { unlessNotFound } from './kube-error.js'

/** Servers that cannot cut send whole objects, which hold the same metadata at the same place. */
const acceptOf = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`

const ONE = acceptOf('PartialObjectMetadata')

export const METADATA_ONLY: Accept = { list: acceptOf('PartialObjectMetadataList'), watch: ONE }

export interface ObjectName {
  /** `''`: the core group. */
  readonly group: string
  readonly version: string
  /** Plural, as in a path: `replicasets`. */
  readonly resource: string
  /** `''`: in no namespace. */
  readonly namespace: string
  readonly name: string
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

/** The fields of ObjectMeta that are used (k8s.io/apimachinery meta/v1). */
export interface ObjectMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generateName?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
}

/** Undefined where there is no such object. */
export async function readMetadata(client: KubeClient, object: ObjectName, signal: AbortSignal): Promise<ObjectMetadata | undefined> {
  const found = await readJson(client, pathOf(object), { accept: ONE, signal }).catch(unlessNotFound)
  return (found as { readonly metadata?: ObjectMetadata } | undefined)?.metadata
}

export function pathOf({ group, version, resource, namespace, name }: ObjectName): string {
  const inGroup = group === '' ? ['api', version] : ['apis', group, version]
  const inNamespace = namespace === '' ? [] : ['namespaces', namespace]
  return ['', ...inGroup, ...inNamespace, resource, name].map(encodeURIComponent).join('/')
}
