// What a request needs to be allowed, in the words of RBAC (kubernetes.io/docs/reference/access-authn-authz/authorization, request verbs).

export interface Asked {
  readonly method: string
  /** Without a query. */
  readonly path: string
  readonly isWatch: boolean
}

/** `resource` with its subresource (`pods/log`); a path that names no resource is a rule of its own kind. */
export type Rule =
  | { readonly verb: string; readonly group: string; readonly resource: string }
  | { readonly verb: string; readonly nonResourceUrl: string }

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' }

export function ruleOf({ method, path, isWatch }: Asked): Rule {
  const parts = path.split('/').filter(Boolean)
  const isCore = parts[0] === 'api'
  const behindVersion = parts.slice(isCore ? 2 : 3)
  // /api/v1/namespaces/NAMESPACE/pods/..., but /api/v1/namespaces/NAMESPACE is the namespace itself.
  const [resource, name, subresource] =
    behindVersion[0] === 'namespaces' && behindVersion.length > 2 ? behindVersion.slice(2) : behindVersion
  if ((!isCore && parts[0] !== 'apis') || resource === undefined) return { verb: method.toLowerCase(), nonResourceUrl: path }
  return {
    verb: verbOf(method, { isOne: name !== undefined, isWatch }),
    group: isCore ? '' : (parts[1] ?? ''),
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
  }
}

function verbOf(method: string, { isOne, isWatch }: { isOne: boolean; isWatch: boolean }): string {
  if (method === 'DELETE') return isOne ? 'delete' : 'deletecollection'
  if (method !== 'GET' && method !== 'HEAD') return VERBS[method] ?? method.toLowerCase()
  if (isWatch) return 'watch'
  return isOne ? 'get' : 'list'
}

/** As it stands in a ClusterRole, on one line. */
export function renderRule(rule: Rule): string {
  if ('nonResourceUrl' in rule) return `{nonResourceURLs: ["${rule.nonResourceUrl}"], verbs: ["${rule.verb}"]}`
  return renderRules({ ...rule, verbs: [rule.verb] })
}

/** Of one resource. */
export function renderRules({ group, resource, verbs }: { group: string; resource: string; verbs: readonly string[] }): string {
  return `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: [${verbs.map((verb) => `"${verb}"`).join(', ')}]}`
}
