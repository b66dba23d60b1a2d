// Samples that were scraped become what promtool expands again.
import t from 'tap'
import { alignSamples, type Value, writeSeries } from '../scripts/promtool-series.js'
import { fc, runs } from './property.js'

t.test('writeSeries', async (t) => {
  const cases = [
    { name: 'nothing', values: [], text: '' },
    { name: 'one', values: [7], text: '7' },
    { name: 'the same again', values: [1, 1, 1], text: '1+0x2' },
    { name: 'steps', values: [4, 7, 10, 12], text: '4+3x2 12' },
    { name: 'steps down', values: [9, 7, 5], text: '9-2x2' },
    { name: 'steps that begin where others end', values: [1, 1, 1, 4, 7], text: '1+0x2 4 7' },
    { name: 'two are no steps', values: [1, 5, 2], text: '1 5 2' },
    { name: 'missed scrapes', values: [undefined, 1, undefined, undefined, 1], text: '_ 1 _x2 1' },
    { name: 'fractions, which added up would be others', values: [0.1, 0.2, 0.3, 0.3], text: '0.1 0.2 0.3+0x1' },
    { name: 'large numbers', values: [2 ** 52, 2 ** 52 + 1, 2 ** 52 + 2], text: '4503599627370496+1x2' },
  ]
  for (const { name, values, text } of cases) t.equal(writeSeries(values), text, name)
})

/** As promtool reads it. */
const expand = (text: string): readonly Value[] =>
  text.split(' ').flatMap((word): Value[] => {
    const [, missed] = /^_(?:x(\d+))?$/.exec(word) ?? []
    if (word.startsWith('_')) return Array.from({ length: Number(missed ?? 1) }, () => undefined)
    const [, from, step = '0', times = '0'] = /^(-?[^+x-]+)(?:([+-][^x]+)x(\d+))?$/.exec(word) ?? []
    return Array.from({ length: Number(times) + 1 }, (_, index) => Number(from) + index * Number(step))
  })

t.test('whatever was scraped comes out again', async () => {
  const value = fc.oneof(fc.constant(undefined), fc.nat({ max: 5 }), fc.nat(), fc.double({ min: 0, max: 10, noNaN: true }).map(Math.fround))
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      const plain = values.map((one) => (one !== undefined && /[e-]/.test(String(one)) ? 0 : one))
      t.same(expand(writeSeries(plain)), plain)
    }),
    { numRuns: runs(200) },
  )
})

t.test('alignSamples', async (t) => {
  const grid = { first: 1_000.25, interval: 30, count: 4 }
  const cases = [
    {
      name: 'each at its time',
      samples: [
        [1_000.25, '1'],
        [1_030.25, '2'],
        [1_060.25, '3'],
        [1_090.25, '4'],
      ],
      values: [1, 2, 3, 4],
    },
    {
      name: 'a little late',
      samples: [
        [1_000.25, '1'],
        [1_030.9, '2'],
      ],
      values: [1, 2, undefined, undefined],
    },
    { name: 'born later', samples: [[1_060.25, '3']], values: [undefined, undefined, 3, undefined] },
    {
      name: 'beyond the end',
      samples: [
        [1_090.25, '4'],
        [1_120.25, '5'],
      ],
      values: [undefined, undefined, undefined, 4],
    },
  ] as const
  for (const { name, samples, values } of cases) t.same(alignSamples(samples, grid), values, name)
})
