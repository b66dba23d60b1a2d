// Agents in a cluster: who is who comes from the API server, every byte is posted once, and none waits.
import { setTimeout as sleep } from 'node:timers/promises'
import { between, booked, flowBytes } from '../lab/agents.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { createTalkers, leasesOf, says, talk } from './talk.js'
import { openedBetween, watchesOf } from './watches.js'

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS)
    t.test('pods are named by who made them', { skip: skip ?? false }, async (t) => {
      const { topology, truth, cluster, createPod, startAgents } = await createClusterLab(t)
      await createPod({ name: 'cart-7d9f-a', address: '10.1.1.2', address6: 'fd01:0:1::2', node: 'n1', deployment: 'cart' })
      await createPod({ name: 'stock-7d9f-a', address: '10.1.2.2', address6: 'fd01:0:2::2', node: 'n2', deployment: 'stock' })
      const watchedBefore = await watchesOf(cluster.admin)
      const agents = await startAgents()
      await eventually('all cover their pods', async () => {
        const all = await Promise.all(agents.all.map((agent) => agent.snapshot()))
        return all.every(({ sources }) => sources.find(({ name }) => name === 'kubernetes')?.up) ? true : undefined
      })
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      const opened = openedBetween(watchedBefore, await watchesOf(cluster.admin))
      t.same(opened, { leases: 3, nodes: 3, pods: 3, services: 3 }, 'four watches for each of three agents')
      const before = await agents.atRest()
      const sentBefore = await truth.total()
      await topology.peer('p2a').listenTcp({ port: 80 })
      await topology.peer('p1a').sendTcp({ to: '10.1.2.2', port: 80, bytes: 5_000_000 })
      await topology.peer('p1a').sendTcp({ to: 'fd01:0:2::2', port: 80, bytes: 3_000_000 })
      const [toStock, toCart] = [await truth.sentBy('p1a'), await truth.sentBy('p2a')]
      const all = await agents.atRest()
      t.comment(JSON.stringify(all.map(({ books, sources }) => [books, sources])))
      t.comment(agents.on('n1').log())
      t.equal(between(all, 'cart', 'stock'), toStock)
      t.equal(between(all, 'stock', 'cart'), toCart)
      t.equal(flowBytes(all) - flowBytes(before), (await truth.total()) - sentBefore)
      t.equal(booked(all, 'pending'), 0)
      const [series] = all
        .flatMap(({ series }) => series['meshtoll_flow_bytes_total'] ?? [])
        .filter(({ labels }) => labels['src_owner_name'] === 'cart')
      t.match(series?.labels, {
        src_zone: 'zone-1',
        src_namespace: 'shop',
        src_owner_kind: 'Deployment',
        dst_zone: 'zone-2',
        dst_owner_name: 'stock',
        scope: 'cross_zone',
      })
    })

    t.test('who counts nothing says to nobody that it does', { skip: skip ?? false }, async (t) => {
      const lab = await createTalkers(t)
      const { truth } = lab
      const identity = { handover: '1s' }
      const silent = await lab.startAgents({ options: { flows: { enabled: false }, identity }, nodes: ['n1'] })
      const counting = await lab.startAgents({ options: { flows: { interval: '1s' }, identity }, nodes: ['n2', 'n3'] })
      await says(counting, /covers its pods/)
      await sleep(2_500)
      const [before, sentBefore] = [await counting.atRest(), await truth.total()]
      await talk(lab, 50)
      t.equal(flowBytes(await counting.atRest()) - flowBytes(before), (await truth.total()) - sentBefore, 'the others post for it')
      t.same(await leasesOf(lab), ['meshtoll-n2', 'meshtoll-n3'])
      t.match(await silent.on('n1').snapshot(), { sources: [{ name: 'inventory' }, { name: 'kubernetes', up: true }] })
    })
  },
  { timeoutMs: 180_000 },
)
