// What `meshtoll check` hears from a real API server.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { probeCluster } from '../../src/cli/check/cluster.js'
import { defaultConfig } from '../../src/config/config.js'
import { readAgentAccess } from '../deploy/access.js'
import { CLOCK } from '../sources/flows/small-node.js'
import { allow, createServiceAccount, createToken } from './access.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace, createNode, createRunningPod } from './objects.js'
import { clusterTest } from './suite.js'

await clusterTest((t, cluster) => {
  t.test('what an agent would be told', async (t) => {
    const { admin, folder } = cluster
    await createNamespace(admin, 'meshtoll')
    await createNode(admin, { name: 'n1', zone: 'us-east-1a', region: 'us-east-1', addresses: ['10.0.0.1'] })
    for (const name of ['a', 'b', 'c']) await createRunningPod(admin, { namespace: 'meshtoll', name, node: 'n1', podIps: ['10.1.0.2'] })
    const account = { namespace: 'meshtoll', name: 'agent' }
    await createServiceAccount(admin, account)
    const token = await createToken(admin, account)
    const kubeconfig = await writeKubeconfig(cluster, { token, namespace: 'meshtoll' })
    const config = defaultConfig('n1')
    const deps = { clock: CLOCK, readFile: (path: string) => readFile(path, 'utf8') }
    const probe = (changes: object = {}) =>
      probeCluster(
        { config: { ...config, kubernetes: { ...config.kubernetes, kubeconfig, ...changes } }, environment: {} },
        deps,
        AbortSignal.timeout(20_000),
      )
    const refused = await probe()
    t.match(refused, { node: undefined, refusals: [/nodes.*forbidden/s, /pods.*forbidden/s, /services.*forbidden/s, /leases.*forbidden/s] })
    const everywhere = [{ apiGroups: [''], resources: ['pods', 'nodes', 'services'], verbs: ['list', 'watch'] }]
    const own = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list'] }]
    await allow(admin, { name: 'agent', rules: everywhere, serviceAccount: account })
    await allow(admin, { name: 'agent', namespace: 'meshtoll', rules: own, serviceAccount: account })
    await t.resolves(eventuallyAllowed(probe))
    t.match(await probe(), { server: cluster.url, node: { zone: 'us-east-1a' }, pods: 3, refusals: [] })
    const asking = { namespace: 'meshtoll', name: 'asking' }
    await createServiceAccount(admin, asking)
    const directory = { ...config.kubernetes.directory, url: 'https://meshtoll-directory:10043' }
    const withDirectory = {
      directory,
      kubeconfig: await writeKubeconfig(cluster, { token: await createToken(admin, asking), namespace: 'meshtoll', name: 'asking' }),
    }
    t.match(await probe(withDirectory), { node: undefined, refusals: [/nodes.*forbidden/s, /pods.*forbidden/s, /leases.*forbidden/s] })
    const { everywhere: less, own: ownLess } = await readAgentAccess('full-directory')
    await allow(admin, { name: 'asking', rules: less, serviceAccount: asking })
    await allow(admin, { name: 'asking', namespace: 'meshtoll', rules: ownLess, serviceAccount: asking })
    await t.resolves(eventuallyAllowed(() => probe(withDirectory)))
    t.match(await probe(withDirectory), { node: { zone: 'us-east-1a' }, pods: 3, refusals: [] }, 'it asks for no more than it may')
    t.match(await probe({ kubeconfig: join(folder, 'none') }), { message: /none/ })
    t.equal(await probe({ kubeconfig: null }), undefined, 'nobody is asked')
  })
})

async function eventuallyAllowed(probe: () => ReturnType<typeof probeCluster>, tries = 50): Promise<void> {
  const found = await probe()
  if (found && 'refusals' in found && found.refusals.length === 0) return
  if (tries === 0) throw new Error(JSON.stringify(found))
  await CLOCK.sleep(100)
  await eventuallyAllowed(probe, tries - 1)
}
