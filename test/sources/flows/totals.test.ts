import t from 'tap'
import { createPairs } from '../../../src/sources/flows/pairs.js'
import { createTotals, type Totals } from '../../../src/sources/flows/totals.js'

function twoPairs() {
  const pairs = createPairs(1)
  const [a, b] = [1, 2].map((last) => pairs.intern(Buffer.from([10, 0, 0, last, 10, 0, 0, 9]), 0, 8)) as [number, number]
  return { pairs, totals: createTotals(pairs), a, b }
}

const valuesOf = ({ column: { count, pair, bytes } }: Totals): unknown =>
  Array.from({ length: count }, (_, index) => [pair[index], bytes[index]])

t.test('a value never falls, and what a dump missed keeps its value', async (t) => {
  const { totals, a, b } = twoPairs()
  totals.raise(a, 100, 1)
  totals.raise(b, 50, 1)
  totals.raise(a, 90, 2)
  t.same(valuesOf(totals), [
    [a, 100],
    [b, 50],
  ])
})

t.test('a dump is told from the one before', async (t) => {
  const { totals, a, b } = twoPairs()
  const dump = (number: number, ...elements: readonly (readonly [number, number])[]) => {
    for (const [pair, bytes] of elements) totals.raise(pair, bytes, number)
    return { ...totals.countOf(number) }
  }
  t.same(dump(1, [a, 100], [b, 50]), { elements: 2, repeated: 0, fresh: 2, shrunk: 0, bytes: 150 }, 'the first')
  t.same(dump(2, [a, 100], [b, 50]), { elements: 2, repeated: 0, fresh: 0, shrunk: 0, bytes: 150 }, 'the same again')
  t.same(dump(3, [a, 100], [a, 100]), { elements: 2, repeated: 1, fresh: 0, shrunk: 0, bytes: 200 }, 'one repeated, one missing')
  t.same(dump(4, [a, 100], [b, 50]), { elements: 2, repeated: 0, fresh: 1, shrunk: 0, bytes: 150 }, 'the missing one is back')
  t.same(dump(5), { elements: 0, repeated: 0, fresh: 0, shrunk: 0, bytes: 0 }, 'nothing')
  t.same(dump(6, [b, 40]), { elements: 1, repeated: 0, fresh: 1, shrunk: 1, bytes: 40 }, 'less than there was')
})

t.test('pairs are let go with their totals', async (t) => {
  const { pairs, totals, a } = twoPairs()
  totals.raise(a, 1, 1)
  totals.drop()
  t.equal(totals.column.count, 0)
  t.equal(pairs.intern(Buffer.from([9, 9, 9, 9, 8, 8, 8, 8]), 0, 8), a, 'the number is free')
})
