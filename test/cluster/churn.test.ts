// Pods come and go on addresses that others had before, under load, while the API server restarts and an agent is killed: every byte is posted,
// by one agent, to whoever had the address when it was sent, or to nobody.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TopologySpec } from '../../src/lab/plan.js'
import { booked, flowBytes, sumOf } from '../lab/agents.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { type Life, live, livesAround, merged } from './lives.js'

const WORKLOADS = ['cart', 'web', 'stock', 'mail']
// Two cycles, and the skew of both, between them.
const LIVES = livesAround({ workloads: WORKLOADS, ms: 4_000, longMs: 24_000, restMs: 7_000 })
const LONG = 2
const PATIENCE_MS = 30_000
const TWO_NODES: TopologySpec = { ...THREE_ZONES, nodes: THREE_ZONES.nodes.slice(0, 2) }

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
      await eventually('all cover their pods', async () =>
        agents.all.every((agent) => /covers its pods/.test(agent.log())) ? true : undefined,
      )
      const before = await agents.atRest()
      const sentBefore = await truth.total()
      let isLongLife = false
      const disturb = async (): Promise<void> => {
        await eventually('the long life', () => (isLongLife ? true : undefined), 90_000)
        await sleep(1_000)
        await cluster.restart()
        await sleep(1_000)
        const agent = agents.on('n1')
        await agent.kill()
        await agent.start()
      }
      const [places] = await Promise.all([
        Promise.all([
          live(lab, { namespace: 'p1a', address: '10.1.1.2', node: 'n1', to: ['10.1.2.2', '10.1.3.2'] }, LIVES, (index) => {
            isLongLife ||= index === LONG
          }),
          live(lab, { namespace: 'p2b', address: '10.1.2.3', node: 'n2', to: ['10.1.3.2'] }, [...LIVES].reverse()),
        ]),
        disturb(),
      ])
      const sent = merged(places)
      await sleep(PATIENCE_MS)
      const all = await agents.atRest()
      const rest = (family: string): number => sumOf(all, family) - sumOf(before, family)
      t.equal(flowBytes(all) - flowBytes(before), (await truth.total()) - sentBefore, 'all of it is posted, by one agent')
      t.equal(booked(all, 'pending'), 0, 'nothing waits')
      for (const [name, bytes] of sent) {
        const served = flowBytes(all, { src_owner_name: name })
        t.ok(served <= bytes, `${name}: ${served} served, ${bytes} sent`)
        t.comment(`${name}: ${bytes - served} of ${bytes} to nobody`)
      }
      const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0)
      const certain = WORKLOADS.reduce((sum, name) => sum + flowBytes(all, { src_owner_name: name }), 0)
      const ambiguous = rest('meshtoll_flow_ambiguous_bytes_total')
      t.equal(total - certain, ambiguous, 'what has no name is said to be ambiguous')
      t.ok(ambiguous <= total / 1000, `${ambiguous} of ${total} bytes ambiguous`)
    })

    t.test('addresses that go on at once: nothing to the wrong one', { skip: skip ?? false }, async (t) => {
      const lab = await createClusterLab(t, { spec: TWO_NODES })
      await lab.createPod({ name: 'database-0', address: '10.1.2.2', node: 'n2', deployment: 'database' })
      await lab.topology.peer('p2a').listenUdp({ port: 9 })
      const agents = await lab.startAgents({ options: { flows: { interval: '2s' }, identity: { patience: '4s' } } })
      await eventually('all cover their pods', () => (agents.all.every((agent) => /covers its pods/.test(agent.log())) ? true : undefined))
      const before = await agents.atRest()
      const lives = Array.from({ length: 6 }, (_, index): Life => ({ deployment: WORKLOADS[index % 4] as string, ms: 2_700, restMs: 150 }))
      const sent = await live(lab, { namespace: 'p1a', address: '10.1.1.2', node: 'n1', to: ['10.1.2.2'] }, lives)
      await sleep(5_000)
      const all = await agents.atRest()
      for (const [name, bytes] of sent) {
        const served = flowBytes(all, { src_owner_name: name })
        t.ok(served <= bytes, `${name}: ${served} served, ${bytes} sent`)
      }
      const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0)
      const certain = WORKLOADS.reduce((sum, name) => sum + flowBytes(all, { src_owner_name: name }), 0)
      const ambiguous = sumOf(all, 'meshtoll_flow_ambiguous_bytes_total') - sumOf(before, 'meshtoll_flow_ambiguous_bytes_total')
      t.comment(`${ambiguous} of ${total} to nobody`)
      t.equal(total - certain, ambiguous, 'what has no name is said to be ambiguous')
      t.ok(ambiguous > 0)
      t.equal(booked(all, 'pending'), 0, 'nothing waits')
    })
  },
  { timeoutMs: 300_000 },
)
