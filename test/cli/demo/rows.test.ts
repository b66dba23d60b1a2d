import t from 'tap'
import { dollarsPerMonth, type Row, rowsOf } from '../../../src/cli/demo/rows.js'
import { type Sample, snapshotOf } from './sample.js'

const WEB = 'z1/shop/Deployment/web'
const CART = 'z2/shop/Deployment/cart'
const DATABASE = 'z2//Database/orders'
const across = (bytes: number) => ({ from: WEB, to: CART, scope: 'cross_zone', bytes })
const back = (bytes: number) => ({ from: CART, to: WEB, scope: 'cross_zone', bytes })
const within = (bytes: number) => ({ from: CART, to: DATABASE, scope: 'same_zone', bytes })

const shown = ({ from, to, bytes, bytesPerSecond }: Row): string => `${from.name} -> ${to.name} ${bytes} B ${bytesPerSecond} B/s`

t.test('rows', async (t) => {
  const cases: readonly { name: string; since?: readonly Sample[]; until: readonly Sample[]; rows: readonly string[] }[] = [
    { name: 'nothing served', until: [{}], rows: [] },
    { name: 'a pair that has not sent yet', until: [{ flows: [across(0)] }], rows: [] },
    {
      name: 'what costs comes before what is larger',
      until: [{ flows: [within(9_000), across(10), back(20)] }],
      rows: ['cart -> web 20 B 0 B/s', 'web -> cart 10 B 0 B/s', 'cart -> orders 9000 B 0 B/s'],
    },
    {
      name: 'a rate over the time between two reads',
      since: [{ second: 10, flows: [across(1_000)] }],
      until: [{ second: 14, flows: [across(5_000)] }],
      rows: ['web -> cart 5000 B 1000 B/s'],
    },
    {
      name: 'a pair that is new since then',
      since: [{ second: 10 }],
      until: [{ second: 12, flows: [across(600)] }],
      rows: ['web -> cart 600 B 300 B/s'],
    },
    {
      name: 'two nodes that count one pair, each read at its own time',
      since: [{ second: 0 }, { second: 1 }],
      until: [
        { second: 2, flows: [across(200)] },
        { second: 5, flows: [across(800)] },
      ],
      rows: ['web -> cart 1000 B 300 B/s'],
    },
    {
      name: 'an agent that was not read again',
      since: [{ second: 3, flows: [across(7)] }],
      until: [{ second: 3, flows: [across(7)] }],
      rows: ['web -> cart 7 B 0 B/s'],
    },
  ]
  for (const { name, since = [], until, rows } of cases) {
    const snapshots = until.map(snapshotOf)
    t.same(rowsOf(snapshots, { since: since.map(snapshotOf), until: snapshots }).map(shown), rows, name)
  }
})

t.test('dollars of 30 days', async (t) => {
  const cases = [
    { name: '1 MB/s for half a dollar a megabyte', row: { bytesPerSecond: 1e6, price: 5e-7 }, dollars: 1_296_000 },
    { name: 'free', row: { bytesPerSecond: 1e6, price: 0 }, dollars: 0 },
    { name: 'no price known', row: { bytesPerSecond: 1e6, price: undefined }, dollars: undefined },
  ]
  for (const { name, row, dollars } of cases) t.equal(dollarsPerMonth(row), dollars, name)
})
