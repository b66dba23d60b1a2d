import t from 'tap'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import { bookOf } from '../../src/ledger/posting.js'
import type { InventoryEntry, Placement, Who } from '../../src/model.js'

const ADDRESS = '10.2.0.7'
const START_MS = 100_000
const PATIENCE_MS = 30_000
const PLACE = { zone: 'a', region: 'r' }
const UNKNOWN = '_unknown'

const who = (kind: string, name: string): Who => ({ ...PLACE, namespace: 'shop', kind, name, external: false })
const HERE: Placement = { who: who('Deployment', 'peer'), local: 'yes', covered: 'no' }
const CART: Tenancy = {
  ...{ address: ADDRESS, key: 'cart', fromMs: 90_000, untilMs: Number.POSITIVE_INFINITY },
  tenant: { who: who('Deployment', 'cart'), node: 'n2', coverage: 'node' },
}
const ENTRY: Tenancy = { ...CART, key: 'entry', fromMs: 0, tenant: { who: who('ServiceEntry', 'entry'), node: '', coverage: 'outside' } }
const BROAD: InventoryEntry = {
  ...{ cidr: '10.0.0.0/8', ...PLACE, namespace: 'shop', ownerKind: 'Database', ownerName: 'orders' },
  ...{ external: false, node: '' },
}
const KNOWN: ClusterChanges = { standing: 'yes', covering: new Set(['n2']), isCurrent: true }
const DEAF: ClusterChanges = { isCurrent: false }
const POD_RANGE: ClusterChanges = { ranges: [{ cidr: '10.2.0.0/24', node: 'n2' }] }

/** What becomes of bytes that it sends to a pod of this node. */
function said(placement: Placement): string {
  const book = bookOf(placement, HERE)
  if (book === 'pending' && placement.covered === 'unknown') return 'waits'
  return `${placement.who.name}${placement.ambiguous ? ', ambiguous' : ''}: ${book}`
}

interface Agent {
  /** A reading after so many seconds, in which bytes of the address came: whose they are, and whose those that come from now on. */
  reads(afterS: number, changes?: ClusterChanges): Promise<string>
  /** The ledger lets go of it. */
  forgets(): void
}

async function build(entries: readonly InventoryEntry[], address = ADDRESS): Promise<Agent> {
  let [nowMs, readMs] = [START_MS, START_MS - 10_000]
  let placement: Placement | undefined
  const names = createClusterNames({ node: 'n1', patienceMs: PATIENCE_MS, skewMs: 2_000, isBehindUs: () => false })
  const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => nowMs }, cluster: names })
  await identity.update({ entries, cluster: KNOWN }, async () => undefined)
  return {
    async reads(afterS, cluster = {}) {
      nowMs += afterS * 1000
      await identity.update({ cluster }, async () => undefined)
      const since = identity.placeSince(address, placement, readMs)
      placement = identity.place(address)
      readMs = nowMs
      return said(since) === said(placement) ? said(since) : `${said(since)}, then ${said(placement)}`
    },
    forgets() {
      placement = undefined
    },
  }
}

type Reading = readonly [afterS: number, changes?: ClusterChanges]

t.test('of a range of the inventory is what nobody has told of for as long as bytes wait', async (t) => {
  const told: ClusterChanges = { tenancies: [CART] }
  const cases: readonly (readonly [name: string, entry: InventoryEntry, readings: readonly Reading[], says: readonly string[]])[] = [
    ['a pod of another node, told of later', BROAD, [[0], [10, told]], ['waits', 'cart: elsewhere']],
    ['a pod of another node, told of before', BROAD, [[0, told]], ['cart: elsewhere']],
    ['nobody', BROAD, [[0], [29], [1]], ['waits', 'waits', 'orders: posted']],
    ['it stays so while nothing is heard', BROAD, [[0], [30], [1, DEAF], [60]], ['waits', ...Array(3).fill('orders: posted')]],
    [
      'and when it is again',
      BROAD,
      [[0], [30], [1, DEAF], [60, { isCurrent: true, unheard: [{ fromMs: 116_000, toMs: 191_000 }] }]],
      ['waits', ...Array(3).fill('orders: posted')],
    ],
    [
      'nothing is heard when patience is over',
      BROAD,
      [[0], [1, DEAF], [29], [1, { isCurrent: true }]],
      ['waits', 'waits', '_unknown, ambiguous: elsewhere', '_unknown, ambiguous: elsewhere, then orders: posted'],
    ],
    [
      'somebody may have come and gone unheard of',
      BROAD,
      [[0], [1, DEAF], [29, { isCurrent: true, unheard: [{ fromMs: 95_000, toMs: 125_000 }] }]],
      ['waits', 'waits', '_unknown, ambiguous: elsewhere, then orders: posted'],
    ],
    [
      'nobody who tells could be asked for it',
      BROAD,
      [[0, { isAsked: () => false }], [30], [60], [1, { isAsked: () => true }]],
      ['waits', ...Array(2).fill('_unknown, ambiguous: elsewhere'), '_unknown, ambiguous: elsewhere, then orders: posted'],
    ],
    ['in a range of pods of another node', BROAD, [[0, POD_RANGE], [30]], ['waits', 'orders: elsewhere']],
    [
      'in a range of pods, while nothing is heard',
      BROAD,
      [
        [0, POD_RANGE],
        [30, DEAF],
      ],
      ['waits', '_unknown, ambiguous: elsewhere'],
    ],
    ['of this node by the inventory', { ...BROAD, node: 'n1' }, [[0, POD_RANGE], [30]], ['waits', 'orders: posted']],
    ['of this node, while nothing is heard', { ...BROAD, node: 'n1' }, [[0, DEAF], [30]], ['waits', '_unknown, ambiguous: posted']],
    ['of another node by the inventory', { ...BROAD, node: 'n2' }, [[0], [30]], ['waits', 'orders: elsewhere']],
    ['an entry of its own', { ...BROAD, cidr: ADDRESS }, [[0]], ['orders: posted']],
  ]
  for (const [name, entry, readings, says] of cases) {
    const agent = await build([entry])
    const heard: string[] = []
    for (const reading of readings) heard.push(await agent.reads(...reading))
    t.same(heard, says, name)
  }
})

t.test('of a range is at once what no pod can have, and all of it where there is no cluster', async (t) => {
  const agent = await build([{ ...BROAD, cidr: '8.8.0.0/16' }], '8.8.8.8')
  t.equal(await agent.reads(0), 'orders: posted')
  const alone = createIdentity({ name: 'n1', ...PLACE })
  await alone.update({ entries: [BROAD] }, async () => undefined)
  t.equal(said(alone.placeSince(ADDRESS, undefined, 0)), 'orders: posted')
})

t.test('an address that was of a range waits anew when it is seen again', async (t) => {
  const agent = await build([BROAD])
  t.same([await agent.reads(0), await agent.reads(30)], ['waits', 'orders: posted'])
  agent.forgets()
  t.equal(await agent.reads(60), 'waits')
  t.equal(await agent.reads(1, { tenancies: [CART] }), 'cart: elsewhere')
})

t.test('who is said to be at a private address is not believed while nothing is heard', async (t) => {
  const told: ClusterChanges = { tenancies: [ENTRY] }
  const agent = await build([])
  t.same([await agent.reads(0, { ...told, ...DEAF }), await agent.reads(30)], ['waits', `${UNKNOWN}, ambiguous: elsewhere`])
  t.equal(await agent.reads(1, { isCurrent: true }), `${UNKNOWN}, ambiguous: elsewhere, then entry: posted`)
})
