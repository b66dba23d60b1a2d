import * as zlib from 'node:zlib'
import { inflateSync } from 'node:zlib'
import t from 'tap'
import { encodingHere, renderBody } from '../../../src/exporters/datadog/body.js'
import { createSeriesBook, piecesOf, type SeriesBook } from '../../../src/exporters/datadog/series.js'
import type { Batch } from '../../../src/exporters/datadog/state.js'

const STAMP = 1_763_688_000

function batchOf(texts: readonly string[]): { state: { series: SeriesBook }; batch: Batch } {
  const series = createSeriesBook()
  for (const [id, text] of texts.entries()) series.add({ id, metric: 'm', kind: 'bytes' }, series.numbersOf(piecesOf(text)))
  const ids = Float64Array.from(texts.keys())
  return { state: { series }, batch: { fromMs: 0, toMs: 0, ids, values: ids.map((id) => id + 1), stamp: STAMP, interval: 30, done: 0 } }
}

const textOf = (i: number, filler = ''): string => `"metric":"m","type":1,"tags":["i:${i}${filler}"]`
const deflate = { from: 0, encoding: 'deflate' } as const
const parse = (bytes: Buffer): { series: readonly { tags: readonly string[] }[] } => JSON.parse(inflateSync(bytes).toString())

t.test('a point', async (t) => {
  const { state, batch } = batchOf([textOf(0)])
  const { bytes, to } = await renderBody(state, batch, deflate)
  t.equal(to, 1)
  t.same(parse(bytes), { series: [{ metric: 'm', type: 1, tags: ['i:0'], interval: 30, points: [{ timestamp: STAMP, value: 1 }] }] })
})

t.test('cut where the intake would not take more', async (t) => {
  const random = (length: number): string => Array.from({ length }, () => Math.random().toString(36).slice(2, 12)).join('')
  const cases = [
    { name: 'points', texts: Array.from({ length: 10_001 }, (_, i) => textOf(i)), parts: 2 },
    { name: 'bytes', texts: Array.from({ length: 9_999 }, (_, i) => textOf(i, 'x'.repeat(800))), parts: 3 },
    { name: 'compressed bytes', texts: Array.from({ length: 2_000 }, (_, i) => textOf(i, random(50))), parts: 2 },
  ]
  for (const { name, texts, parts } of cases) {
    const { state, batch } = batchOf(texts)
    const tags: string[] = []
    let count = 0
    for (let from = 0; from < texts.length; count++) {
      const { bytes, to } = await renderBody(state, batch, { ...deflate, from })
      const { series } = parse(bytes)
      t.ok(bytes.length <= 500_000 && inflateSync(bytes).length <= 4_700_000 && series.length <= 10_000, `${name}: ${bytes.length} bytes`)
      t.equal(series.length, to - from)
      for (const one of series) tags.push(...one.tags)
      from = to
    }
    t.equal(count, parts, name)
    t.equal(new Set(tags).size, texts.length, 'all, each once')
  }
})

t.test('at most as many as asked for', async (t) => {
  const { state, batch } = batchOf([0, 1, 2, 3].map((i) => textOf(i)))
  t.equal((await renderBody(state, batch, { from: 1, maxPoints: 2, encoding: 'deflate' })).to, 3)
})

t.test('zstd where Node has it', async (t) => {
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer }
  t.equal(encodingHere, zstdDecompressSync ? 'zstd' : 'deflate')
  if (!zstdDecompressSync) return
  const { state, batch } = batchOf([textOf(0)])
  t.equal(JSON.parse(zstdDecompressSync((await renderBody(state, batch, { from: 0, encoding: 'zstd' })).bytes).toString()).series.length, 1)
})
