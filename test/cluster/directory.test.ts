// Agents that hear of other nodes' pods from a directory of two replicas, each of which is killed once, while pods come and go under load and
// the API server restarts: every byte is posted, by one agent, to whoever had the address, or to nobody.
import { setTimeout as sleep } from 'node:timers/promises'
import { sentIpBytes } from '../../src/lab/counters.js'
import { readAgentAccess, readDirectoryAccess } from '../deploy/access.js'
import { between, endOf, flowBytes } from '../lab/agents.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { allowedBy, readAsked } from './audit.js'
import { CLUSTER_PEERS } from './cluster.js'
import { startDirectories, untilCovering } from './directories.js'
import { installIstio } from './istio.js'
import { hold, LONG, live, livesAround, livesOf, merged, shareOfNobody, totalOf } from './lives.js'
import { createJob, createPod, createRunningPod, createWorkload } from './objects.js'
import { samplePending } from './pending.js'
import { ownerOf, remove } from './resource.js'
import { openedBetween, watchesOf } from './watches.js'

const LIVES = livesAround({ ms: 4_000, restMs: 8_000 })
/** While nothing can be heard some of these come, and go. */
const UNHEARD = livesOf(6, { ms: 4_000, restMs: 8_000 }, ['short', 'brief'])
const PATIENCE_MS = 30_000
/** Two of the six short ones, which go while nothing can be heard. */
const MOST_OF_NOBODY = 0.1
const INTERVAL_MS = 2_000
/** Samples are taken each second, of what was read no longer than a second before. */
const SAMPLED_MS = 2_000

/** What the rules let, and nobody here asks for. */
const ASKED_ELSEWHERE = {
  agent: [
    // The kubelet does, when an agent asks it.
    'get nodes/metrics',
    'get nodes/stats',
  ],
  directory: [
    // Ten minutes after an agent went without a word (test/cluster/workload.test.ts).
    'delete leases.coordination.k8s.io',
    'list daemonsets.apps',
  ],
}

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS)
    t.test('through two kills of the directory and a restart of the API server', { skip: skip ?? false }, async (t) => {
      const lab = await createClusterLab(t, { manifest: 'full-directory', audit: true })
      const { topology, truth, cluster, account } = lab
      const { admin } = cluster
      await installIstio(admin)
      const directories = await startDirectories(t, lab)
      await lab.createPod({ name: 'database-0', address: '10.1.2.2', address6: 'fd01:0:2::2', node: 'n2', deployment: 'database' })
      await lab.createPod({ name: 'queue-0', address: '10.1.3.2', address6: 'fd01:0:3::2', node: 'n3', deployment: 'queue' })
      const job = await createJob(admin, { namespace: 'shop', name: 'backup-1', cronJob: 'backup' })
      await createRunningPod(admin, { namespace: 'shop', name: 'backup-1-x', node: 'n1', owner: ownerOf(job), podIps: ['10.1.1.9'] })
      const daemonSet = await createWorkload(admin, { kind: 'DaemonSet', ...account })
      for (const { name: node } of topology.spec.nodes)
        await createPod(admin, { namespace: account.namespace, name: `agent-${node}`, node, owner: ownerOf(daemonSet) })
      const watched = await watchesOf(admin)
      for (const peer of ['p2a', 'p3a']) await topology.peer(peer).listenUdp({ port: 9 })
      const agents = await lab.startAgents({
        options: {
          flows: { interval: `${INTERVAL_MS}ms` },
          identity: { patience: `${PATIENCE_MS}ms` },
          kubernetes: { directory: directories.options },
        },
        environment: ({ name }) => ({ POD_NAMESPACE: account.namespace, POD_NAME: `agent-${name}` }),
      })
      await untilCovering(() => agents.all.map((agent) => agent.log()))
      // One replica begins to follow these by a Lease, whenever that is.
      const { endpointslices: _, ...opened } = openedBetween(watched, await watchesOf(admin))
      t.same(opened, { pods: 3 }, 'one watch for each of three agents')
      await sleep(3_000)
      const pending = samplePending(agents)
      const before = await agents.atRest()
      const sentBefore = await truth.total()
      let isLongLife = false
      const disturb = async (): Promise<void> => {
        await sleep(8_000)
        await directories.kill(0, 4_000)
        await eventually('the long life', () => (isLongLife ? true : undefined), 90_000)
        // Longer than the skew: whoever came just before could not be told from who went.
        await sleep(5_000)
        await cluster.restart()
        await sleep(20_000)
        await directories.kill(1, 4_000)
      }
      const [places] = await Promise.all([
        Promise.all([
          live(lab, { namespace: 'p1a', address: '10.1.1.2', node: 'n1', to: ['10.1.2.2', '10.1.3.2'] }, LIVES, (index) => {
            isLongLife ||= index === LONG
          }),
          live(lab, { namespace: 'p2b', address: '10.1.2.3', node: 'n2', to: ['10.1.3.2'] }, UNHEARD),
        ]),
        disturb(),
      ])
      await sleep(PATIENCE_MS)
      const all = await agents.atRest()
      const sent = merged(places)
      for (const { node, sources } of all) {
        t.match(
          sources.find(({ name }) => name === 'kubernetes'),
          { up: true, error: '' },
          node,
        )
      }
      t.equal(flowBytes(all) - flowBytes(before), (await truth.total()) - sentBefore, 'all of it is posted, by one agent')
      const share = hold(t, { before, all, sent })
      t.comment(`${(100 * share).toFixed(2)} % to nobody`)
      t.ok(share <= MOST_OF_NOBODY, 'of all')
      const heardOf = [...new Set(LIVES.map(({ deployment }) => deployment))]
      t.ok(shareOfNobody({ all, sent }, heardOf) <= 0.001, 'of those that outlast what is away')
      const waited = await pending.stop(PATIENCE_MS + INTERVAL_MS + SAMPLED_MS)
      t.comment(`something waited for ${Math.round(waited.longestMs)} ms at most`)
      t.equal(waited.overdueBytes, 0, 'nothing waits for longer than identity.patience and one reading')
      const received = ['database', 'queue'].map((name) => flowBytes(all, { dst_owner_name: name }))
      t.equal(
        received.reduce((sum, bytes) => sum + bytes, 0),
        totalOf(sent),
        'those who were sent to are named by the directory',
      )

      const sentByQueue = sentIpBytes(await topology.device('p3a'))
      await topology.peer('p2a').listenTcp({ port: 80 })
      await topology.peer('p3a').sendTcp({ to: 'fd01:0:2::2', port: 80, bytes: 1_000_000 })
      const overIpv6 = between(await agents.atRest(), 'queue', 'database')
      t.equal(overIpv6, sentIpBytes(await topology.device('p3a')) - sentByQueue, 'over IPv6 as well')

      await remove(admin, daemonSet)
      const { program } = agents.on('n1')
      program.signal('SIGTERM')
      t.same(await endOf(program), { code: 0, signal: null }, program.stderr())
      const [agent, directory] = [await readAgentAccess('full-directory'), await readDirectoryAccess()]
      const askedBy = (access: typeof agent, elsewhere: readonly string[]) =>
        readAsked(cluster.folder, access.account).then((asked) => [...asked, ...elsewhere].sort())
      t.same(await askedBy(agent, ASKED_ELSEWHERE.agent), allowedBy(agent), 'agents ask for what they may, all of it')
      t.same(await askedBy(directory, ASKED_ELSEWHERE.directory), allowedBy(directory), 'so do directories')
    })
  },
  { timeoutMs: 300_000 },
)
