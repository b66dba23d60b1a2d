import t from 'tap'
import { loadNetlink } from '../../../src/kernel/netlink.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import {
  addressesFrom,
  beSilent,
  bytesByPair,
  flowsOf,
  IPV4_UDP,
  IPV6_UDP,
  imbalanceAtRest,
  ip,
  readAtRest,
  sendTo,
  sentByUplink,
  setUpNode,
} from './small-node.js'

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)

  t.test('every byte that leaves, by pair', async (t) => {
    const open = await loadNetlink()
    const flows = await flowsOf()
    await flows.open()
    const before = await readAtRest(flows, () => sentByUplink(open))
    await sendTo(['10.9.0.1'], { size: 1000, times: 7 })
    await sendTo(['10.9.0.2', 'fd09::5'], { size: 1 })
    const { reading, sent } = await readAtRest(flows, () => sentByUplink(open))
    t.match(bytesByPair(reading), {
      '10.0.0.1 10.9.0.1': 7 * (1000 + IPV4_UDP),
      '10.0.0.1 10.9.0.2': 1 + IPV4_UDP,
      'fd00::1 fd09::5': 1 + IPV6_UDP,
    })
    t.equal(reading.counters.observed - before.reading.counters.observed, sent - before.sent, 'observed is what the device sent')
    t.equal(await imbalanceAtRest(flows), 0)
    t.equal(reading.egress.uplinks, sent)
    t.same({ ...flows.status }, { owned: true, mode: 'plain', limit: 1024, note: '' })
    await flows.uninstall()
  })

  t.test('loopback is left out', async (t) => {
    const flows = await flowsOf()
    await flows.open()
    await sendTo(['127.0.0.1', '::1', '10.0.0.1'], { times: 3 })
    const reading = await flows.flowReading()
    const loopback = Object.keys(bytesByPair(reading)).filter((pair) => /127\.|^::1|10\.0\.0\.1 10\.0\.0\.1/.test(pair))
    t.same(loopback, [])
    t.equal(await imbalanceAtRest(flows), 0)
    await flows.uninstall()
  })

  for (const mode of ['plain', 'full'] as const) {
    t.test(`1,000 pairs into a set of 64: what has no pair is overflow, to the byte (${mode})`, async (t) => {
      const flows = await flowsOf({ maxPairs: 64, kubernetes: mode === 'full' })
      await flows.open()
      await sendTo(addressesFrom(1000), { times: 2 })
      const reading = await flows.flowReading()
      const pairs = Object.entries(bytesByPair(reading)).filter(([pair]) => pair.startsWith('10.0.0.1 10.9.'))
      t.equal(pairs.length, 64)
      t.ok(
        pairs.every(([, bytes]) => bytes === 2 * (100 + IPV4_UDP)),
        'pairs that have a place are whole',
      )
      t.equal(reading.counters.overflow, 936 * 2 * (100 + IPV4_UDP))
      t.equal(await imbalanceAtRest(flows), 0)
      await flows.uninstall()
    })
  }

  t.test('in sixteen sets nothing is counted elsewhere or twice', async (t) => {
    const flows = await flowsOf({ maxPairs: 65_536 })
    await flows.open()
    await sendTo(addressesFrom(25_000), { size: 10 })
    flows.watch()
    t.equal((await flows.flowReading()).generations.length, 2, 'more pairs than one set is good for: a new generation')
    await sendTo(addressesFrom(25_000), { size: 10 })
    await sendTo(['fd09::1', 'fd09::2'], { size: 10 })
    const reading = await flows.flowReading()
    const pairs = bytesByPair(reading)
    const bytes = addressesFrom(25_000).map((address) => pairs[`10.0.0.1 ${address}`] ?? 0)
    // A burst of new pairs may exhaust the memory at hand for their counters: the packet is overflow, the next one counts.
    const total = bytes.reduce((sum, value) => sum + value, 0) + reading.counters.overflow
    t.equal(total, 2 * 25_000 * (10 + IPV4_UDP))
    t.ok(Math.max(...bytes) === 2 * (10 + IPV4_UDP))
    t.equal(pairs['fd00::1 fd09::2'], 10 + IPV6_UDP)
    t.equal(await imbalanceAtRest(flows), 0)
    const live = bytesByPair({ ...reading, generations: reading.generations.slice(-1) })
    t.ok(Object.keys(live).length > 24_000, 'half of it in the new generation')
    await flows.uninstall()
  })

  t.test('a device that takes packets into packets: the outer ones are tunnel, the inner ones pairs', async (t) => {
    ip('link add overlay type vxlan id 7 remote 10.9.0.77 dstport 4789 dev uplink', 'addr add 10.44.0.1/24 dev overlay')
    beSilent('overlay')
    ip('link set overlay up', 'neigh add 10.44.0.9 lladdr 02:00:00:00:00:44 dev overlay')
    const flows = await flowsOf()
    await flows.open()
    t.equal(flows.status.mode, 'tunnel')
    const before = await flows.flowReading()
    await sendTo(['10.44.0.9'], { size: 100, times: 10 })
    const reading = await flows.flowReading()
    const inner = 10 * (100 + IPV4_UDP)
    const outer = inner + 10 * (14 + 8 + IPV4_UDP)
    t.equal(bytesByPair(reading)['10.44.0.1 10.44.0.9'], inner)
    t.equal(bytesByPair(reading)['10.0.0.1 10.9.0.77'], undefined)
    t.equal(reading.counters.tunnel - before.counters.tunnel, outer)
    t.equal(reading.egress.outerSent - before.egress.outerSent, outer)
    t.equal(reading.egress.intoTunnels - before.egress.intoTunnels, inner)
    t.equal(await imbalanceAtRest(flows), 0)
    await sendTo(['10.9.0.3'], { port: 4789, times: 3 })
    const own = await flows.flowReading()
    t.equal(own.counters.tunnel - reading.counters.tunnel, 3 * (100 + IPV4_UDP), 'whoever sends it from this node')
    await flows.uninstall()
    ip('link del overlay')
  })
})
