// More pairs than the kernel may keep: what finds no room is counted, to the byte, as overflow.
import { booked, sumOf } from './agents.js'
import { createLab, ONE_NODE } from './lab.js'
import { worldTest } from './world.js'

const PAIRS = 1_000
const ROOM = 64
const SIZE = 200
const PACKETS = 5
const BYTES_OF_PAIR = PACKETS * (SIZE + 28)

await worldTest(import.meta.url, async (t) => {
  t.test('1,000 pairs into a set of 64', async (t) => {
    const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, options: { flows: { maxPairs: ROOM } } })
    await topology.peer('internet').listenUdp({ port: 9 })
    const some = { port: 9, size: SIZE, packets: PACKETS }
    await topology.peer('p1a').sendUdp({ ...some, to: [{ first: '203.0.0.0', count: PAIRS }] })
    const all = await agents.atRest()

    const sent = await truth.total()
    t.equal(sent, PAIRS * BYTES_OF_PAIR)
    t.equal(booked(all, 'observed'), sent, 'all of it was observed')
    t.equal(booked(all, 'posted') + booked(all, 'overflow') + booked(all, 'elsewhere'), sent, 'and all has a place')
    t.equal(booked(all, 'posted'), ROOM * BYTES_OF_PAIR, 'as many pairs as there is room for are whole')
    t.equal(booked(all, 'difference'), 0)
    t.same([sumOf(all, 'meshtoll_flow_pairs'), sumOf(all, 'meshtoll_flow_pairs_limit')], [ROOM, ROOM])

    await topology.peer('p1a').sendUdp({ ...some, to: [{ first: '203.0.0.0', count: PAIRS }] })
    const again = await agents.atRest()
    t.equal(booked(again, 'posted'), 2 * ROOM * BYTES_OF_PAIR, 'the same pairs again: the ones with a place keep it')
    t.equal(booked(again, 'posted') + booked(again, 'overflow'), await truth.total())
  })
})
