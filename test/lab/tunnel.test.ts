// Pods of other nodes through VXLAN: the inner packet is posted, the outer one is not.
import { sentIpBytes } from '../../src/lab/counters.js'
import { addVxlan } from '../../src/lab/features.js'
import { booked, bytesByPair, sumOf } from './agents.js'
import { balances, createLab, type Lab } from './lab.js'
import { worldTest } from './world.js'

const BYTES = 50_000_000

async function exchangeAcross({ topology }: Lab): Promise<void> {
  const sink = await topology.peer('p2a').listenTcp({ port: 5000 })
  await topology.peer('p1a').sendTcp({ to: '10.1.2.2', port: 5000, bytes: BYTES, streams: 2 })
  await sink.close()
  await topology.peer('p1b').sendUdp({ to: ['10.1.3.2'], port: 9, size: 1_000, packets: 1_000 })
}

/** What pods have sent: outer packets are the nodes' own, so the truth of a node holds those. */
async function podsOf({ truth }: Lab): Promise<Readonly<Record<string, number>>> {
  const names = ['p1a', 'p1b', 'p2a', 'p3a']
  const sent = await Promise.all(names.map((name) => truth.sentBy(name)))
  return Object.fromEntries(names.map((name, index) => [name, sent[index] ?? Number.NaN]))
}

const expectedOf = (sent: Readonly<Record<string, number>>) => ({
  'p1a > p2a': sent['p1a'],
  'p2a > p1a': sent['p2a'],
  'p1b > p3a': sent['p1b'],
  'p3a > p1b': sent['p3a'],
})

const sum = (sent: Readonly<Record<string, number>>): number => Object.values(sent).reduce((all, bytes) => all + bytes, 0)

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('a tunnel that was there before the agents', async (t) => {
      const lab = await createLab(t, { prepare: (topology) => addVxlan(topology) })
      await exchangeAcross(lab)
      const all = await lab.agents.atRest()
      const sent = await podsOf(lab)
      t.same(bytesByPair(all), expectedOf(sent), 'each pair of pods')
      balances(t, all, sum(sent))
      const outer = await Promise.all(['n1', 'n2', 'n3'].map(async (name) => sentIpBytes(await lab.topology.device(name))))
      t.equal(
        booked(all, 'tunnel'),
        2 * outer.reduce((all, bytes) => all + bytes, 0),
        'outer bytes: where they leave and where they arrive',
      )
      t.equal(booked(all, 'elsewhere'), sum(sent), 'each inner byte was seen once more, where it arrived')
    })

    t.test('a tunnel that appears while the agents run', async (t) => {
      const lab = await createLab(t)
      await exchangeAcross(lab)
      const routed = await lab.agents.atRest()
      t.equal(booked(routed, 'tunnel'), 0)
      await addVxlan(lab.topology)
      // Between the device and the rules that look for its packets their bytes are pairs of nodes: a gap, see the test below.
      for (const { program } of lab.agents.all) await program.waitFor(/tunnels or address translation appeared/)
      await exchangeAcross(lab)
      const all = await lab.agents.atRest()
      const sent = await podsOf(lab)
      t.same(bytesByPair(all), expectedOf(sent), 'each pair of pods')
      balances(t, all, sum(sent))
      t.ok(booked(all, 'tunnel') > 2 * BYTES)
      t.equal(sumOf(all, 'meshtoll_flow_gap_seconds_total'), 0, 'the device was seen before it carried anything: no gap')
    })

    t.test('a tunnel that carries bytes before it is seen', async (t) => {
      const lab = await createLab(t)
      for (const agent of lab.agents.all) agent.program.signal('SIGSTOP')
      await addVxlan(lab.topology)
      await exchangeAcross(lab)
      for (const agent of lab.agents.all) agent.program.signal('SIGCONT')
      const all = await lab.agents.atRest()
      t.equal(booked(all, 'difference'), 0)
      for (const one of all)
        t.ok(sumOf([one], 'meshtoll_flow_gap_seconds_total') > 0, `${one.node} says that outer bytes may have been taken for pairs`)
      const before = bytesByPair(all)
      const sent = await podsOf(lab)
      await exchangeAcross(lab)
      const after = bytesByPair(await lab.agents.atRest())
      const sentSince = await podsOf(lab)
      const growth = (pair: string): number => (after[pair] ?? 0) - (before[pair] ?? 0)
      t.equal(growth('p1a > p2a'), (sentSince['p1a'] ?? 0) - (sent['p1a'] ?? 0))
      t.equal(growth('n1 > n2'), 0, 'from then on they are not')
    })
  },
  { timeoutMs: 90_000 },
)
