import t from 'tap'
import { pairLimit, shardsFor } from '../../../src/sources/flows/sizing.js'

const GIB = 2 ** 30

t.test('as many pairs as a quarter of a percent of the memory holds, within bounds', async (t) => {
  const cases = [
    { name: 'a small machine', cpus: 1, memoryBytes: GIB / 2, limit: 16_384 },
    { name: '4 GiB', cpus: 2, memoryBytes: 4 * GIB, limit: 65_536 },
    { name: '16 GiB', cpus: 4, memoryBytes: 16 * GIB, limit: 262_144 },
    { name: 'many processors make a pair dear', cpus: 64, memoryBytes: 64 * GIB, limit: 131_072 },
    { name: 'a large machine', cpus: 192, memoryBytes: 2048 * GIB, limit: 262_144 },
  ]
  for (const { name, limit, ...machine } of cases) t.equal(pairLimit('auto', machine), limit, name)
  t.equal(pairLimit(64, { cpus: 64, memoryBytes: GIB }), 64, 'a number is taken as it is')
})

t.test('a small set stays whole', async (t) => {
  t.same([0, 10_000, 100_000].map(shardsFor), [1, 1, 16])
})
