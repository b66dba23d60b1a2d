// What the chart renders, before a real API server: every object is taken, and a pod of it needs what its mode says and no more.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { leaseOf, microTimeOf } from '../../src/cluster/leases.js'
import { allow, createServiceAccount, createToken, type Rule } from '../cluster/access.js'
import type { ApiError, Client } from '../cluster/client.js'
import type { Cluster } from '../cluster/cluster.js'
import { createNamespace, createNode, createPod } from '../cluster/objects.js'
import { change, collectionOf, create, type NewObject, read, remove } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { eventually } from '../lab/world.js'
import { CHART, helm, objectOf, objectsOf, renderChart, renderObjects } from './helm.js'
import { MODES } from './manifests.js'
import { dryRun, installOperator } from './operator.js'

/** A field that Kubernetes does not know is refused instead of dropped. */
const createStrictly = (api: Client, object: NewObject) => api.send('POST', `${collectionOf(object)}?fieldValidation=Strict`, object)

const POLICY = 'ValidatingAdmissionPolicy'
const POLICIES = `admissionregistration.k8s.io/v1/${POLICY}`

interface Template {
  readonly metadata: object
  readonly spec: { readonly initContainers?: readonly object[]; readonly containers: readonly object[] }
}

/** As the controller of this kind makes it. */
function podOf(objects: readonly NewObject[], namespace: string, kind: 'DaemonSet' | 'Deployment' = 'DaemonSet'): NewObject {
  const { spec } = objectOf(objects, kind) as NewObject & { readonly spec: { readonly template: Template } }
  const { metadata, spec: pod } = spec.template
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace, name: `${kind.toLowerCase()}-x2x4z` }, spec: pod }
}

/** Without its first words, which name the pod and the level; '' where it is taken. */
const violationsOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => '',
    ({ message }: ApiError) => JSON.parse(message.slice(message.indexOf('{'))).message.replace(/^.*? violates PodSecurity "\S*": /, ''),
  )

const accessTo = ({ url, adminToken, caFile }: Cluster): readonly string[] => [
  '--kube-apiserver',
  url,
  '--kube-token',
  adminToken,
  '--kube-ca-file',
  caFile,
]

const PLAIN_RULES = join(import.meta.dirname, '../../deploy/prometheus/prometheusrule.yaml')
const NO_FARGATE = { key: 'eks.amazonaws.com/compute-type', operator: 'NotIn', values: ['fargate'] }
const ALL_ON = {
  config: { flows: { interval: '5s', maxPairs: 4_194_304 } },
  inventory: [{ cidr: '10.9.0.0/24', ownerKind: 'Database', ownerName: 'orders-db' }],
  web: { existingSecret: 'meshtoll-web', tls: true },
  imagePullSecrets: [{ name: 'registry' }],
  serviceAccount: { annotations: { note: 'kept' } },
  resourceQuota: { enabled: true },
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [NO_FARGATE] }] } },
  },
  extraEnv: [{ name: 'TEAM', value: 'network' }],
  podAnnotations: { note: 'kept' },
  podLabels: { team: 'network' },
  seLinuxOptions: { type: 'spc_t' },
}

/** In the agents' namespace, which is privileged. */
const DIRECTORY = {
  enabled: true,
  priorityClassName: 'system-cluster-critical',
  tolerations: [{ operator: 'Exists' }],
  affinity: ALL_ON.affinity,
  podAnnotations: { note: 'kept' },
  podLabels: { team: 'network' },
  networkPolicy: { from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] },
}

const VARIANTS = [
  ...MODES.map((mode) => ({ name: `mode ${mode}`, namespace: `plain-${mode}`, values: { mode } })),
  ...MODES.map((mode) => ({
    name: `mode ${mode} with all there is`,
    namespace: `all-${mode}`,
    values: { ...ALL_ON, mode },
  })),
  { name: 'with the admin ports of proxies', namespace: 'admin', values: { config: { envoy: { admin: 'netns' } } } },
  { name: 'with a directory', namespace: 'directory', values: { directory: { enabled: true } } },
  { name: 'with a directory and all there is', namespace: 'all-directory', values: { ...ALL_ON, directory: DIRECTORY } },
  { name: 'on its way out', namespace: 'uninstall', values: { uninstall: true } },
  { name: 'reduced, with a policy', namespace: 'policy', values: { mode: 'reduced', networkPolicy: { from: [{ podSelector: {} }] } } },
]

await clusterTest(async (t, cluster) => {
  const { admin } = cluster

  for (const { name, namespace, values } of VARIANTS) {
    t.test(name, async (t) => {
      const objects = await renderObjects({ name: `meshtoll-${namespace}`, namespace, values: { ...values, namespace: { create: true } } })
      for (const object of objects) await t.resolves(createStrictly(admin, object), `${object.kind} ${object.metadata.name}`)
      await t.resolves(createStrictly(admin, podOf(objects, namespace)), 'a pod of it')
      if (objects.some(({ kind }) => kind === 'Deployment'))
        await t.resolves(createStrictly(admin, podOf(objects, namespace, 'Deployment')), 'a pod of the directory')
    })
  }

  t.test('rules as the Prometheus Operator has them', async (t) => {
    await installOperator(admin)
    const namespace = 'monitored'
    await createNamespace(admin, namespace)
    const [plain] = objectsOf(await readFile(PLAIN_RULES, 'utf8'))
    const rules = { ...plain, metadata: { namespace, name: 'plain' } } as NewObject
    await t.resolves(dryRun(admin, rules), 'those of deploy/prometheus')

    const rule = { alert: 'Broken', expr: 'up == 0' }
    const cases = [
      { name: 'a rule as it has to be', groups: [{ name: 'one', rules: [{ ...rule, for: '10m' }] }], says: '' },
      {
        name: 'a wait in words',
        groups: [{ name: 'one', rules: [{ ...rule, for: 'ten minutes' }] }],
        says: 'rules[0].for in body should match',
      },
      { name: 'no expression', groups: [{ name: 'one', rules: [{ alert: 'Broken' }] }], says: 'rules[0].expr: Required value' },
      { name: 'a number for a label', groups: [{ name: 'one', rules: [{ ...rule, labels: { severity: 1 } }] }], says: 'labels.severity' },
      { name: 'a field that there is not', groups: [{ name: 'one', rules: [{ ...rule, severity: 'info' }] }], says: 'unknown field' },
      { name: 'a group without a name', groups: [{ rules: [rule] }], says: 'name: Required value' },
      { name: 'two groups of one name', groups: [{ name: 'one' }, { name: 'one' }], says: 'Duplicate value' },
    ]
    for (const { name, groups, says } of cases) {
      const said = await dryRun(admin, { ...rules, spec: { groups } }).then(
        () => '',
        ({ message }: ApiError) => message,
      )
      t.ok(says === '' ? said === '' : said.includes(says), `${name}: ${said || 'taken'}`)
    }
  })

  t.test('Pod Security', async (t) => {
    const cases = [
      {
        name: 'a pod of mode full under baseline',
        mode: 'full',
        level: 'baseline',
        refused: [
          'non-default capabilities (container "agent" must not include "NET_ADMIN" in securityContext.capabilities.add)',
          'host namespaces (hostNetwork=true)',
          'hostPath volumes (volumes "state", "cgroups", "pod-logs")',
          'hostPort (container "agent" uses hostPort 10042)',
        ],
      },
      {
        name: 'a pod of mode full under restricted',
        mode: 'full',
        level: 'restricted',
        refused: [
          'host namespaces (hostNetwork=true)',
          'hostPort (container "agent" uses hostPort 10042)',
          'unrestricted capabilities (container "agent" must not include "NET_ADMIN" in securityContext.capabilities.add)',
          'restricted volume types (volumes "state", "cgroups", "pod-logs" use restricted volume type "hostPath")',
          'runAsNonRoot != true (pod or container "agent" must set securityContext.runAsNonRoot=true)',
          'runAsUser=0 (pod must not set runAsUser=0)',
        ],
      },
      { name: 'a pod of mode reduced under restricted', mode: 'reduced', level: 'restricted', refused: [] },
    ]
    for (const { name, mode, level, refused } of cases) {
      const namespace = `${mode}-under-${level}`
      await createNamespace(admin, namespace, { 'pod-security.kubernetes.io/enforce': level })
      const objects = await renderObjects({ values: { mode } })
      const violations = await violationsOf(createStrictly(admin, podOf(objects, namespace)))
      t.equal(violations, refused.join(', '), name)
    }
  })

  t.test('a directory in a namespace of its own needs nothing that restricted forbids', async (t) => {
    const namespace = 'directory-under-restricted'
    await createNamespace(admin, namespace, { 'pod-security.kubernetes.io/enforce': 'restricted' })
    // The chart puts it beside the agents, which need a namespace that is privileged.
    const objects = await renderObjects({ values: { directory: { enabled: true } } })
    t.equal(await violationsOf(createStrictly(admin, podOf(objects, namespace, 'Deployment'))), '')
  })

  t.test('an upgrade keeps the certificate of the directory', async (t) => {
    const namespace = 'kept'
    await createNamespace(admin, namespace)
    const release = ['keeps', CHART, '--namespace', namespace, ...accessTo(cluster)]
    const reference = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { namespace, name } })
    const secret = reference('v1', 'Secret', 'keeps-meshtoll-directory-tls')
    const daemonSet = reference('apps/v1', 'DaemonSet', 'keeps-meshtoll-agent')
    const dataNow = async () => ((await read(admin, secret)) as unknown as { readonly data: Readonly<Record<string, string>> }).data
    const annotationsNow = async () => ((await read(admin, daemonSet)).spec as { readonly template: Template }).template.metadata
    const on = { directory: { enabled: true } }

    t.match(await helm(['install', ...release], on), /rollout status \\\n *deploy\/keeps-meshtoll-directory/)
    const [made, annotations] = [await dataNow(), await annotationsNow()]
    t.same(Object.keys(made).sort(), ['ca.crt', 'tls.crt', 'tls.key'])
    await helm(['upgrade', ...release], { directory: { ...on.directory, replicas: 3 } })
    t.same(await dataNow(), made)
    t.same(await annotationsNow(), annotations, 'agents go on')

    await remove(admin, secret)
    await helm(['upgrade', ...release], on)
    t.notSame(await dataNow(), made, 'a new one where it was deleted')
    t.notSame(await annotationsNow(), annotations, 'agents are replaced')
    await helm(['upgrade', ...release], { directory: { ...on.directory, tls: { existingSecret: 'brought' } } })
    await t.rejects(read(admin, secret), 'gone where there is another')
    await helm(['upgrade', ...release], { directory: { enabled: false } })
    await t.rejects(read(admin, reference('apps/v1', 'Deployment', 'keeps-meshtoll-directory')), 'nothing is left of it')
  })

  t.test("an agent's token writes the Lease of its own node", async (t) => {
    const namespace = 'leases'
    const serviceAccount = { namespace, name: 'meshtoll-agent' }
    await createNamespace(admin, namespace)
    await createServiceAccount(admin, serviceAccount)
    const leases = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'delete', 'patch', 'get'] }]
    await allow(admin, { name: 'leases', namespace, rules: leases, serviceAccount })
    for (const name of ['n1', 'n2']) await createNode(admin, { name })
    const pod = await createPod(admin, { namespace, name: 'meshtoll-agent-x2x4v', node: 'n1', serviceAccount: serviceAccount.name })
    const [bound, free] = await Promise.all([createToken(admin, { ...serviceAccount, pod }), createToken(admin, serviceAccount)])
    const [agent, nobody] = [cluster.clientOf(bound), cluster.clientOf(free)]
    const leaseFor = (node: string, holder = node): NewObject => {
      const lease = leaseOf({ node, uid: pod.metadata.uid }, 0) as NewObject
      return { ...lease, metadata: { ...lease.metadata, namespace }, spec: { holderIdentity: holder, acquireTime: microTimeOf(0) } }
    }
    const refusal = (answer: Promise<unknown>): Promise<string> =>
      answer.then(
        () => '',
        ({ message }: ApiError) => message.replace(/^.*denied request: (.*?)".*$/s, '$1'),
      )
    const policyOf = async (values: object): Promise<readonly NewObject[]> => {
      const text = await helm(['template', 'meshtoll', CHART, '--namespace', namespace, '--api-versions', POLICIES], values)
      return objectsOf(text).filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'))
    }
    t.same(await refusal(create(agent, leaseFor('n2'))), '', 'by RBAC it may write any')
    await remove(agent, leaseFor('n2'))
    const [policy, binding] = (await policyOf({ directory: { enabled: true } })) as [NewObject, NewObject]
    for (const object of [policy, binding]) await createStrictly(admin, object)
    const alone = 'an agent on n1 may write the Lease meshtoll-n1 alone'
    const refused = await eventually('it is in force', async () => {
      const why = await refusal(create(agent, leaseFor('n2')))
      if (why === '') await remove(admin, leaseFor('n2'))
      return why || undefined
    })
    t.equal(refused, alone)
    t.equal(await refusal(create(agent, leaseFor('n1', 'n2'))), 'an agent on n1 may hold a Lease for that node alone')
    t.match(await refusal(create(nobody, leaseFor('n1'))), "an agent's token has to name its node")
    t.equal(await refusal(create(agent, leaseFor('n1'))), '', 'its own')
    t.equal(await refusal(remove(agent, leaseFor('n1'))), '', 'and away with it')
    await create(admin, leaseFor('n2'))
    t.equal(await refusal(change(agent, leaseFor('n2'), { spec: { holderIdentity: 'n1' } })), alone)
    t.equal(await refusal(remove(agent, leaseFor('n2'))), alone)

    const [plain] = (await policyOf({})) as [NewObject]
    await change(admin, policy, { spec: plain['spec'] })
    await eventually('without a directory somebody has to', async () =>
      (await refusal(remove(agent, leaseFor('n2')))) === '' ? true : undefined,
    )
    t.equal(await refusal(create(agent, leaseFor('n2'))), alone)
    t.same(await policyOf({ leasePolicy: { enabled: false } }), [])
    t.notMatch(await renderChart(), 'ValidatingAdmissionPolicy', 'nor where there are none')
  })

  t.test('helm install, and the way out', async (t) => {
    await createNamespace(admin, 'network')
    const release = ['tolls', CHART, '--namespace', 'network', ...accessTo(cluster)]
    const agent = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace: 'network', name: 'tolls-meshtoll-agent' } }
    const containersOf = async () => ((await read(admin, agent)).spec as { readonly template: Template }).template.spec

    const installed = await helm(['install', ...release])
    t.match(installed, 'no NetworkPolicy applies')
    t.match(await containersOf(), { containers: [{ args: ['agent'] }], initContainers: undefined })
    await t.resolves(
      read(admin, { apiVersion: 'admissionregistration.k8s.io/v1', kind: POLICY, metadata: { name: 'tolls-meshtoll-agent-leases' } }),
    )
    t.match(await helm(['upgrade', ...release], { uninstall: true }), 'helm -n network uninstall tolls')
    t.match(await containersOf(), { initContainers: [{ args: ['agent', '--uninstall'] }], containers: [{ args: undefined }] })
    await helm(['upgrade', ...release], { mode: 'reduced' })
    const role = { ...agent, apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' }
    const { rules } = (await read(admin, role)) as unknown as { readonly rules: readonly Rule[] }
    t.same(
      rules.map(({ resources, verbs }) => [resources, verbs]),
      [
        [['leases'], ['delete']],
        [['daemonsets'], ['get']],
      ],
      'what those that counted leave by',
    )
  })
})
