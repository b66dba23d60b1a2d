import t from 'tap'
import { shortened } from '../../../src/cli/demo/names.js'
import { type Row, rowsOf } from '../../../src/cli/demo/rows.js'
import { renderTable } from '../../../src/cli/demo/table.js'
import { type Flow, snapshotOf } from './sample.js'

const ISTIOD = 'us-east-1a/istio-system/Deployment/istiod'
const CHECKOUT = 'us-east-1b/shop/Deployment/checkout'
const RECOMMENDATIONS = 'us-east-1b/shop/Deployment/recommendations'
const CART = 'us-east-1a/shop/Deployment/cart'
const STOCK = 'us-east-1c/shop/StatefulSet/stock'
const PAYMENTS = '//Service/payments.example.com'
const LOST = '_unknown/_unknown/_unknown/_unknown'

const FLOWS: readonly Flow[] = [
  { from: ISTIOD, to: RECOMMENDATIONS, scope: 'cross_zone', bytes: 1_420_000_000 },
  { from: ISTIOD, to: CHECKOUT, scope: 'cross_zone', bytes: 905_000_000 },
  { from: ISTIOD, to: CART, scope: 'same_zone', bytes: 310_000_000 },
  { from: CHECKOUT, to: PAYMENTS, scope: 'to_external', bytes: 9_870_000 },
  { from: PAYMENTS, to: CHECKOUT, scope: 'from_external', bytes: 654_321 },
  { from: STOCK, to: CART, scope: 'cross_zone', bytes: 4_096 },
  { from: LOST, to: STOCK, scope: 'unknown', bytes: 999 },
]

/** Over two minutes. */
function rowsFor(flows: readonly Flow[]): readonly Row[] {
  const agents = [snapshotOf({ second: 120, flows })]
  return rowsOf(agents, { since: [snapshotOf({ second: 0 })], until: agents })
}

const textOf = (rows: readonly Row[], columns: number, lines = 24): string =>
  `\n${renderTable(rows, { columns, lines })
    .map(({ text }) => `${text}\n`)
    .join('')}`

t.test('as wide as the terminal allows', async (t) => {
  const cases = [
    {
      name: '140 columns: everything in full',
      columns: 140,
      text: `
zone pair                 owner pair                                                           bytes       rate  scope          per month
us-east-1a -> us-east-1b  istio-system/Deployment/istiod -> shop/Deployment/recommendations  1.42 GB  11.8 MB/s  cross_zone         $ 613
us-east-1a -> us-east-1b  istio-system/Deployment/istiod -> shop/Deployment/checkout          905 MB  7.54 MB/s  cross_zone         $ 391
us-east-1b -> outside     shop/Deployment/checkout       -> Service/payments.example.com     9.87 MB  82.3 kB/s  to_external         $ 19
us-east-1c -> us-east-1a  shop/StatefulSet/stock         -> shop/Deployment/cart             4.10 kB     34 B/s  cross_zone         < $ 1
us-east-1a -> us-east-1a  istio-system/Deployment/istiod -> shop/Deployment/cart              310 MB  2.58 MB/s  same_zone              -
outside -> us-east-1b     Service/payments.example.com   -> shop/Deployment/checkout          654 kB  5.45 kB/s  from_external          -
_unknown -> us-east-1c    _unknown                       -> shop/StatefulSet/stock             999 B      8 B/s  unknown                ?
total                                                                                        2.65 GB  22.0 MB/s                   $ 1,024
`,
    },
    {
      name: '120 columns: owners without their kind',
      columns: 120,
      text: `
zone pair                 owner pair                                      bytes       rate  scope          per month
us-east-1a -> us-east-1b  istio-system/istiod  -> shop/recommendations  1.42 GB  11.8 MB/s  cross_zone         $ 613
us-east-1a -> us-east-1b  istio-system/istiod  -> shop/checkout          905 MB  7.54 MB/s  cross_zone         $ 391
us-east-1b -> outside     shop/checkout        -> payments.example.com  9.87 MB  82.3 kB/s  to_external         $ 19
us-east-1c -> us-east-1a  shop/stock           -> shop/cart             4.10 kB     34 B/s  cross_zone         < $ 1
us-east-1a -> us-east-1a  istio-system/istiod  -> shop/cart              310 MB  2.58 MB/s  same_zone              -
outside -> us-east-1b     payments.example.com -> shop/checkout          654 kB  5.45 kB/s  from_external          -
_unknown -> us-east-1c    _unknown             -> shop/stock              999 B      8 B/s  unknown                ?
total                                                                   2.65 GB  22.0 MB/s                   $ 1,024
`,
    },
    {
      name: '80 columns: names alone, zones without what they share',
      columns: 80,
      text: `
zones us-east- owner pair                bytes      rate scope         per month
1a -> 1b       istiod -> recomm…ations 1.42 GB 11.8 MB/s cross_zone        $ 613
1a -> 1b       istiod -> checkout       905 MB 7.54 MB/s cross_zone        $ 391
1b -> outside  checkout -> payme…e.com 9.87 MB 82.3 kB/s to_external        $ 19
1c -> 1a       stock -> cart           4.10 kB    34 B/s cross_zone        < $ 1
1a -> 1a       istiod -> cart           310 MB 2.58 MB/s same_zone             -
outside -> 1b  payme…e.com -> checkout  654 kB 5.45 kB/s from_external         -
_unknown -> 1c _unknown -> stock         999 B     8 B/s unknown               ?
total                                  2.65 GB 22.0 MB/s                 $ 1,024
`,
    },
    {
      name: '60 columns: no scope, names shortened',
      columns: 60,
      text: `
zones us-east- owner pair          bytes      rate per month
1a -> 1b       istiod -> rec…ons 1.42 GB 11.8 MB/s     $ 613
1a -> 1b       istiod -> che…out  905 MB 7.54 MB/s     $ 391
1b -> outside  che…ut -> pay…com 9.87 MB 82.3 kB/s      $ 19
1c -> 1a       stock -> cart     4.10 kB    34 B/s     < $ 1
1a -> 1a       istiod -> cart     310 MB 2.58 MB/s         -
outside -> 1b  pay…om -> che…out  654 kB 5.45 kB/s         -
_unknown -> 1c _unknown -> stock   999 B     8 B/s         ?
total                            2.65 GB 22.0 MB/s   $ 1,024
`,
    },
  ]
  for (const { name, columns, text } of cases) t.equal(textOf(rowsFor(FLOWS), columns), text, name)
})

t.test('what does not fit is added up', async (t) => {
  t.equal(
    textOf(rowsFor(FLOWS), 80, 6),
    `
zones us-east- owner pair                  bytes      rate scope       per month
1a -> 1b       istiod -> recommendations 1.42 GB 11.8 MB/s cross_zone      $ 613
1a -> 1b       istiod -> checkout         905 MB 7.54 MB/s cross_zone      $ 391
1b -> outside  checkout -> paymen…le.com 9.87 MB 82.3 kB/s to_external      $ 19
               4 more                     311 MB 2.59 MB/s                 < $ 1
total                                    2.65 GB 22.0 MB/s               $ 1,024
`,
  )
})

t.test('nothing is ever wider than the terminal, and numbers are whole', async (t) => {
  const rows = rowsFor(FLOWS)
  for (let columns = 50; columns <= 200; columns++) {
    const lines = renderTable(rows, { columns, lines: 24 })
    t.ok(
      lines.every(({ text }) => text.length <= columns),
      `${columns} columns`,
    )
    t.match(lines[1]?.text, /1\.42 GB +11\.8 MB\/s( +cross_zone)? +\$ 613$/)
  }
})

t.test('never more lines than there is room for', async (t) => {
  for (let lines = 4; lines <= 12; lines++) t.equal(renderTable(rowsFor(FLOWS), { columns: 80, lines }).length, Math.min(lines, 9))
})

t.test('owners of one name in two namespaces keep their namespace', async (t) => {
  const flows = [{ from: 'us-east-1a/shop/Deployment/web', to: 'us-east-1b/blog/Deployment/web', scope: 'cross_zone', bytes: 1_000 }]
  t.match(textOf(rowsFor(flows), 80), /shop\/web -> blog\/web/)
})

t.test('a name shortened in the middle', async (t) => {
  const cases = [
    { name: 'it fits', width: 13, text: 'orders-db.com' },
    { name: 'one too long', width: 12, text: 'orders…b.com' },
    { name: 'the ellipsis alone', width: 1, text: '…' },
  ]
  for (const { name, width, text } of cases) t.equal(shortened('orders-db.com', width), text, name)
})
