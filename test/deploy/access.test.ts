// The rules of the chart are enough for an agent, with a directory, without and reduced, and for the directory; and none is too much: without any one
// verb it says which rule it lacks.
import { renderRule } from '../../src/kube/rbac.js'
import { allow, createServiceAccount, createToken, type Rule } from '../cluster/access.js'
import { createServiceEntry, createWorkloadEntry, installIstio } from '../cluster/istio.js'
import { writeKubeconfig } from '../cluster/kubeconfig.js'
import { createEndpointSlice, createJob, createNamespace, createNode, createReplicaSet, createRunningPod } from '../cluster/objects.js'
import { create, ownerOf, remove } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { readAgentAccess, readDirectoryAccess } from './access.js'
import {
  actAsAgent,
  actAsAgentWithDirectory,
  actAsDirectory,
  actAsReducedAgent,
  createOwnPod,
  eventually,
  NODE_OF_PODS,
  SERVICE_OF_PODS,
} from './acting.js'
import { objectOf } from './helm.js'

interface Verb {
  readonly group: string
  readonly resource: string
  readonly verb: string
  /** Of these only. */
  readonly names: Rule['resourceNames']
}

const verbsOf = (rules: readonly Rule[]): readonly Verb[] =>
  rules.flatMap(({ apiGroups, resources, verbs, resourceNames: names }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb, names })))),
  )

/** One rule a verb, so that one can be left out. */
const rulesWithout = (rules: readonly Rule[], left: Verb): readonly Rule[] =>
  verbsOf(rules)
    .filter(({ group, resource, verb }) => group !== left.group || resource !== left.resource || verb !== left.verb)
    .map(({ group, resource, verb, names }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [verb],
      ...(names && { resourceNames: names }),
    }))

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  const [agent, directory] = [await readAgentAccess(), await readDirectoryAccess()]
  const cast = [
    { who: 'an agent', access: agent, verbs: 20, act: actAsAgent },
    { who: 'an agent with a directory', access: await readAgentAccess('full-directory'), verbs: 11, act: actAsAgentWithDirectory },
    { who: 'a reduced agent', access: await readAgentAccess('reduced'), verbs: 9, act: actAsReducedAgent },
    { who: 'a directory', access: directory, verbs: 22, act: actAsDirectory },
  ]
  const { account } = agent
  const { namespace } = account
  for (const name of [namespace, 'shop']) await createNamespace(admin, name)
  for (const { objects } of [agent, directory]) await create(admin, objectOf(objects, 'ServiceAccount'))
  await installIstio(admin)
  await createServiceEntry(admin, { namespace: 'shop', name: 'orders', endpoints: [{ address: '10.9.0.5' }] })
  await createWorkloadEntry(admin, { namespace: 'shop', name: 'vm', address: '10.9.0.6' })
  await createNode(admin, { name: NODE_OF_PODS, zone: 'a', addresses: ['10.0.0.1'] })
  const node = NODE_OF_PODS
  const replicaSet = await createReplicaSet(admin, { namespace: 'shop', name: 'cart-7d9f', deployment: 'cart' })
  const job = await createJob(admin, { namespace: 'shop', name: 'backup-1', cronJob: 'backup' })
  await createRunningPod(admin, { namespace: 'shop', name: 'cart-7d9f-a', node, owner: ownerOf(replicaSet), podIps: ['10.1.1.2'] })
  await createEndpointSlice(admin, { namespace: 'shop', service: SERVICE_OF_PODS, endpoints: [{ address: '10.1.1.2' }] })
  await createRunningPod(admin, { namespace: 'shop', name: 'backup-1-b', node, owner: ownerOf(job), podIps: ['10.1.1.3'] })
  await createOwnPod(admin, { ...account, node })

  const kubeconfigOf = async (name: string): Promise<string> =>
    writeKubeconfig(cluster, { token: await createToken(admin, { namespace, name }), namespace, name: `kubeconfig-${name}` })

  for (const { who, access, verbs: count, act } of cast) {
    t.test(`with the rules of the chart all goes well: ${who}`, async (t) => {
      const { account: own } = access
      const objects = access.objects.filter(({ kind }) => kind !== 'ServiceAccount')
      for (const object of objects) await create(admin, object)
      // The next one brings objects of the same names.
      t.teardown(async () => {
        for (const object of objects) await remove(admin, object)
      })
      const name = who.replaceAll(' ', '-')
      const heard = act(t, cluster, { name, account, kubeconfig: await kubeconfigOf(own.name) })
      await eventually(heard.isDone)
      t.ok(heard.isDone(), `all is done; ${heard.text()}`)
      t.notMatch(heard.text(), /RBAC|error|warn/)
    })

    const verbs = [...verbsOf(access.everywhere), ...verbsOf(access.own)]
    t.equal(verbs.length, count, who)
    for (const left of verbs) {
      t.test(`${who} without ${left.verb} of ${left.resource}`, async (t) => {
        const name = `${who.replaceAll(' ', '-')}-${left.verb}-${left.resource.replace('/', '-')}`
        const serviceAccount = { namespace, name }
        await createServiceAccount(admin, serviceAccount)
        await allow(admin, { name, rules: rulesWithout(access.everywhere, left), serviceAccount })
        await allow(admin, { name, namespace, rules: rulesWithout(access.own, left), serviceAccount })
        const heard = act(t, cluster, { name, account, kubeconfig: await kubeconfigOf(name) })
        const remedy = `allow it with the RBAC rule ${renderRule(left)}`
        await eventually(() => heard.text().includes(remedy))
        t.match(heard.text(), remedy)
      })
    }
  }
})
