// A book of series is a map of them, in less room.
import t from 'tap'
import { createMarks, createMoved } from '../../../src/exporters/datadog/marks.js'
import { createSeriesBook, type Kind, piecesOf, type SentSeries, type SeriesBook } from '../../../src/exporters/datadog/series.js'
import { fc, runs } from '../../property.js'

const KINDS: readonly Kind[] = ['bytes', 'count', 'level', 'peak']

/** Few pieces, so that texts share them, and end in the middle of each other. */
const text = fc
  .array(fc.constantFrom('a', 'b', '"m":1', ',', '"', 'é', ''), { minLength: 1, maxLength: 6 })
  .map((pieces) => pieces.join(',"'))
const series = fc.record({ text, skip: fc.integer({ min: 1, max: 3 }), kind: fc.constantFrom(...KINDS), metric: fc.constantFrom('a', 'm') })

function bookOf(rows: readonly SentSeries[]): SeriesBook {
  const book = createSeriesBook()
  for (const row of rows) book.add(row, book.numbersOf(piecesOf(row.text)))
  return book
}

function toEnd<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

function holds(book: SeriesBook, rows: readonly SentSeries[]): boolean {
  const byText = new Map(rows.map((row) => [row.text, row.id]))
  return (
    JSON.stringify([...book]) === JSON.stringify(rows) &&
    rows.every((row, at) => book.rowOf(row.id) === at && book.idAt(at) === row.id && book.kindOf(row.id) === row.kind) &&
    rows
      .toReversed()
      .every(
        (row) =>
          JSON.stringify(book.get(row.id)) === JSON.stringify(row) &&
          book.find(book.numbersOf(piecesOf(row.text))) === byText.get(row.text),
      ) &&
    book.size === rows.length
  )
}

t.test('any series: each is found by its id and by its text, in a part of the book too', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(series, { selector: (one) => one.text, maxLength: 300 }), fc.func(fc.boolean()), (given, isWanted) => {
      let id = 0
      const rows = given.map(({ text, skip, kind, metric }) => {
        id += skip
        return { id, metric, kind, text }
      })
      const book = bookOf(rows)
      const wanted = rows.filter((row) => isWanted(row.id))
      const part = toEnd(book.only((row) => isWanted(book.idAt(row))))
      const absent = [0, id + 1, 0.5].every(
        (other) => !book.has(other) && book.get(other) === undefined && book.kindOf(other) === undefined,
      )
      return holds(book, rows) && holds(part, wanted) && absent && book.find(book.numbersOf(['no such text'])) === undefined
    }),
    { numRuns: runs(200) },
  )
})

t.test('those of a book beside it are added, also once it was made anew', async (t) => {
  const rowOf = (id: number) => ({ id, metric: `m${id % 3}`, kind: 'bytes' as const, text: `"a":${id},"b":${id % 7}` })
  const [known, later] = [Array.from({ length: 100 }, (_, i) => rowOf(i + 1)), Array.from({ length: 100 }, (_, i) => rowOf(i + 101))]
  const book = bookOf(known)
  const beside = book.beside()
  for (const row of later) beside.add(row, beside.numbersOf(piecesOf(row.text)))
  const anew = toEnd(book.only((row) => row >= 50))
  for (const one of [book, anew]) toEnd(one.addAll(beside))
  t.ok(holds(book, [...known, ...later]))
  t.ok(holds(anew, [...known.slice(50), ...later]))
})

t.test('more than there is room for at first', async (t) => {
  const rows = Array.from({ length: 5_000 }, (_, i) => ({
    id: i * 2 + 1,
    metric: 'm',
    kind: 'bytes' as const,
    text: `"a":${i % 7},"b":${i}`,
  }))
  t.ok(holds(bookOf(rows), rows))
})

t.test('marks: what was deleted leaves its place to others', async (t) => {
  const marks = createMarks()
  for (let i = 0; i < 1_000; i++) marks.set(`k${i}`, { value: i, sinceMs: i + 0.5 })
  for (let i = 0; i < 1_000; i += 2) marks.delete(`k${i}`)
  marks.delete('never there')
  for (let i = 0; i < 500; i++) marks.set(`l${i}`, { value: -i, sinceMs: 0 })
  t.equal(marks.places, 1_000, 'no more places than there were marks at once')
  t.equal(marks.size, 1_000)
  t.same([marks.get('k0'), marks.get('k1'), marks.get('l499')], [undefined, { value: 1, sinceMs: 1.5 }, { value: -499, sinceMs: 0 }])
  t.equal(new Set([...marks.keys()].map(marks.placeOf)).size, 1_000, 'each has a place of its own')
  t.same(new Map([...marks].map(([key, value]) => [key, value])).get('k999'), 999)
})

t.test('what moved is forgotten when it is cleared', async (t) => {
  const moved = createMoved()
  for (let i = 0; i < 1_000; i++) moved.add(`k${i}`, { value: i, sinceMs: 1 }, { came: i, target: undefined })
  t.same([...moved].at(-1), ['k999', 999, 1, 999, undefined])
  moved.clear()
  t.same([...moved], [])
  moved.add('a', { value: 7, sinceMs: 2 }, { came: 3, target: undefined })
  t.same([...moved], [['a', 7, 2, 3, undefined]])
})
