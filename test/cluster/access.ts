// ServiceAccounts, their tokens, and what those may do.
import type { Client, KubeObject } from './client.js'
import { create } from './resource.js'

export interface ServiceAccountGiven {
  readonly namespace: string
  readonly name: string
}

export const createServiceAccount = (api: Client, { namespace, name }: ServiceAccountGiven): Promise<KubeObject> =>
  create(api, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } })

export interface TokenGiven extends ServiceAccountGiven {
  /** Default: the API server itself. */
  readonly audience?: string
  /** At least 600, which is also the default. */
  readonly expirationSeconds?: number
  /** The token ends with this pod, which has to run as the ServiceAccount. */
  readonly pod?: KubeObject
}

/** What the kubelet asks for when it mounts a token into a pod. */
export async function createToken(api: Client, { namespace, name, audience, expirationSeconds = 600, pod }: TokenGiven): Promise<string> {
  const { status } = await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    spec: {
      expirationSeconds,
      ...(audience !== undefined && { audiences: [audience] }),
      ...(pod && { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid } }),
    },
  })
  return String(status?.['token'])
}

export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  /** Of these only; left out: all. */
  readonly resourceNames?: readonly string[]
}

export interface RoleGiven {
  readonly name: string
  /** Where it may; left out: everywhere, by a ClusterRole and its binding. */
  readonly namespace?: string
  readonly rules: readonly Rule[]
  readonly serviceAccount: ServiceAccountGiven
}

/** A role and its binding to a ServiceAccount, both of this name. The API server knows of them a moment later. */
export async function allow(api: Client, { name, namespace, rules, serviceAccount }: RoleGiven): Promise<void> {
  const [apiGroup, metadata] = ['rbac.authorization.k8s.io', { name, ...(namespace !== undefined && { namespace }) }]
  const [role, apiVersion] = [namespace === undefined ? 'ClusterRole' : 'Role', `${apiGroup}/v1`]
  await create(api, { apiVersion, kind: role, metadata, rules })
  await create(api, {
    apiVersion,
    kind: `${role}Binding`,
    metadata,
    roleRef: { apiGroup, kind: role, name },
    subjects: [{ kind: 'ServiceAccount', ...serviceAccount }],
  })
}
