import t from 'tap'
import { createJsonWalk } from '../../src/formats/json-walk.js'
import { fc, runs } from '../property.js'

interface Given {
  readonly pieces?: number
  readonly enters?: (path: readonly string[]) => boolean
}

/** All texts, each with where it is. */
function walked(text: string, { pieces = Number.POSITIVE_INFINITY, enters = () => true }: Given = {}): string[] {
  const found: string[] = []
  const walk = createJsonWalk({
    enters,
    wants: () => true,
    take: (path, value) => void found.push(`${path.join('/')} ${value}`),
    leave: (path) => void found.push(`${path.join('/')} ends`),
  })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieces) walk.write(bytes.subarray(at, at + pieces))
  walk.end()
  return found
}

/** The same by the parser that there is. */
function leavesOf(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [`${path.join('/')} ${value}`]
  const parts = Array.isArray(value) ? value.map((one) => ['', one] as const) : Object.entries(value)
  return [...parts.flatMap(([key, one]) => leavesOf(one, [...path, key])), `${path.join('/')} ends`]
}

t.test('as JSON.parse finds it, wherever pieces end', async (t) => {
  const container = fc.anything({
    maxDepth: 4,
    key: fc.string({ maxLength: 20 }),
    values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
  })
  fc.assert(
    fc.property(fc.array(container), fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 1), (value, pieces, indent) => {
      const text = JSON.stringify(value, undefined, indent)
      t.strictSame(walked(text, { pieces }), leavesOf(JSON.parse(text)))
    }),
    { numRuns: runs(200) },
  )
})

t.test('what is passed over', async (t) => {
  const text = '{"a":{"b":["]","\\"}",{"c":1}]},"d":[{"e":2}],"f":"é\\u00e9"}'
  const wanted = ['d//e 2', 'd/ ends', 'd ends', 'f éé', ' ends']
  for (const pieces of [1, 3, 100]) t.same(walked(text, { pieces, enters: (path) => path[0] !== 'a' }), wanted)
})

t.test('a text that is too long is none, in one piece or many', async (t) => {
  for (const pieces of [10, 1_024, 10_000]) {
    const long = `{"a":"${'x'.repeat(1_025)}","b":"${'y'.repeat(1_024)}"}`
    t.same(walked(long, { pieces }), ['a ', `b ${'y'.repeat(1_024)}`, ' ends'])
  }
})

t.test('what is no JSON', async (t) => {
  const cases = [
    { text: '<html>', says: 'it is no JSON' },
    { text: '{a:1}', says: 'it is no JSON' },
    { text: '{"a":[1}', says: 'brackets do not match' },
    { text: '{} {}', says: 'more than one value' },
    { text: '{"a":1', says: 'it ends in the middle' },
    { text: '', says: 'it ends in the middle' },
    { text: '['.repeat(65), says: 'deeper than 64' },
  ]
  for (const { text, says } of cases) t.throws(() => walked(text), { message: says }, text)
})
