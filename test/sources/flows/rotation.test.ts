import t from 'tap'
import { isDue, type Rotating } from '../../../src/sources/flows/rotation.js'

const QUIET: Rotating = {
  requested: false,
  ageMs: 61_000,
  everyMs: 86_400_000,
  fill: { pairs: 10, share: 0.1 },
  shards: 1,
  waiting: 0,
}

t.test('a generation makes way', async (t) => {
  const many = { pairs: 50_000, share: 0.2 }
  const full = { pairs: 600, share: 0.6 }
  const cases: { name: string; of: Partial<Rotating>; due: boolean }[] = [
    { name: 'not without a reason', of: {}, due: false },
    { name: 'when asked', of: { requested: true, ageMs: 0 }, due: true },
    { name: 'once a day', of: { ageMs: 86_400_000 }, due: true },
    { name: 'when a set is half full', of: { fill: full }, due: true },
    { name: 'half full, but not twice a minute', of: { fill: full, ageMs: 59_000 }, due: false },
    { name: 'when one set is too slow to read', of: { fill: many }, due: true },
    { name: 'not again for as many in sixteen', of: { fill: many, shards: 16 }, due: false },
    { name: 'not while others wait to be written down', of: { requested: true, waiting: 4 }, due: false },
  ]
  for (const { name, of, due } of cases) t.equal(isDue({ ...QUIET, ...of }), due, name)
})
