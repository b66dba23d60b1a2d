import t from 'tap'
import { createDraft } from '../../../src/exporters/datadog/draft.js'
import { createSeriesBook } from '../../../src/exporters/datadog/series.js'
import { sumOf } from '../../../src/exporters/datadog/windows.js'

function bookOf(ids: readonly number[]) {
  const book = createSeriesBook()
  for (const id of ids) book.add({ id, metric: 'm', kind: id % 10 === 9 ? 'level' : 'bytes' }, book.numbersOf([`"a":${id}`]))
  return book
}

t.test('points are in the order of their ids, and what is sent under the same tags is one', async (t) => {
  const draft = createDraft(bookOf([1, 3, 9]))
  draft.fresh.add({ id: 12, metric: 'm', kind: 'peak' }, draft.fresh.numbersOf(['"a":12']))
  draft.put(12, 5, 'peak')
  draft.put(9, 7, 'level')
  draft.put(1, 100, 'bytes')
  draft.put(12, 4, 'peak')
  draft.put(9, 6, 'level')
  draft.put(1, 11, 'bytes')
  const { ids, values } = draft.points()
  t.same(
    [[...ids], [...values]],
    [
      [1, 9, 12],
      [111, 6, 5],
    ],
  )
})

t.test('two windows are one', async (t) => {
  const window = (fromMs: number, points: readonly (readonly [number, number])[]) => ({
    fromMs,
    toMs: fromMs + 10,
    ids: Float64Array.from(points, ([id]) => id),
    values: Float64Array.from(points, ([, value]) => value),
  })
  const cases = [
    {
      name: 'no point in common',
      one: [[1, 5]],
      next: [[3, 6]],
      sum: [
        [1, 5],
        [3, 6],
      ],
    },
    {
      name: 'all in common',
      one: [
        [1, 5],
        [9, 8],
      ],
      next: [
        [1, 6],
        [9, 7],
      ],
      sum: [
        [1, 11],
        [9, 7],
      ],
    },
    { name: 'nothing in the first', one: [], next: [[3, 6]], sum: [[3, 6]] },
    { name: 'nothing in the second', one: [[3, 6]], next: [], sum: [[3, 6]] },
  ] as const
  for (const { name, one, next, sum } of cases) {
    const { ids, values, ...times } = sumOf(window(0, one), window(10, next), { series: bookOf([1, 3, 9]) })
    t.same([Array.from(ids, (id, at) => [id, values[at]]), times], [sum, { fromMs: 0, toMs: 20 }], name)
  }
})
