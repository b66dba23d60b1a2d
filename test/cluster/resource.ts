// Any object of the API: made, changed, removed by what names it.
import type { Client, KubeObject, OwnerReference } from './client.js'

export interface Collection {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly namespace?: string }
}

export interface Reference extends Collection {
  readonly metadata: { readonly namespace?: string; readonly name: string }
}

export interface NewObject extends Reference {
  readonly metadata: Reference['metadata'] & Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export const create = (api: Client, object: NewObject): Promise<KubeObject> => api.send('POST', collectionOf(object), object)

/** A JSON merge patch: lists are replaced as a whole. */
export const change = (api: Client, object: Reference, patch: object): Promise<KubeObject> => api.send('PATCH', pathOf(object), patch)

export const changeStatus = (api: Client, object: Reference, status: object): Promise<KubeObject> =>
  api.send('PATCH', `${pathOf(object)}/status`, { status })

/** At once, as with a grace period of 0. */
export const remove = async (api: Client, object: Reference): Promise<void> =>
  void (await api.send('DELETE', pathOf(object), { gracePeriodSeconds: 0 }))

export const read = (api: Client, object: Reference): Promise<KubeObject> => api.send('GET', pathOf(object))

/** Where objects of this kind and namespace are listed and watched. */
export function collectionOf({ apiVersion, kind, metadata: { namespace } }: Collection): string {
  const root = apiVersion.includes('/') ? 'apis' : 'api'
  return ['', root, apiVersion, ...(namespace === undefined ? [] : ['namespaces', namespace]), pluralOf(kind)].join('/')
}

const pluralOf = (kind: string): string => `${kind.toLowerCase()}s`.replace(/ys$/, 'ies')

export const pathOf = (object: Reference): string => `${collectionOf(object)}/${object.metadata.name}`

/** For what it controls. */
export const ownerOf = ({ apiVersion, kind, metadata: { name, uid } }: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
})
