// Pods come and go on addresses that others had before, under load, while the API server restarts and an agent is killed: every byte is posted,
// by one agent, to whoever had the address when it was sent, or to nobody.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { TopologySpec } from '../../src/lab/plan.js'
import { flowBytes, type NodeAgent } from '../lab/agents.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { untilCovering } from './directories.js'
import { hold, LONG, live, livesAround, livesOf, merged } from './lives.js'

const LIVES = livesAround({ ms: 4_000, restMs: 7_000 })
const PATIENCE_MS = 30_000
const TWO_NODES: TopologySpec = { ...THREE_ZONES, nodes: THREE_ZONES.nodes.slice(0, 2) }
const CART = { namespace: 'p1a', address: '10.1.1.2', node: 'n1', to: ['10.1.2.2'] }

/** A pod that listens on the second of two nodes, for whoever has the address of CART. */
async function setUpTwo(t: Test, { patience = '4s', interval = '2s' } = {}) {
  const lab = await createClusterLab(t, { spec: TWO_NODES })
  await lab.createPod({ name: 'database-0', address: '10.1.2.2', node: 'n2', deployment: 'database' })
  await lab.topology.peer('p2a').listenUdp({ port: 9 })
  const agents = await lab.startAgents({ options: { flows: { interval }, identity: { patience } } })
  await untilCovering(() => agents.all.map((agent) => agent.log()))
  return { lab, agents, before: await agents.atRest() }
}

/** Reads until there are some, since the owner of an address is asked for first. */
const bytesOfCart = (agent: NodeAgent): Promise<number> =>
  eventually('bytes of it', async () => flowBytes([await agent.snapshot()], { src_owner_name: 'cart' }) || undefined)

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS)
    t.test('addresses that go from pod to pod', { skip: skip ?? false }, async (t) => {
      const lab = await createClusterLab(t)
      const { topology, truth, cluster } = lab
      await lab.createPod({ name: 'database-0', address: '10.1.2.2', node: 'n2', deployment: 'database' })
      await lab.createPod({ name: 'queue-0', address: '10.1.3.2', node: 'n3', deployment: 'queue' })
      await topology.peer('p2a').listenUdp({ port: 9 })
      await topology.peer('p3a').listenUdp({ port: 9 })
      const options = { flows: { interval: '2s' }, identity: { patience: `${PATIENCE_MS}ms` } }
      const agents = await lab.startAgents({ options })
      await untilCovering(() => agents.all.map((agent) => agent.log()))
      const before = await agents.atRest()
      const sentBefore = await truth.total()
      let sayBegun: () => void = () => undefined
      const longOneBegan = new Promise<void>((resolve) => {
        sayBegun = resolve
      })
      const disturb = async (): Promise<void> => {
        await longOneBegan
        // Longer than the skew: whoever came just before could not be told from who went.
        await sleep(8_000)
        await cluster.restart()
        await sleep(2_000)
        const agent = agents.on('n1')
        await agent.kill()
        await agent.start()
      }
      const [places] = await Promise.all([
        Promise.all([
          live(lab, { ...CART, to: ['10.1.2.2', '10.1.3.2'] }, LIVES, (index) => {
            if (index === LONG) sayBegun()
          }),
          live(lab, { namespace: 'p2b', address: '10.1.2.3', node: 'n2', to: ['10.1.3.2'] }, [...LIVES].reverse()),
        ]),
        disturb(),
      ])
      await sleep(PATIENCE_MS)
      const all = await agents.atRest()
      t.equal(flowBytes(all) - flowBytes(before), (await truth.total()) - sentBefore, 'all of it is posted, by one agent')
      t.ok(hold(t, { before, all, sent: merged(places) }) <= 0.001)
    })

    t.test('addresses that go on at once: nothing to the wrong one', { skip: skip ?? false }, async (t) => {
      const { lab, agents, before } = await setUpTwo(t)
      const lives = livesOf(6, { ms: 2_700, restMs: 150 })
      const sent = await live(lab, CART, lives)
      await sleep(5_000)
      t.ok(hold(t, { before, all: await agents.atRest(), sent }) > 0)
    })

    t.test('an address that goes on long before the next reading: all of it to whoever sent it', { skip: skip ?? false }, async (t) => {
      const { lab, agents, before } = await setUpTwo(t, { interval: '5m' })
      const reads: Promise<number>[] = []
      // The skew, and within a second of each change the kernel is read.
      const sent = await live(lab, CART, livesOf(2, { ms: 4_000, restMs: 6_000 }), (index) => {
        if (index === 0) reads.push(bytesOfCart(agents.on('n1')))
      })
      const [read = 0] = await Promise.all(reads)
      t.ok(read < (sent.get('cart') ?? 0), 'there was more to read of the first one')
      t.equal(hold(t, { before, all: await agents.atRest(), sent }), 0, 'none of it is ambiguous')
    })

    t.test('an address that goes on while no agent runs: nothing to the wrong one', { skip: skip ?? false }, async (t) => {
      const { lab, agents, before } = await setUpTwo(t)
      const agent = agents.on('n1')
      let read = 0
      const killInTheMiddle = async (): Promise<void> => {
        await sleep(1_000)
        read = await bytesOfCart(agent)
        await agent.kill()
      }
      const killed: Promise<void>[] = []
      const sent = await live(lab, CART, livesOf(3, { ms: 3_000, restMs: 4_500 }), (index) => {
        if (index === 0) killed.push(killInTheMiddle())
        return index === 2 ? agent.start() : undefined
      })
      await Promise.all(killed)
      await sleep(5_000)
      const all = await agents.atRest()
      hold(t, { before, all, sent })
      t.ok(read > 0)
      t.ok(flowBytes(all, { src_owner_name: 'cart' }) >= read, 'what was served stays')
      t.equal(flowBytes(all, { src_owner_name: 'stock' }), sent.get('stock'), 'who came after the start has all of it')
    })

    t.test('an address that goes on while an agent stands still: nothing to the wrong one', { skip: skip ?? false }, async (t) => {
      const { lab, agents, before } = await setUpTwo(t, { patience: '30s' })
      const sentBefore = await lab.truth.total()
      const { program } = agents.on('n1')
      const after = async (ms: number, signal: NodeJS.Signals): Promise<void> => {
        await sleep(ms)
        program.signal(signal)
      }
      const signals: Promise<void>[] = []
      const sent = await live(lab, CART, livesOf(3, { ms: 8_000, restMs: 4_000 }), (index) => {
        if (index === 0) signals.push(after(3_000, 'SIGSTOP'))
        if (index === 1) signals.push(after(6_000, 'SIGCONT'))
      })
      await Promise.all(signals)
      await sleep(2_000)
      const all = await agents.atRest()
      t.ok(hold(t, { before, all, sent }) > 0)
      t.equal(flowBytes(all) - flowBytes(before), (await lab.truth.total()) - sentBefore, 'all of it is posted, by one agent')
      t.match(agents.on('n1').log(), /stood still.*for_s=1\d/)
      t.notMatch(agents.on('n1').log(), /MaxListeners/)
      t.ok(flowBytes(all, { src_owner_name: 'cart' }) > 0)
      t.equal(flowBytes(all, { src_owner_name: 'stock' }), sent.get('stock'), 'who came after it has all of it')
    })
  },
  { timeoutMs: 420_000 },
)
