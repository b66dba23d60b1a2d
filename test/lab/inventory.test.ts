// Who is who changes while bytes flow: what was sent before stays where it was, what comes after goes to the new one, nothing is lost.
import { setTimeout as sleep } from 'node:timers/promises'
import { between, type Entry, flowBytes, inventoryOf, type NodeAgent, sumOf } from './agents.js'
import { balances, createLab, ONE_NODE } from './lab.js'
import { eventually, worldTest } from './world.js'

/** The inventory of a lab in which p1a belongs to somebody else. */
const inventoryWith = (ownerName: string): readonly Entry[] =>
  inventoryOf(ONE_NODE).map((entry) => (entry.ownerName === 'p1a' ? { ...entry, ownerName } : entry))

const STREAM = { protocol: 'udp', to: '10.1.1.3', port: 9, bytesPerSecond: 2_000_000 } as const

const isUp = async (agent: NodeAgent): Promise<boolean> => {
  const source = (await agent.snapshot()).sources.find(({ name }) => name === 'inventory')
  return source?.up ?? false
}

await worldTest(import.meta.url, async (t) => {
  t.test('a change at rest: each owner has what was sent in its time', async (t) => {
    const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE })
    await topology.peer('p1b').listenUdp({ port: 9 })
    const packets = { to: ['10.1.1.3'], port: 9, size: 500, packets: 100 }
    await topology.peer('p1a').sendUdp(packets)
    await agents.atRest()
    await agents.writeInventory(inventoryWith('cart'))
    await agents.atRest()
    await topology.peer('p1a').sendUdp({ ...packets, packets: 33 })
    const all = await agents.atRest()
    t.equal(between(all, 'p1a', 'p1b'), 100 * 528)
    t.equal(between(all, 'cart', 'p1b'), 33 * 528)
    balances(t, all, await truth.total())
  })

  t.test('changes under way: the old one grows no more, and the sum is exact', async (t) => {
    const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE })
    const agent = agents.on('n1')
    await topology.peer('p1b').listenUdp({ port: 9 })
    const stream = await topology.peer('p1a').pace(STREAM)
    const owners = ['p1a', 'cart', 'web', 'cart']
    const final = new Map<string, number>()
    for (const [turn, owner] of owners.entries()) {
      if (turn > 0) await agents.writeInventory(inventoryWith(owner))
      const before = final.get(owner) ?? 0
      const seen = await eventually(`bytes of ${owner}`, async () => {
        const served = await agent.snapshot()
        return between([served], owner, 'p1b') > before ? served : undefined
      })
      const old = owners[turn - 1]
      if (old !== undefined) final.set(old, between([seen], old, 'p1b'))
      await sleep(1_200)
      const later = await agent.snapshot()
      if (old !== undefined) t.equal(between([later], old, 'p1b'), final.get(old), `${old} has what it had`)
      t.ok(between([later], owner, 'p1b') > between([seen], owner, 'p1b') + 1_000_000, `${owner} has what is sent now`)
    }
    await stream.close()
    const all = await agents.atRest()
    t.equal(
      ['p1a', 'cart', 'web'].reduce((sum, owner) => sum + between(all, owner, 'p1b'), 0),
      await truth.sentBy('p1a'),
    )
    balances(t, all, await truth.total())
  })

  t.test('a broken inventory: the one before stays in force, and it is said once', async (t) => {
    const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, options: { flows: { interval: '200ms' } } })
    const agent = agents.on('n1')
    await topology.peer('p1b').listenUdp({ port: 9 })
    await agents.writeInventory('entries: [{cidr: 10.1.1.2/33, zone: 7}]')
    await eventually('the mistake', async () => ((await isUp(agent)) ? undefined : true))
    await topology.peer('p1a').sendUdp({ to: ['10.1.1.3'], port: 9, size: 500, packets: 10 })
    const all = await agents.atRest()
    t.equal(between(all, 'p1a', 'p1b'), 10 * 528)
    balances(t, all, await truth.total())
    t.match(await agent.metrics(), /^meshtoll_source_up\{source="inventory"\} 0$/m)
    t.equal(sumOf(all, 'meshtoll_source_up', { source: 'flows' }), 1, 'the other sources know nothing of it')
    await sleep(1_000)
    t.equal(agent.log().match(/source cannot be read/g)?.length, 1)
    t.match(agent.log(), /10\.1\.1\.2\/33/)

    await agents.writeInventory(inventoryWith('cart'))
    await eventually('the mended one', async () => ((await isUp(agent)) ? true : undefined))
    await topology.peer('p1a').sendUdp({ to: ['10.1.1.3'], port: 9, size: 500, packets: 20 })
    const mended = await agents.atRest()
    t.equal(between(mended, 'cart', 'p1b'), 20 * 528)
    t.equal(flowBytes(mended), await truth.total())
  })
})
