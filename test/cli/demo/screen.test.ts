import t from 'tap'
import { renderBooks } from '../../../src/cli/demo/books.js'
import { rowsOf } from '../../../src/cli/demo/rows.js'
import { renderFoot, renderScreen, type View } from '../../../src/cli/demo/screen.js'
import { paint, wrap } from '../../../src/cli/demo/style.js'
import { type Sample, snapshotOf } from './sample.js'

const WEB = 'us-east-1a/shop/Deployment/web'
const CART = 'us-east-1b/shop/Deployment/cart'
const BOOKS = { observed: 1_734_220_118, posted: 1_733_990_204, elsewhere: 229_914 }

function viewOf(sample: Sample): View {
  const agents = [snapshotOf(sample)]
  return {
    title: 'meshtoll demo  2 zones',
    seconds: 75.4,
    rows: rowsOf(agents, { since: [snapshotOf({})], until: agents }),
    agents,
    flowing: [38_000_000],
    postedPerSecond: 20_000_000,
    sentBytes: 1_734_190_204,
    addresses: [{ node: 'node-a', url: 'http://127.0.0.1:10042' }],
    taken: [],
  }
}

const FLOWS = [
  { from: WEB, to: CART, scope: 'cross_zone', bytes: 1_500_000_000 },
  { from: CART, to: WEB, scope: 'cross_zone', bytes: 233_990_204 },
]
const VIEW = viewOf({ second: 75, flows: FLOWS, books: BOOKS })

const textOf = (lines: readonly { readonly text: string }[]): string => `\n${lines.map(({ text }) => `${text.trimEnd()}\n`).join('')}`

t.test('the whole screen', async (t) => {
  t.equal(
    textOf(renderScreen(VIEW, { columns: 80, lines: 24 })),
    `
meshtoll demo  2 zones                                                      1:15

zones us-east-  owner pair      bytes       rate  scope       per month
1a -> 1b        web  -> cart  1.50 GB  20.0 MB/s  cross_zone    $ 1,037
1b -> 1a        cart -> web    234 MB  3.12 MB/s  cross_zone      $ 162
total                         1.73 GB  23.1 MB/s                $ 1,199

books  observed 1,734,220,118 = posted 1,733,990,204 + elsewhere 229,914
       + multicast 0, difference 0
sent   1,734,190,204 by the pods' interfaces,
       counted 1,733,990,204, read about 10 ms earlier

node-a  http://127.0.0.1:10042/  http://127.0.0.1:10042/metrics
Ctrl-C ends it and removes everything
`,
  )
})

t.test('sent beside counted', async (t) => {
  const cases = [
    { name: 'the same', view: { sentBytes: BOOKS.posted }, line: 'counted 1,733,990,204' },
    { name: 'counted before', view: {}, line: 'counted 1,733,990,204, read about 10 ms earlier' },
    { name: 'counted after', view: { sentBytes: BOOKS.posted - 2_000_000 }, line: 'counted 1,733,990,204, read about 100 ms later' },
    { name: 'by a packet', view: { sentBytes: BOOKS.posted + 1_500 }, line: 'counted 1,733,990,204, read about 1 ms earlier' },
    { name: 'long before', view: { sentBytes: BOOKS.posted + 25_000_000 }, line: 'counted 1,733,990,204, read about 1.3 s earlier' },
    { name: 'while nothing flows', view: { postedPerSecond: 0 }, line: 'counted 1,733,990,204, differs by 200,000' },
  ]
  for (const { name, view, line } of cases)
    t.ok(
      renderFoot({ ...VIEW, ...view }, 80)
        .at(-1)
        ?.text.endsWith(line),
      name,
    )
})

t.test('ports that are not free', async (t) => {
  const cases = [
    { name: 'one', taken: [10_042], line: 'port 10042 in use by another program: another is taken instead' },
    { name: 'two', taken: [10_042, 10_044], line: 'ports 10042, 10044 in use by another program: others are taken instead' },
  ]
  for (const { name, taken, line } of cases) {
    t.match(textOf(renderScreen({ ...VIEW, taken }, { columns: 80, lines: 24 })), `10042/metrics\n${line}\nCtrl-C`, name)
  }
})

t.test('it fits whatever the terminal is like', async (t) => {
  for (const columns of [60, 80, 100, 140]) {
    for (const lines of [5, 10, 24, 50]) {
      const drawn = renderScreen(VIEW, { columns, lines })
      t.ok(drawn.length <= lines && drawn.every(({ text }) => text.length <= columns), `${columns} x ${lines}`)
    }
  }
})

t.test('the books', async (t) => {
  const cases: readonly { name: string; books: Sample['books']; flowing?: readonly number[]; lines: readonly string[]; style: string }[] = [
    {
      name: 'at rest',
      books: BOOKS,
      lines: ['books  observed 1,734,220,118 = posted 1,733,990,204 + elsewhere 229,914 + multicast 0, difference 0'],
      style: 'plain',
    },
    {
      name: 'what is not 0 is said',
      books: { observed: 10, posted: 4, tunnel: 3, overflow: 2, pending: 1 },
      lines: ['books  observed 10 = posted 4 + elsewhere 0 + multicast 0 + tunnel 3 + overflow 2 + pending 1, difference 0'],
      style: 'plain',
    },
    {
      name: 'one byte off at rest',
      books: { observed: 11, posted: 10, difference: 1 },
      lines: ['books  observed 11 ~ posted 10 + elsewhere 0 + multicast 0, difference 1'],
      style: 'wrong',
    },
    {
      name: 'off while bytes flow, by no more than passes during a read',
      books: { observed: 1_000, posted: 1_200, difference: -200 },
      flowing: [1_000],
      lines: ['books  observed 1,000 ~ posted 1,200 + elsewhere 0 + multicast 0, differs by 200: the counters are read a moment apart'],
      style: 'plain',
    },
    {
      name: 'even while bytes flow',
      books: { observed: 1_000, posted: 1_000 },
      flowing: [1_000],
      lines: ['books  observed 1,000 = posted 1,000 + elsewhere 0 + multicast 0, difference 0'],
      style: 'plain',
    },
    {
      name: 'off while bytes flow, by more',
      books: { observed: 1_000, posted: 1_300, difference: -300 },
      flowing: [1_000],
      lines: ['books  observed 1,000 ~ posted 1,300 + elsewhere 0 + multicast 0, difference -300'],
      style: 'wrong',
    },
  ]
  for (const { name, books = {}, flowing, lines, style } of cases) {
    const drawn = renderBooks({ agents: [snapshotOf({ books })], ...(flowing ? { flowing } : {}) }, 120)
    t.same(
      drawn,
      lines.map((text) => ({ text, style })),
      name,
    )
  }
})

t.test('the differences of two nodes do not make up for each other', async (t) => {
  const agents = [snapshotOf({ books: { difference: 5 } }), snapshotOf({ books: { difference: -5 } })]
  t.match(renderBooks({ agents }, 120), [{ style: 'wrong' }])
})

t.test('long lines', async (t) => {
  const cases = [
    { name: 'it fits', parts: ['ab', ' cd'], columns: 5, lines: ['ab cd'] },
    { name: 'broken before a part, set in below', parts: ['ab', ' cd', ' ef'], columns: 5, lines: ['ab cd', '  ef'] },
    { name: 'a part that is too long by itself', parts: ['abcdefg'], columns: 5, lines: ['abcde'] },
  ]
  for (const { name, parts, columns, lines } of cases) t.same(wrap(parts, { columns, indent: 2 }), lines, name)
})

t.test('styles', async (t) => {
  t.equal(paint({ text: 'x', style: 'wrong' }, true), '\u001b[31;4mx\u001b[0m')
  t.equal(paint({ text: 'x', style: 'wrong' }, false), 'x')
  t.equal(paint({ text: 'x', style: 'plain' }, true), 'x')
})
