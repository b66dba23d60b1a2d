import t from 'tap'
import { agree } from '../../../src/sources/flows/closing.js'

const CALM = { elements: 3, repeated: 0, fresh: 0, shrunk: 0, bytes: 900 }

t.test('two dumps agree', async (t) => {
  const cases = [
    { name: 'the same keys and sum', before: CALM, after: CALM, agreed: true },
    { name: 'the first dump knew nothing of the keys yet', before: { ...CALM, fresh: 3 }, after: CALM, agreed: true },
    { name: 'other keys of the same sum', before: CALM, after: { ...CALM, fresh: 1 }, agreed: false },
    { name: 'a key less', before: CALM, after: { ...CALM, elements: 2 }, agreed: false },
    { name: 'a sum that grew', before: CALM, after: { ...CALM, bytes: 901 }, agreed: false },
    { name: 'both repeat a key', before: { ...CALM, repeated: 1 }, after: { ...CALM, repeated: 1 }, agreed: false },
    { name: 'the earlier repeats one and misses one', before: { ...CALM, repeated: 1 }, after: CALM, agreed: false },
  ]
  for (const { name, before, after, agreed } of cases) t.equal(agree([before], [after]), agreed, name)
  t.notOk(agree([CALM, CALM], [CALM, { ...CALM, fresh: 1 }]), 'transit counts as well')
})
