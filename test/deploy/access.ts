// What an agent may in a cluster, as deploy/manifests gives it: the tests know no rules of their own.
import type { Rule } from '../cluster/access.js'
import type { NewObject } from '../cluster/resource.js'
import { objectOf } from './helm.js'
import { readManifest } from './manifests.js'

export interface AgentAccess {
  readonly account: { readonly namespace: string; readonly name: string }
  /** Of the ClusterRole. */
  readonly everywhere: readonly Rule[]
  /** Of the Role in the account's namespace. */
  readonly own: readonly Rule[]
  /** The ServiceAccount, the roles and their bindings. */
  readonly objects: readonly NewObject[]
}

const KINDS = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']

export async function readAgentAccess(): Promise<AgentAccess> {
  const objects = (await readManifest('full')).filter(({ kind }) => KINDS.includes(kind))
  const { name, namespace = '' } = objectOf(objects, 'ServiceAccount').metadata
  const rulesOf = (kind: string): readonly Rule[] => objectOf(objects, kind)['rules'] as readonly Rule[]
  return { account: { namespace, name }, everywhere: rulesOf('ClusterRole'), own: rulesOf('Role'), objects }
}
