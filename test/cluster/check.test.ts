// What `meshtoll check` hears from a real API server.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { probeCluster } from '../../src/cli/check/cluster.js'
import { defaultConfig } from '../../src/config/config.js'
import { readAgentAccess } from '../deploy/access.js'
import { CLOCK } from '../sources/flows/small-node.js'
import { allow, createServiceAccount, createToken, type Rule } from './access.js'
import { installIstio } from './istio.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace, createNode, createPod, createRunningPod, createWorkload } from './objects.js'
import { ownerOf } from './resource.js'
import { clusterTest } from './suite.js'

const config = defaultConfig('n1')
const directory = { ...config.kubernetes.directory, url: 'https://meshtoll-directory:10043' }
const deps = { clock: CLOCK, readFile: (path: string) => readFile(path, 'utf8') }

const without = (rules: readonly Rule[], left: string): readonly Rule[] =>
  rules.flatMap(({ resources, ...rule }) => {
    const kept = resources.filter((resource) => resource !== left)
    return kept.length === 0 ? [] : [{ ...rule, resources: kept }]
  })

await clusterTest(async (t, cluster) => {
  const { admin, folder } = cluster
  const namespace = 'meshtoll'
  await createNamespace(admin, namespace)
  await createNode(admin, { name: 'n1', zone: 'us-east-1a', region: 'us-east-1', addresses: ['10.0.0.1'] })
  for (const name of ['a', 'b', 'c']) await createRunningPod(admin, { namespace, name, node: 'n1', podIps: ['10.1.0.2'] })
  const owner = ownerOf(await createWorkload(admin, { kind: 'DaemonSet', namespace, name: 'meshtoll-agent' }))
  await createPod(admin, { namespace, name: 'own', node: 'n1', owner })

  /** As an agent in a pod, whose kubelet is asked as well. */
  const probeAs = (kubeconfig: string | null, changes: object = {}, environment = {}) =>
    probeCluster(
      { config: { ...config, kubernetes: { ...config.kubernetes, kubeconfig, ...changes } }, environment },
      deps,
      AbortSignal.timeout(20_000),
    )
  const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', POD_NAME: 'own', POD_NAMESPACE: namespace }

  async function kubeconfigOf(name: string): Promise<string> {
    await createServiceAccount(admin, { namespace, name })
    return writeKubeconfig(cluster, { token: await createToken(admin, { namespace, name }), namespace, name })
  }

  async function allowAs(name: string, { everywhere, own }: { readonly everywhere: readonly Rule[]; readonly own: readonly Rule[] }) {
    await allow(admin, { name, rules: everywhere, serviceAccount: { namespace, name } })
    await allow(admin, { name, namespace, rules: own, serviceAccount: { namespace, name } })
  }

  /** The API server knows of new rules a moment later. */
  async function saysOf(probe: () => ReturnType<typeof probeCluster>, wanted: readonly string[]): Promise<readonly string[]> {
    let said: readonly string[] = []
    for (let tries = 0; tries < 50; tries++) {
      const found = await probe()
      said = found && 'refusals' in found ? found.refusals.map(({ says }) => says) : [JSON.stringify(found)]
      if (said.join() === wanted.join()) break
      await sleep(100)
    }
    return said
  }

  t.test('who may nothing is told of all', async (t) => {
    const stranger = await kubeconfigOf('stranger')
    const found = await probeAs(stranger, {}, environment)
    t.match(found, { node: undefined, pods: 0 })
    const refusals = found && 'refusals' in found ? found.refusals : []
    t.same(
      refusals.map(({ says, isVital }) => `${isVital ? 'fail' : 'warn'} ${says.replace(/:.*/, '')}`),
      [
        'fail it may not list or watch pods',
        'fail it may not list or watch nodes',
        'fail it may not list or watch services',
        'warn it may not get replicasets.apps',
        'warn it may not get jobs.batch',
        'fail it may not list or watch leases.coordination.k8s.io in meshtoll',
        'fail it may not create leases.coordination.k8s.io in meshtoll',
        'fail it may not delete leases.coordination.k8s.io in meshtoll',
        'warn it may not list daemonsets.apps in meshtoll',
        'warn it may not get nodes/stats',
        'warn it may not get nodes/metrics',
      ],
      'Istio is not there, and no DaemonSet is known',
    )
    t.match(refusals[0], { remedy: 'allow it with the RBAC rule {apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"]}' })
  })

  for (const { manifest, changes } of [
    { manifest: 'full', changes: {} },
    { manifest: 'full-directory', changes: { directory } },
  ] as const) {
    t.test(`with the rules of the chart nothing is missing: ${manifest}`, async (t) => {
      const kubeconfig = await kubeconfigOf(manifest)
      await allowAs(manifest, await readAgentAccess(manifest))
      const probe = () => probeAs(kubeconfig, changes, environment)
      t.same(await saysOf(probe, []), [])
      t.match(await probe(), { server: cluster.url, node: { zone: 'us-east-1a' }, pods: 4, refusals: [] })
    })
  }

  t.test('each that is missing is said, whether or not anything was asked of it yet', async (t) => {
    await installIstio(admin)
    const missing = {
      services: 'it may not list or watch services',
      serviceentries: 'it may not list or watch serviceentries.networking.istio.io: hosts that they name go by their address',
      leases: [
        'it may not list or watch leases.coordination.k8s.io in meshtoll',
        'it may not create leases.coordination.k8s.io in meshtoll',
        'it may not delete leases.coordination.k8s.io in meshtoll',
      ].join(),
      daemonsets: [
        'it may not get daemonsets.apps in meshtoll: the kernel table stays where meshtoll is uninstalled',
        'it may not list daemonsets.apps in meshtoll: the Lease of a node whose agent went without a word hides its bytes',
      ].join(),
      'nodes/stats': 'it may not get nodes/stats: the kubelet does not say what pods send and use',
    }
    const { everywhere, own } = await readAgentAccess('full')
    for (const [left, says] of Object.entries(missing)) {
      const name = `without-${left.replace('/', '-')}`
      const kubeconfig = await kubeconfigOf(name)
      await allowAs(name, { everywhere: without(everywhere, left), own: without(own, left) })
      const said = await saysOf(() => probeAs(kubeconfig, {}, environment), [says])
      t.equal(said.join(), says, left)
    }
  })

  t.test('nobody to ask', async (t) => {
    t.match(await probeAs(join(folder, 'none')), { message: /none/ })
    t.equal(await probeAs(null), undefined)
  })
})
