// Agents that hear of other nodes' pods from a directory of two replicas, each of which is killed once, while pods come and go under load and
// the API server restarts: every byte is posted, by one agent, to whoever had the address, or to nobody.
import { setTimeout as sleep } from 'node:timers/promises'
import { flowBytes } from '../lab/agents.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { startDirectories, untilCovering } from './directories.js'
import { hold, LONG, live, livesAround, livesOf, merged, totalOf } from './lives.js'

const LIVES = livesAround({ ms: 4_000, restMs: 8_000 })
/** While nothing can be heard some of these come, and go. */
const UNHEARD = livesOf(6, { ms: 4_000, restMs: 8_000 }, ['short', 'brief'])
const PATIENCE_MS = 30_000

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS)
    t.test('through two kills of the directory and a restart of the API server', { skip: skip ?? false }, async (t) => {
      const lab = await createClusterLab(t, { manifest: 'full-directory' })
      const { topology, truth, cluster } = lab
      const directories = await startDirectories(t, lab)
      await lab.createPod({ name: 'database-0', address: '10.1.2.2', node: 'n2', deployment: 'database' })
      await lab.createPod({ name: 'queue-0', address: '10.1.3.2', node: 'n3', deployment: 'queue' })
      for (const peer of ['p2a', 'p3a']) await topology.peer(peer).listenUdp({ port: 9 })
      const agents = await lab.startAgents({
        options: {
          flows: { interval: '2s' },
          identity: { patience: `${PATIENCE_MS}ms` },
          kubernetes: { directory: directories.options },
        },
      })
      await untilCovering(() => agents.all.map((agent) => agent.log()))
      await sleep(3_000)
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
      const heardOf = LIVES.map(({ deployment }) => deployment)
      t.ok(hold(t, { before, all, sent }, [...new Set(heardOf)]) <= 0.001, 'of those that outlast what is away')
      const received = ['database', 'queue'].map((name) => flowBytes(all, { dst_owner_name: name }))
      t.equal(
        received.reduce((sum, bytes) => sum + bytes, 0),
        totalOf(sent),
        'those who were sent to are named by the directory',
      )
    })
  },
  { timeoutMs: 300_000 },
)
