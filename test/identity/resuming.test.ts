import t from 'tap'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { InventoryEntry, Placement, Who } from '../../src/model.js'

const ADDRESS = '10.1.0.7'
const READ_MS = 100_000
const TOLD_MS = 160_000
const HEARD: ClusterChanges = { isCurrent: true, standing: 'yes', unheard: [{ fromMs: READ_MS, toMs: TOLD_MS }] }
const PLACE = { zone: 'a', region: 'r' }

const who = (kind: string, name: string): Who => ({ ...PLACE, namespace: kind === 'Node' ? '' : 'shop', kind, name, external: false })
const pod = (name: string, fromMs: number): Tenancy => ({
  address: ADDRESS,
  key: name,
  tenant: { who: who('Deployment', name), node: 'n1', coverage: 'node' },
  fromMs,
  untilMs: Number.POSITIVE_INFINITY,
})
const RANGE: InventoryEntry = {
  ...{ cidr: '10.1.0.0/16', ...PLACE, namespace: 'shop', ownerKind: 'Database', ownerName: 'orders' },
  ...{ external: false, node: '' },
}

interface Case {
  readonly name: string
  readonly before: Who
  readonly changes: ClusterChanges
  readonly entries?: readonly InventoryEntry[]
  readonly laterMs?: number
  readonly says: string
}

t.test('whose the bytes are that came since another process read the last time', async (t) => {
  const cart = who('Deployment', 'cart')
  const cases: readonly Case[] = [
    { name: 'nothing was heard yet', before: cart, changes: { isCurrent: false }, says: 'waits' },
    { name: 'told of, but not all yet', before: cart, changes: { isCurrent: false, tenancies: [pod('cart', 1_000)] }, says: 'waits' },
    { name: 'there for long', before: cart, changes: { ...HEARD, tenancies: [pod('cart', 1_000)] }, says: 'cart' },
    { name: 'the same pod, begun just before', before: cart, changes: { ...HEARD, tenancies: [pod('cart', 99_000)] }, says: 'cart' },
    { name: 'another one', before: cart, changes: { ...HEARD, tenancies: [pod('web', 130_000)] }, says: '_unknown, ambiguous' },
    { name: 'gone', before: cart, changes: HEARD, says: 'waits' },
    { name: 'gone, when patience is over', before: cart, changes: HEARD, laterMs: 30_000, says: '_unknown, ambiguous' },
    { name: 'gone from a range', before: cart, changes: HEARD, entries: [RANGE], says: '_unknown, ambiguous' },
    { name: 'of the range', before: who('Database', 'orders'), changes: HEARD, entries: [RANGE], says: 'orders' },
    { name: 'a node', before: who('Node', 'n2'), changes: { isCurrent: false }, says: 'n2' },
  ]
  for (const { name, before, changes, entries = [], laterMs = 0, says } of cases) {
    let nowMs = TOLD_MS
    const names = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false })
    names.resume({ readAtMs: READ_MS, addresses: [ADDRESS], had: (_, key) => key === 'cart' })
    const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => nowMs }, cluster: names })
    const placed = async (cluster: ClusterChanges): Promise<Placement> => {
      await identity.update({ entries, cluster }, async () => undefined)
      return identity.placeSince(ADDRESS, { who: before, local: 'no', covered: 'no' }, READ_MS)
    }
    const first = await placed(changes)
    nowMs += laterMs
    const { who: whose, local, ambiguous } = laterMs > 0 ? await placed({}) : first
    t.equal(local === 'unknown' ? 'waits' : `${whose.name}${ambiguous ? ', ambiguous' : ''}`, says, name)
  }
})
