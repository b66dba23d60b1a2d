import t from 'tap'
import { createBits } from '../../src/directory/bits.js'
import { fc } from '../property.js'

const id = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 100_000 }))
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), id }),
  fc.record({ kind: fc.constant('delete' as const), id }),
  fc.record({ kind: fc.constant('some' as const), id }),
  fc.record({ kind: fc.constant('take' as const), id: fc.integer({ min: 0, max: 40 }) }),
)

t.test('as a Set of numbers in order', async (t) => {
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const bits = createBits()
    const set = new Set<number>()
    const inOrder = (): number[] => [...set].sort((a, b) => a - b)
    for (const { kind, id: given } of steps) {
      if (kind === 'add') {
        if (bits.add(given) === set.has(given)) return false
        set.add(given)
      }
      if (kind === 'delete' && bits.delete(given) !== set.delete(given)) return false
      if (kind === 'some') {
        const wanted = inOrder()
          .filter((one) => one >= given)
          .slice(0, 10)
        if (JSON.stringify(bits.some(given, 10)) !== JSON.stringify(wanted)) return false
      }
      if (kind === 'take') {
        const wanted = inOrder().slice(0, given)
        if (JSON.stringify(bits.take(given)) !== JSON.stringify(wanted)) return false
        for (const one of wanted) set.delete(one)
      }
      if (bits.count() !== set.size || bits.has(given) !== set.has(given)) return false
    }
    return JSON.stringify(bits.some(0, Number.POSITIVE_INFINITY)) === JSON.stringify(inOrder())
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})

t.test('all at once', async (t) => {
  const bits = createBits()
  for (const one of [31, 32, 63, 4_000, 0]) bits.add(one)
  t.same(bits.take(Number.POSITIVE_INFINITY), [0, 31, 32, 63, 4_000])
  t.equal(bits.count(), 0)
  bits.add(5)
  t.same(bits.some(0, Number.POSITIVE_INFINITY), [5], 'one that comes before where it had come to')
})
