import t from 'tap'
import { createStamps, type StampPosition } from '../../../src/sources/container-logs/stamps.js'

const NOTHING: StampPosition = { secondMs: 0, nanos: 0, lines: 0 }
const SECOND_MS = Date.parse('2026-11-21T05:46:20Z')

/** Texts of the lines that were not read before. */
function newOf(lines: readonly string[], from: StampPosition): { readonly texts: readonly string[]; readonly position: StampPosition } {
  const stamps = createStamps(from)
  stamps.startOver()
  const texts = lines.flatMap((line) => {
    const bytes = Buffer.from(`before\n${line}\nbehind`)
    const start = stamps.take(bytes, 7, bytes.length - 7)
    return start < 0 ? [] : [bytes.toString('utf8', start, bytes.length - 7)]
  })
  return { texts, position: stamps.position }
}

t.test('lines with a time', async (t) => {
  const first = '2026-11-21T05:46:20.275502123Z a'
  const at = (nanos: number, lines: number): StampPosition => ({ secondMs: SECOND_MS, nanos, lines })
  const cases = [
    { name: 'a line', lines: [first], from: NOTHING, is: ['a'], position: at(275_502_123, 1) },
    { name: 'one without text', lines: ['2026-11-21T05:46:20.275502123Z '], from: NOTHING, is: [''], position: at(275_502_123, 1) },
    { name: 'one that was read', lines: [first], from: at(275_502_123, 1), is: [], position: at(275_502_123, 1) },
    { name: 'the second of the same time', lines: [first, first], from: at(275_502_123, 1), is: ['a'], position: at(275_502_123, 2) },
    {
      name: 'a later one by an earlier time',
      lines: [first, '2026-11-21T05:46:20.000000001Z b'],
      from: at(275_502_123, 1),
      is: ['b'],
      position: at(275_502_123, 2),
    },
    {
      name: 'what was read is rotated away',
      lines: ['2026-11-21T05:46:20.275502124Z b', '2026-11-21T05:46:20.275502125Z c'],
      from: at(275_502_123, 7),
      is: ['b', 'c'],
      position: at(275_502_125, 9),
    },
    {
      name: 'the next second',
      lines: [first, '2026-11-21T05:46:21.1Z b'],
      from: at(275_502_123, 1),
      is: ['b'],
      position: { secondMs: SECOND_MS + 1_000, nanos: 1e8, lines: 1 },
    },
    {
      name: 'of the second before',
      lines: ['2026-11-21T05:46:19.9Z z', first],
      from: at(275_502_123, 1),
      is: [],
      position: at(275_502_123, 1),
    },
    { name: 'of another zone', lines: ['2026-11-21T07:46:20.275502123+02:00 a'], from: at(0, 0), is: ['a'], position: at(275_502_123, 1) },
    { name: 'without a fraction', lines: ['2026-11-21T05:46:20Z a'], from: NOTHING, is: ['a'], position: at(0, 1) },
    { name: 'the rest of a line', lines: ['and so on, and so on, and so on', '', 'x'], from: at(1, 1), is: [], position: at(1, 1) },
  ]
  for (const { name, lines, from, is, position } of cases) t.same(newOf(lines, from), { texts: is, position }, name)
})
