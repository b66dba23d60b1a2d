import t from 'tap'
import { quantityOf } from '../../src/formats/quantity.js'

t.test('quantityOf', async (t) => {
  const cases: readonly (readonly [unknown, number | undefined])[] = [
    ['100m', 0.1],
    ['10m', 0.01],
    ['1', 1],
    ['0', 0],
    ['+1.5', 1.5],
    ['.5', 0.5],
    ['2.', 2],
    [2, 2],
    ['250u', 0.00025],
    ['100n', 1e-7],
    ['128Mi', 134_217_728],
    ['1.5Gi', 1_610_612_736],
    ['1G', 1_000_000_000],
    ['64k', 64_000],
    ['5e8', 500_000_000],
    ['1E', 1e18],
    ['1E3', 1000],
    ['2Ki', 2048],
    ['-1', undefined],
    [-1, undefined],
    ['', undefined],
    ['Mi', undefined],
    ['1 Gi', undefined],
    ['1K', undefined],
    ['1gi', undefined],
    [null, undefined],
    [Number.NaN, undefined],
  ]
  for (const [text, value] of cases) t.equal(quantityOf(text), value, String(text))
})
