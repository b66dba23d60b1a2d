// Agents that are stopped: what runs them is gone, and the kernel table goes as well; or it is not, or nobody knows, and it stays.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Agents, endOf, flowBytes, type NodeAgent } from '../lab/agents.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import type { ClusterLab } from './agents.js'
import type { KubeObject } from './client.js'
import { CLUSTER_PEERS } from './cluster.js'
import { createMoving, holdMissed } from './handover.js'
import { createPod, createWorkload } from './objects.js'
import { change, ownerOf, remove } from './resource.js'
import { createTalkers, leasesOf, says, talk, talkUntil } from './talk.js'

const OPTIONS = { flows: { interval: '1s' }, identity: { handover: '2s' } }
/** Until then a process that is told to stop has ended, or is killed (main.ts). */
const STOPPED_WITHIN_MS = 12_000

const WITHOUT_N1 = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: ['n1'] }] }],
    },
  },
}

interface Situation {
  readonly lab: ClusterLab
  readonly agents: Agents
  readonly daemonSet: KubeObject
}

/** An agent on each node, as pods of a DaemonSet. */
async function setUp(t: Test): Promise<Situation> {
  const lab = await createTalkers(t)
  const { account, cluster, topology } = lab
  const { namespace } = account
  const daemonSet = await createWorkload(cluster.admin, { kind: 'DaemonSet', ...account })
  for (const { name } of topology.spec.nodes)
    await createPod(cluster.admin, { namespace, name: `agent-${name}`, node: name, owner: ownerOf(daemonSet) })
  const environment = ({ name }: { readonly name: string }) => ({ POD_NAMESPACE: namespace, POD_NAME: `agent-${name}` })
  const agents = await lab.startAgents({ options: OPTIONS, environment })
  await says(agents, /covers its pods/)
  await sleep(2_500)
  return { lab, agents, daemonSet }
}

async function stopped(t: Test, { program }: NodeAgent): Promise<number> {
  const startedMs = performance.now()
  program.signal('SIGTERM')
  t.same(await endOf(program, STOPPED_WITHIN_MS + 3_000), { code: 0, signal: null }, program.stderr())
  return Math.round(performance.now() - startedMs)
}

const hasTable = async ({ topology }: ClusterLab, node: string): Promise<boolean> =>
  (await topology.run(node, ['nft', 'list', 'tables'])).includes('inet meshtoll')

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? false

    t.test('a rolling update: the table stays; one node is no longer wanted; then all of them go at once', { skip }, async (t) => {
      const { lab, agents, daemonSet } = await setUp(t)
      const [before, sentBefore] = [await agents.atRest(), await lab.truth.total()]
      await talk(lab, 40)
      t.comment(`stopped after ${await stopped(t, agents.on('n1'))} ms`)
      t.match(agents.on('n1').log(), /level=info msg="stopped; the kernel table stays and counts on, so that the next start loses nothing"/)
      t.ok(await hasTable(lab, 'n1'))
      t.same(await leasesOf(lab), ['meshtoll-n1', 'meshtoll-n2', 'meshtoll-n3'])
      await talk(lab, 30)
      await agents.on('n1').start()
      t.equal(flowBytes(await agents.atRest()) - flowBytes(before), (await lab.truth.total()) - sentBefore, 'nothing is lost')

      await change(lab.cluster.admin, daemonSet, { spec: { template: { spec: { affinity: WITHOUT_N1 } } } })
      await stopped(t, agents.on('n1'))
      t.match(agents.on('n1').log(), /level=info msg="stopped; the kernel table is removed, since no agent comes after this one"/)
      t.notOk(await hasTable(lab, 'n1'), 'nothing counts for nobody')
      t.same(await leasesOf(lab), ['meshtoll-n2', 'meshtoll-n3'], 'so the others post what it sends')
      await talk(lab, 20)

      await remove(lab.cluster.admin, daemonSet)
      // Of this only the last read knows.
      await talk(lab, 50)
      const tookMs = await Promise.all(agents.all.filter(({ node }) => node !== 'n1').map((agent) => stopped(t, agent)))
      t.comment(`left after ${tookMs.join(', ')} ms`)
      for (const agent of agents.all) {
        t.match(agent.log(), /level=info msg="stopped; the kernel table is removed, since no agent comes after this one"/)
        t.notOk(await hasTable(lab, agent.node), agent.node)
      }
      t.same(await leasesOf(lab), [])
      for (const agent of agents.all) await agent.start()
      const all = await agents.atRest()
      t.equal(flowBytes(all) - flowBytes(before), (await lab.truth.total()) - sentBefore, 'their states say all that was ever sent')
    })

    t.test('under load, and killed in the middle of it: nothing twice, nothing unsaid', { skip }, async (t) => {
      const { lab, agents, daemonSet } = await setUp(t)
      const agent = agents.on('n2')
      const [before, sentBefore] = [await agents.atRest(), await lab.truth.total()]
      let isOver = false
      const talking = talkUntil(lab, () => isOver)
      await remove(lab.cluster.admin, daemonSet)
      const moving = createMoving(lab.topology, 'p2a')
      const comesBack = async (): Promise<void> => {
        await agent.start()
        await says(agents, /covers its pods/)
        await sleep(2_500)
      }
      for (const killAfterMs of [100, 1_500, 3_400]) {
        await moving.during(async () => {
          agent.program.signal('SIGTERM')
          await sleep(killAfterMs)
          await agent.kill()
          await comesBack()
        })
      }
      await moving.during(async () => {
        await stopped(t, agent)
        t.notOk(await hasTable(lab, 'n2'))
        await sleep(2_500)
      })
      await moving.during(comesBack)
      isOver = true
      await talking
      holdMissed(t, { before, all: await agents.atRest(), sent: (await lab.truth.total()) - sentBefore, moving })
    })

    t.test('nobody knows: the table stays, and the last line says why', { skip }, async (t) => {
      const { lab, agents, daemonSet } = await setUp(t)
      const { cluster, access } = lab
      const [n1, n2, n3] = ['n1', 'n2', 'n3'].map((node) => agents.on(node)) as [NodeAgent, NodeAgent, NodeAgent]
      await remove(cluster.admin, daemonSet)
      for (const object of access.filter(({ kind }) => kind.endsWith('Binding'))) await remove(cluster.admin, object)
      await sleep(500)
      await stopped(t, n1)
      t.match(n1.log(), /level=warn msg="stopped; the kernel table stays and counts on: where no agent comes after this one, remove it"/)
      t.match(n1.log(), /403 Forbidden.*allow it with the RBAC rule/)
      for (const object of access.filter(({ kind }) => kind === 'ServiceAccount')) await remove(cluster.admin, object)
      await sleep(500)
      await stopped(t, n2)
      // Its token is taken for some seconds more.
      t.match(n2.log(), /where no agent comes after this one, remove it.*(401 Unauthorized|403 Forbidden)/)
      for (const pid of cluster.pids) process.kill(pid, 'SIGKILL')
      t.comment(`without an API server stopped after ${await stopped(t, n3)} ms`)
      t.match(n3.log(), /where no agent comes after this one, remove it.*remove_with="meshtoll agent --uninstall" error="GET https/)
      for (const node of ['n1', 'n2', 'n3']) t.ok(await hasTable(lab, node), node)
    })
  },
  { timeoutMs: 240_000 },
)
