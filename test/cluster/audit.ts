// What ServiceAccounts asked of an API server, by its audit log (k8s.io/apiserver/pkg/apis/audit), compared with what they may.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Access } from '../deploy/access.js'

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
}

const logIn = (folder: string): string => join(folder, 'audit.log')

/** Flags of kube-apiserver, by which it says what ServiceAccounts ask for. */
export async function writeAuditPolicy(folder: string): Promise<readonly string[]> {
  const file = join(folder, 'audit-policy.yaml')
  await writeFile(file, JSON.stringify(POLICY))
  return [`--audit-policy-file=${file}`, `--audit-log-path=${logIn(folder)}`]
}

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  /** Absent where no object was asked for, such as the API's groups. */
  readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string }
}

/** `get replicasets.apps`, each once, in order: what was asked, whatever the answer. */
export async function readAsked(folder: string, { namespace, name }: Access['account']): Promise<readonly string[]> {
  const lines = (await readFile(logIn(folder), 'utf8')).split('\n')
  const asked = lines.flatMap(eventIn).flatMap(({ verb, user, objectRef }) => {
    if (!objectRef || user.username !== `system:serviceaccount:${namespace}:${name}`) return []
    const { apiGroup = '', resource, subresource } = objectRef
    return callOf(verb, subresource === undefined ? resource : `${resource}/${subresource}`, apiGroup)
  })
  return [...new Set(asked)].sort()
}

/** One is torn where the API server was killed. */
function eventIn(line: string): readonly AuditEvent[] {
  try {
    return [JSON.parse(line) as AuditEvent]
  } catch {
    return []
  }
}

/** In the words of `readAsked`. */
export function allowedBy({ everywhere, own }: Access): readonly string[] {
  const calls = [...everywhere, ...own].flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => callOf(verb, resource, group)))),
  )
  return [...new Set(calls)].sort()
}

const callOf = (verb: string, resource: string, group: string): string => `${verb} ${resource}${group === '' ? '' : `.${group}`}`
