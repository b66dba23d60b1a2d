// A series limit that overflows: detail is folded, sums are not touched.
import { booked, bytesByPair, type Entry, flowBytes, inventoryOf, sumOf, zoneBytes } from './agents.js'
import { balances, createLab, ONE_NODE } from './lab.js'
import { worldTest } from './world.js'

const LIMIT = 5
const SIZE = 100
const ZONES = ['zone-1', 'zone-2', 'zone-3']

// Of 30 owners each gets a number of packets of its own.
const OWNERS = Array.from({ length: 30 }, (_, index) => ({
  name: `owner-${index}`,
  address: `203.0.0.${index}`,
  zone: ZONES[index % ZONES.length] ?? '',
  bytes: (index + 1) * (SIZE + 28),
  packets: index + 1,
}))

const entryOf = ({ name, address, zone }: (typeof OWNERS)[number]): Entry => ({
  cidr: `${address}/32`,
  zone,
  ownerKind: 'Service',
  ownerName: name,
})

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

await worldTest(import.meta.url, async (t) => {
  t.test('30 pairs of owners where 5 series may be', async (t) => {
    const inventory = [...inventoryOf(ONE_NODE), ...OWNERS.map(entryOf)]
    const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, inventory, options: { series: { limit: LIMIT } } })
    await topology.peer('internet').listenUdp({ port: 9 })
    for (const { address, packets } of OWNERS) await topology.peer('p1a').sendUdp({ to: [address], port: 9, size: SIZE, packets })

    const all = await agents.atRest()
    const sent = await truth.total()
    t.equal(sent, sum(OWNERS.map(({ bytes }) => bytes)))
    balances(t, all, sent)
    const named = OWNERS.filter(({ name }) => `p1a > ${name}` in bytesByPair(all))
    t.equal(named.length, LIMIT, 'the first ones have series of their own')
    for (const { name, bytes } of named) t.equal(flowBytes(all, { dst_owner_name: name }), bytes, `${name} is whole`)
    t.equal(sumOf(all, 'meshtoll_series'), LIMIT)

    const folded = sent - sum(named.map(({ bytes }) => bytes))
    t.equal(flowBytes(all, { dst_owner_name: '_other' }), folded)
    t.equal(sumOf(all, 'meshtoll_series_folded_bytes_total'), folded)
    for (const zone of ZONES) {
      const bytes = sum(OWNERS.filter((owner) => owner.zone === zone).map((owner) => owner.bytes))
      t.equal(zoneBytes(all, { src_zone: 'zone-1', dst_zone: zone }), bytes, `to ${zone}: zones are never folded`)
      t.equal(flowBytes(all, { dst_zone: zone }), bytes, 'and what is folded keeps its zone')
    }
    t.equal(booked(all, 'posted'), zoneBytes(all))
  })
})
