// What the chart renders, before a real API server: every object is taken, and a pod of it needs what its mode says and no more.
import type { ApiError, Client } from '../cluster/client.js'
import { createNamespace } from '../cluster/objects.js'
import { collectionOf, type NewObject, read } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { CHART, helm, objectOf, renderObjects } from './helm.js'
import { MODES } from './manifests.js'

/** A field that Kubernetes does not know is refused instead of dropped. */
const createStrictly = (api: Client, object: NewObject) => api.send('POST', `${collectionOf(object)}?fieldValidation=Strict`, object)

interface Template {
  readonly metadata: object
  readonly spec: { readonly initContainers?: readonly object[]; readonly containers: readonly object[] }
}

/** As the DaemonSet's controller makes it. */
function podOf(objects: readonly NewObject[], namespace: string): NewObject {
  const { spec } = objectOf(objects, 'DaemonSet') as NewObject & { readonly spec: { readonly template: Template } }
  const { metadata, spec: pod } = spec.template
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace, name: 'meshtoll-agent-x2x4z' }, spec: pod }
}

/** Without its first words, which name the pod and the level; '' where it is taken. */
const violationsOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => '',
    ({ message }: ApiError) => JSON.parse(message.slice(message.indexOf('{'))).message.replace(/^.*? violates PodSecurity "\S*": /, ''),
  )

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

const VARIANTS = [
  ...MODES.map((mode) => ({ name: `mode ${mode}`, namespace: `plain-${mode}`, values: { mode } })),
  ...MODES.map((mode) => ({
    name: `mode ${mode} with all there is`,
    namespace: `all-${mode}`,
    values: { ...ALL_ON, mode },
  })),
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
    })
  }

  t.test('Pod Security', async (t) => {
    const cases = [
      {
        name: 'a pod of mode full under baseline',
        mode: 'full',
        level: 'baseline',
        refused: [
          'non-default capabilities (container "agent" must not include "NET_ADMIN" in securityContext.capabilities.add)',
          'host namespaces (hostNetwork=true)',
          'hostPath volumes (volume "state")',
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
          'restricted volume types (volume "state" uses restricted volume type "hostPath")',
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

  t.test('helm install, and the way out', async (t) => {
    await createNamespace(admin, 'network')
    const access = ['--kube-apiserver', cluster.url, '--kube-token', cluster.adminToken, '--kube-ca-file', cluster.caFile]
    const release = ['tolls', CHART, '--namespace', 'network', ...access]
    const agent = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace: 'network', name: 'tolls-meshtoll-agent' } }
    const containersOf = async () => ((await read(admin, agent)).spec as { readonly template: Template }).template.spec

    const installed = await helm(['install', ...release])
    t.match(installed, 'no NetworkPolicy applies')
    t.match(await containersOf(), { containers: [{ args: ['agent'] }], initContainers: undefined })
    t.match(await helm(['upgrade', ...release], { uninstall: true }), 'helm -n network uninstall tolls')
    t.match(await containersOf(), { initContainers: [{ args: ['agent', '--uninstall'] }], containers: [{ args: undefined }] })
    await helm(['upgrade', ...release], { mode: 'reduced' })
    await t.rejects(
      read(admin, { ...agent, apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: agent.metadata.name } }),
    )
  })
})
