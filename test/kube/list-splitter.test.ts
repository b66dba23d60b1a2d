import assert from 'node:assert/strict'
import t from 'tap'
import { createListSplitter, type ListMetadata } from '../../src/kube/list-splitter.js'
import { fc } from '../property.js'

interface Split {
  readonly items: unknown[]
  readonly metadata: ListMetadata
}

/** Cut at the given offsets. */
function split(text: string | Buffer, cuts: readonly number[] = []): Split {
  const bytes = Buffer.from(text)
  const items: unknown[] = []
  const splitter = createListSplitter((item) => items.push(item))
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (const [index, from] of edges.slice(0, -1).entries()) splitter.write(bytes.subarray(from, edges[index + 1]))
  return { items, metadata: splitter.end() }
}

/** JSON with spaces where they are allowed, in a pretty print of any width, or in none. */
const anyText = (value: unknown): fc.Arbitrary<string> => fc.constantFrom(0, 1, 4, '\t').map((space) => JSON.stringify(value, null, space))

const anyJson = fc.jsonValue({ maxDepth: 4, depthSize: 'medium' })
/** Names that could be taken for those of the list itself, and texts that look like structure. */
const nasty = fc.constantFrom('items', 'metadata', '"', '\\', '\\"', '{', '}', '[', ']', ',', ':', '\u2028', 'ü', '€', '😀', '\ud800', '')
const anyItem = fc.oneof(anyJson, fc.dictionary(fc.oneof(nasty, fc.string()), fc.oneof(nasty, anyJson)))
const anyMetadata = fc.record({ resourceVersion: nasty, continue: nasty, remainingItemCount: anyJson }, { requiredKeys: [] })

t.test('any list, cut anywhere, is what JSON.parse makes of it', async () => {
  const anyList = fc
    .record({
      items: fc.oneof(fc.array(anyItem), fc.constant(null)),
      metadata: anyMetadata,
      others: fc.dictionary(
        fc.oneof(nasty, fc.string()).filter((key) => key !== 'items' && key !== 'metadata'),
        anyItem,
      ),
      order: fc.nat(2),
    })
    .map(({ items, metadata, others, order }) => {
      const { __proto__: _, ...rest } = others
      if (order === 0) return { ...rest, metadata, items }
      return order === 1 ? { items, ...rest, metadata } : { metadata, items, ...rest }
    })
  const withText = anyList.chain((list) => fc.tuple(fc.constant(list), anyText(list), fc.array(fc.nat(), { maxLength: 30 })))
  fc.assert(
    fc.property(withText, ([, text, cuts]) => {
      const expected = JSON.parse(text) as { items: unknown[] | null; metadata: ListMetadata }
      const got = split(text, cuts)
      assert.equal(JSON.stringify(got.items), JSON.stringify(expected.items ?? []))
      assert.equal(JSON.stringify(got.metadata), JSON.stringify(expected.metadata))
    }),
    { numRuns: 300 },
  )
})

t.test('one byte at a time', async (t) => {
  const list = { kind: 'PodList', metadata: { resourceVersion: '7', continue: 'a"\\' }, items: [{ a: 'ü€😀' }, { b: ['}', '\\"'] }, []] }
  const text = JSON.stringify(list)
  const { items, metadata } = split(text, [...Buffer.from(text).keys()])
  t.strictSame(items, list.items)
  t.strictSame(metadata, list.metadata)
})

t.test('what the parts of a list may look like', async (t) => {
  const cases = [
    {
      name: 'metadata behind the items',
      text: '{"items":[1],"metadata":{"resourceVersion":"3"}}',
      items: [1],
      metadata: { resourceVersion: '3' },
    },
    { name: 'no items, written null', text: '{"items":null}', items: [], metadata: {} },
    { name: 'no items, and spaces', text: '{"items": [ \n ] }', items: [], metadata: {} },
    { name: 'escaped keys', text: '{"\\u0069tems":[{"a":1}]}', items: [{ a: 1 }], metadata: {} },
    {
      name: 'items and metadata deeper down',
      text: '{"x":{"items":[1],"metadata":{}},"items":[{"items":[2]}]}',
      items: [{ items: [2] }],
      metadata: {},
    },
    { name: 'metadata that is null', text: '{"metadata":null,"items":[]}', items: [], metadata: {} },
    { name: 'a value that is the word items', text: '{"kind":"items","items":[2]}', items: [2], metadata: {} },
    { name: 'a newline at the end', text: '{"items":[1]}\n', items: [1], metadata: {} },
  ]
  for (const { name, text, items, metadata } of cases) t.strictSame(split(text), { items, metadata }, name)
})

t.test('what is no whole list is refused, so that nothing is taken for removed', async (t) => {
  const cases = [
    { name: 'nothing', text: '', message: /ends in the middle/ },
    { name: 'text', text: 'upstream connect error', message: /ends in the middle/ },
    { name: 'a page', text: '<html>{}</html>', message: /no items/ },
    { name: 'an object', text: '{"kind":"Status","metadata":{}}', message: /no items/ },
    { name: 'an array', text: '[{"items":[]}]', message: /no object/ },
    { name: 'two lists', text: '{"items":[]}{"items":[]}', message: /more than one/ },
    { name: 'items that are an object', text: '{"items":{"a":1}}', message: /no array/ },
    { name: 'items that are a text', text: '{"items":"[]"}', message: /no array/ },
    { name: 'an item that is no JSON', text: '{"items":[{"a":}]}', message: /JSON/ },
    { name: 'a missing item', text: '{"items":[1,,2]}', message: /JSON/ },
    { name: 'a missing last item', text: '{"items":[1,]}', message: /JSON/ },
    { name: 'metadata that is no JSON', text: '{"metadata":{a},"items":[]}', message: /JSON/ },
    { name: 'a key without a value', text: '{"a","items":[]}', message: /without a value/ },
    { name: 'too many brackets', text: '{"items":[]}]', message: /brackets/ },
  ]
  for (const { name, text, message } of cases) t.throws(() => split(text), { message }, name)
  const whole = JSON.stringify({ kind: 'PodList', items: [{ a: '}' }, { b: 1 }], metadata: { resourceVersion: '1' } })
  for (let end = 0; end < whole.length; end++) t.throws(() => split(whole.slice(0, end)), `cut off behind ${end} bytes`)
})

t.test('a value without an end does not fill the memory', async (t) => {
  const splitter = createListSplitter(() => undefined)
  splitter.write(Buffer.from('{"items":["'))
  const piece = Buffer.alloc(1 << 20, 'x')
  t.throws(() => {
    for (let count = 0; count < 20; count++) splitter.write(piece)
  }, /more than 16777216 bytes/)
})

t.test('a list may be longer than any value of it', async (t) => {
  const item = JSON.stringify('x'.repeat(1 << 20))
  const list = Buffer.from(`{"items":[${Array.from({ length: 20 }, () => item).join()}]}`)
  const cuts = Array.from({ length: 200 }, (_, index) => index * 100_000)
  t.equal(split(list, cuts).items.length, 20)
})

t.test('elements under another key, of which none may be long', async (t) => {
  const shape = { items: 'clients', maxValueBytes: 100 }
  const split = (...pieces: string[]): unknown[] => {
    const items: unknown[] = []
    const splitter = createListSplitter((item) => items.push(item), shape)
    for (const piece of pieces) splitter.write(Buffer.from(piece))
    splitter.end()
    return items
  }
  t.same(split('{"totalClients":2,"items":[5],"clients":[{"a":1},{"b"', ':2}]}'), [{ a: 1 }, { b: 2 }])
  t.throws(() => split('{"items":[1]}'), { message: 'it has no items' })
  t.throws(() => split(`{"clients":["${'x'.repeat(101)}`, '"]}'), { message: 'a value of more than 100 bytes' })
})
