import t from 'tap'
import { createRooms } from '../../../src/sources/envoy/rooms.js'

t.test('each has its share of what a node keeps, and more while the others need less', async (t) => {
  const rooms = createRooms()
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`)
  t.equal(rooms.of('p0'), 5_000, 'no more than any proxy has')
  for (const name of names) rooms.take(name, 100)
  t.equal(rooms.of('p0'), 5_000)
  for (const name of names.slice(0, 10)) rooms.take(name, rooms.of(name))
  t.equal(rooms.of('p10'), 1_000, 'its share, though the others left less')
  for (let round = 0; round < 2; round++) for (const name of names) rooms.take(name, rooms.of(name))
  t.equal(
    names.reduce((sum, name) => sum + rooms.of(name), 0),
    50_000,
    'where all are out for more, each has its share',
  )
  rooms.keep(new Set(['p49']))
  t.equal(rooms.of('p49'), 5_000, 'what is gone is free')
})
