import t from 'tap'
import { renderRule, renderRules, ruleOf } from '../../src/kube/rbac.js'

t.test('the rule that a request needs', async (t) => {
  const cases = [
    ['GET', '/api/v1/pods', '{apiGroups: [""], resources: ["pods"], verbs: ["list"]}'],
    ['GET', '/api/v1/namespaces/shop/pods', '{apiGroups: [""], resources: ["pods"], verbs: ["list"]}'],
    ['GET', '/api/v1/namespaces/shop/pods/web-0', '{apiGroups: [""], resources: ["pods"], verbs: ["get"]}'],
    ['GET', '/api/v1/namespaces/shop/pods/web-0/log', '{apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}'],
    ['GET', '/api/v1/namespaces', '{apiGroups: [""], resources: ["namespaces"], verbs: ["list"]}'],
    ['GET', '/api/v1/namespaces/shop', '{apiGroups: [""], resources: ["namespaces"], verbs: ["get"]}'],
    ['GET', '/api/v1/nodes/n1', '{apiGroups: [""], resources: ["nodes"], verbs: ["get"]}'],
    ['GET', '/apis/apps/v1/replicasets', '{apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list"]}'],
    [
      'POST',
      '/apis/coordination.k8s.io/v1/namespaces/a/leases',
      '{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"]}',
    ],
    [
      'PUT',
      '/apis/coordination.k8s.io/v1/namespaces/a/leases/b',
      '{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["update"]}',
    ],
    ['PATCH', '/api/v1/nodes/n1/status', '{apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"]}'],
    ['DELETE', '/api/v1/namespaces/shop/pods/web-0', '{apiGroups: [""], resources: ["pods"], verbs: ["delete"]}'],
    ['DELETE', '/api/v1/namespaces/shop/pods', '{apiGroups: [""], resources: ["pods"], verbs: ["deletecollection"]}'],
    ['GET', '/version', '{nonResourceURLs: ["/version"], verbs: ["get"]}'],
    ['GET', '/api/v1', '{nonResourceURLs: ["/api/v1"], verbs: ["get"]}'],
  ] as const
  for (const [method, path, rule] of cases) t.equal(renderRule(ruleOf({ method, path, isWatch: false })), rule, `${method} ${path}`)
  const watch = ruleOf({ method: 'GET', path: '/api/v1/pods', isWatch: true })
  t.equal(renderRule(watch), '{apiGroups: [""], resources: ["pods"], verbs: ["watch"]}', 'a watch')
  const rules = renderRules({ group: '', resource: 'pods', verbs: ['list', 'watch'] })
  t.equal(rules, '{apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"]}')
})
