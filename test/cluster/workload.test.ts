// What runs an agent, as a real API server has it: nobody collects garbage here, so what is deleted with finalizers stays to be looked at.
import { readFile } from 'node:fs/promises'
import type { Test } from 'tap'
import { readWorkload } from '../../src/cluster/workload.js'
import { createKubeClient } from '../../src/kube/client.js'
import { fixedToken } from '../../src/kube/token.js'
import { createHandClock } from '../kube/hand-clock.js'
import type { Client, KubeObject } from './client.js'
import type { Cluster } from './cluster.js'
import { createPod, createWorkload } from './objects.js'
import { change, ownerOf, remove } from './resource.js'
import { clusterTest } from './suite.js'

const NAMESPACE = 'default'
const { signal } = new AbortController()

async function openClient(t: Test, { url, caFile, adminToken }: Cluster) {
  const options = { server: url, ca: await readFile(caFile, 'utf8'), token: fixedToken(adminToken) }
  const client = createKubeClient(options, { clock: createHandClock() })
  t.teardown(() => client.close())
  return client
}

const deleteWith = (propagationPolicy: string) => async (admin: Client, name: string) =>
  void (await admin.send('DELETE', `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${name}`, { propagationPolicy }))

const makeAnew = async (admin: Client, name: string): Promise<void> => {
  await deleteWith('Background')(admin, name)
  await createWorkload(admin, { kind: 'DaemonSet', namespace: NAMESPACE, name })
}

const leaveAlone = async (admin: Client, _: string, pod: KubeObject): Promise<void> =>
  void (await change(admin, pod, { metadata: { ownerReferences: [] } }))

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  const cases = [
    { name: 'it runs', act: async () => undefined, wanted: 'stays' },
    { name: 'it was deleted', act: deleteWith('Background'), wanted: 'gone' },
    { name: 'it is being deleted, after its pods', act: deleteWith('Foreground'), wanted: 'gone' },
    { name: 'it is being deleted, and its pods stay', act: deleteWith('Orphan'), wanted: 'stays' },
    { name: 'its pods were left to nobody', act: leaveAlone, wanted: 'none' },
    { name: 'another one has its name', act: makeAnew, wanted: 'gone' },
  ]
  for (const [index, { name, act, wanted }] of cases.entries()) {
    t.test(name, async (t) => {
      const own = `agent-${index}`
      const daemonSet = await createWorkload(admin, { kind: 'DaemonSet', namespace: NAMESPACE, name: own })
      const pod = await createPod(admin, { namespace: NAMESPACE, name: `${own}-x2x4v`, owner: ownerOf(daemonSet) })
      await act(admin, own, pod)
      t.equal(await readWorkload(await openClient(t, cluster), { namespace: NAMESPACE, name: `${own}-x2x4v` }, signal), wanted)
    })
  }

  t.test('a pod of something else, and none', async (t) => {
    const client = await openClient(t, cluster)
    const job = await createWorkload(admin, { kind: 'Job', namespace: NAMESPACE, name: 'once' })
    const pod = await createPod(admin, { namespace: NAMESPACE, name: 'once-x2x4v', owner: ownerOf(job) })
    const asked = { namespace: NAMESPACE, name: 'once-x2x4v' }
    t.equal(await readWorkload(client, asked, signal), 'none')
    await remove(admin, pod)
    await t.rejects(readWorkload(client, asked, signal), { message: 'there is no Pod default/once-x2x4v any more' })
  })
})
