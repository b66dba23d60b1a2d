// What an agent and a directory may in a cluster, as deploy/manifests gives it: the tests know no rules of their own.
import type { Rule } from '../cluster/access.js'
import type { NewObject } from '../cluster/resource.js'
import { objectOf } from './helm.js'
import { type Manifest, readManifest } from './manifests.js'

export interface Access {
  readonly account: { readonly namespace: string; readonly name: string }
  /** Of the ClusterRole. */
  readonly everywhere: readonly Rule[]
  /** Of the Role in the account's namespace, where there is one. */
  readonly own: readonly Rule[]
  /** The ServiceAccount, the roles and their bindings. */
  readonly objects: readonly NewObject[]
}

const KINDS = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']

export const readAgentAccess = (manifest: Manifest = 'full'): Promise<Access> => readAccessOf('meshtoll-agent', manifest)
export const readDirectoryAccess = (): Promise<Access> => readAccessOf('meshtoll-directory', 'full-directory')

async function readAccessOf(account: string, manifest: Manifest): Promise<Access> {
  const rendered = await readManifest(manifest)
  const objects = rendered.filter(({ kind, metadata }) => KINDS.includes(kind) && metadata.name === account)
  const { name, namespace = '' } = objectOf(objects, 'ServiceAccount').metadata
  const rulesOf = (kind: string): readonly Rule[] =>
    objects.filter((object) => object.kind === kind).flatMap((object) => object['rules'] as readonly Rule[])
  return { account: { namespace, name }, everywhere: rulesOf('ClusterRole'), own: rulesOf('Role'), objects }
}
