// A gigabyte over TCP, data and acknowledgements, held against the interfaces by owner and by zone.
import { bytesByPair, zoneBytes } from './agents.js'
import { balances, createLab } from './lab.js'
import { worldTest } from './world.js'

const GIGABYTE = 1_000_000_000

await worldTest(
  import.meta.url,
  async (t) => {
    const cases = [
      { name: 'a gigabyte to a pod on another node', to: '10.1.2.2', on: 'p2a', zone: 'zone-2', scope: 'cross_zone' },
      { name: 'a gigabyte to a pod on the same node', to: '10.1.1.3', on: 'p1b', zone: 'zone-1', scope: 'same_zone' },
    ]
    for (const { name, to, on, zone, scope } of cases) {
      t.test(name, async (t) => {
        const { topology, truth, agents } = await createLab(t)
        const sink = await topology.peer(on).listenTcp({ port: 5000 })
        const sent = await topology.peer('p1a').sendTcp({ to, port: 5000, bytes: GIGABYTE, streams: 4 })
        t.match(await sink.close(), { receivedBytes: GIGABYTE }, `${(GIGABYTE / sent.seconds / 1e9).toFixed(1)} GB/s`)

        const all = await agents.atRest()
        const [data, acknowledgements] = [await truth.sentBy('p1a'), await truth.sentBy(on)]
        t.ok(data > GIGABYTE && acknowledgements > 10_000, `${data} and ${acknowledgements} bytes`)
        t.same(bytesByPair(all), { [`p1a > ${on}`]: data, [`${on} > p1a`]: acknowledgements }, 'owners')
        balances(t, all, data + acknowledgements)
        const [there, back] = [
          { src_zone: 'zone-1', dst_zone: zone, scope },
          { src_zone: zone, dst_zone: 'zone-1', scope },
        ]
        if (zone === 'zone-1') t.equal(zoneBytes(all, there), data + acknowledgements, 'within the zone')
        else t.same([zoneBytes(all, there), zoneBytes(all, back)], [data, acknowledgements], 'zones, there and back')
        t.equal(zoneBytes(all), data + acknowledgements, 'and in no other')
      })
    }
  },
  { timeoutMs: 90_000 },
)
