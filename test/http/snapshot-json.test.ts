import t from 'tap'
import { renderSnapshotJson } from '../../src/http/snapshot-json.js'
import type { Family } from '../../src/model.js'

const BOOKS = { observed: 1, posted: 1, elsewhere: 0, tunnel: 0, multicast: 0, overflow: 0, pending: 0 }
const STATUS = { ready: true, why: '', node: 'n1', sources: [] }

t.test('a histogram: infinity, which JSON has no number for, is left to the value', async (t) => {
  const family: Family = { name: 'x_debounce_seconds', kind: 'histogram', labels: [], help: 'Time.' }
  const buckets = [
    { le: 0.5, count: 2 },
    { le: Number.POSITIVE_INFINITY, count: 6 },
  ]
  const families = [{ family, series: [{ labels: {}, value: 6, sinceMs: 1, histogram: { sum: 4.25, buckets } }] }]
  const text = [...renderSnapshotJson({ version: '1', atMs: 0, books: BOOKS, families, status: STATUS })].join('')
  t.same(JSON.parse(text).series, { x_debounce_seconds: [{ labels: {}, value: 6, sum: 4.25, buckets: [{ le: 0.5, count: 2 }] }] })
})
