import t from 'tap'
import { type Address, parseAddress } from '../../src/identity/address.js'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { InventoryEntry, Placement, Who } from '../../src/model.js'

const ADDRESS = '10.1.0.7'
const READ_MS = 100_000
const TOLD_MS = 160_000
const HEARD: ClusterChanges = { isCurrent: true, standing: 'yes', unheard: [{ fromMs: 0, toMs: TOLD_MS }] }
const PLACE = { zone: 'a', region: 'r' }

const who = (kind: string, name: string): Who => ({ ...PLACE, namespace: kind === 'Node' ? '' : 'shop', kind, name, external: false })
const pod = (name: string, fromMs: number): Tenancy => ({
  address: ADDRESS,
  key: name,
  tenant: { who: who('Deployment', name), node: 'n1', coverage: 'node' },
  fromMs,
  untilMs: Number.POSITIVE_INFINITY,
})
const WAITS: Placement = { who: who('_unknown', '_unknown'), local: 'unknown', covered: 'unknown' }
const RANGE: InventoryEntry = {
  ...{ cidr: '10.1.0.0/16', ...PLACE, namespace: 'shop', ownerKind: 'Database', ownerName: 'orders' },
  ...{ external: false, node: '' },
}
const EXACT: InventoryEntry = { ...RANGE, cidr: ADDRESS }
const text = ({ who: { name }, local, ambiguous }: Placement): string =>
  local === 'unknown' ? 'waits' : `${name}${ambiguous ? ', ambiguous' : ''}`

interface Case {
  readonly name: string
  readonly before: Who
  readonly changes: ClusterChanges
  readonly entries?: readonly InventoryEntry[]
  readonly laterMs?: number
  /** Told at the next reading. */
  readonly late?: ClusterChanges
  readonly says: string
}

t.test('whose the bytes are that came since another process read the last time', async (t) => {
  const cart = who('Deployment', 'cart')
  const cases: readonly Case[] = [
    { name: 'nothing was heard yet', before: cart, changes: { isCurrent: false }, says: 'waits' },
    { name: 'nor when patience is over', before: cart, changes: { isCurrent: false }, laterMs: 30_000, says: '_unknown, ambiguous' },
    { name: 'told of, but not all yet', before: cart, changes: { isCurrent: false, tenancies: [pod('cart', 1_000)] }, says: 'waits' },
    { name: 'there for long', before: cart, changes: { ...HEARD, tenancies: [pod('cart', 1_000)] }, says: 'cart' },
    { name: 'the same pod, begun just before', before: cart, changes: { ...HEARD, tenancies: [pod('cart', 99_000)] }, says: 'cart' },
    { name: 'another one', before: cart, changes: { ...HEARD, tenancies: [pod('web', 130_000)] }, says: '_unknown, ambiguous' },
    { name: 'gone', before: cart, changes: HEARD, says: 'waits' },
    { name: 'gone, when patience is over', before: cart, changes: HEARD, laterMs: 30_000, says: '_unknown, ambiguous' },
    { name: 'gone from a range', before: cart, changes: HEARD, entries: [RANGE], says: 'waits' },
    {
      name: 'told of late, in a range',
      before: cart,
      changes: HEARD,
      entries: [RANGE],
      late: { tenancies: [pod('cart', 99_000)] },
      says: 'cart',
    },
    {
      name: 'gone from a range, when patience is over',
      before: cart,
      changes: HEARD,
      entries: [RANGE],
      laterMs: 30_000,
      says: '_unknown, ambiguous',
    },
    { name: 'gone from an entry of its own', before: cart, changes: HEARD, entries: [EXACT], says: '_unknown, ambiguous' },
    { name: 'of the range', before: who('Database', 'orders'), changes: HEARD, entries: [RANGE], says: 'orders' },
    { name: 'a node', before: who('Node', 'n2'), changes: { isCurrent: false }, says: 'n2' },
  ]
  for (const { name, before, changes, entries = [], laterMs = 0, late, says } of cases) {
    let nowMs = TOLD_MS
    const names = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false })
    names.resume({ readAtMs: READ_MS, atMs: READ_MS, addresses: [ADDRESS], had: (_, key) => key === 'cart' })
    const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => nowMs }, cluster: names })
    const placed = async (cluster: ClusterChanges): Promise<Placement> => {
      await identity.update({ entries, cluster }, async () => undefined)
      return identity.placeSince(ADDRESS, { who: before, local: 'no', covered: 'no' }, READ_MS)
    }
    const first = await placed(changes)
    nowMs += laterMs
    t.equal(text(laterMs > 0 || late ? await placed(late ?? {}) : first), says, name)
  }
})

t.test('of a range of the inventory is certain only what no pod may have sent that another process knew', async (t) => {
  const broad = { ...RANGE, cidr: '10.0.0.0/8' }
  const exact = { ...RANGE, cidr: ADDRESS }
  const decided = (kind: string, name: string): Placement => ({ who: who(kind, name), local: 'no', covered: 'no' })
  const away: ClusterChanges = { isCurrent: false }
  const still: ClusterChanges = { ...HEARD, tenancies: [pod('cart', 99_000)] }
  const cases: readonly {
    readonly name: string
    readonly entry?: InventoryEntry
    readonly before?: Placement
    readonly says: readonly string[]
    readonly told: readonly ClusterChanges[]
  }[] = [
    { name: 'a pod that is gone', before: WAITS, told: [HEARD, {}], says: ['waits', '_unknown, ambiguous'] },
    { name: 'seen for the first time', told: [HEARD, {}], says: ['waits', '_unknown, ambiguous'] },
    { name: 'waited, and the cluster is away', before: WAITS, told: [away, {}], says: ['waits', '_unknown, ambiguous'] },
    {
      name: 'a pod, and the cluster is away',
      before: decided('Deployment', 'cart'),
      told: [away, {}],
      says: ['waits', '_unknown, ambiguous'],
    },
    { name: 'a pod that is still there', before: decided('Deployment', 'cart'), told: [away, still], says: ['waits', 'cart'] },
    { name: 'waited, of a pod that is still there', before: WAITS, told: [away, still], says: ['waits', 'cart'] },
    {
      name: 'a pod, gone when all is told',
      before: decided('Deployment', 'cart'),
      told: [away, HEARD, {}],
      says: ['waits', 'waits', '_unknown, ambiguous'],
    },
    { name: 'of the range before', before: decided('Database', 'orders'), told: [HEARD, {}], says: ['orders', 'orders'] },
    {
      name: 'of the range before, and the cluster is away',
      before: decided('Database', 'orders'),
      told: [away, {}],
      says: ['orders', 'orders'],
    },
    { name: 'an entry of its own', entry: exact, told: [HEARD, {}], says: ['orders', 'orders'] },
    { name: 'an entry of its own that waited', entry: exact, before: WAITS, told: [away, {}], says: ['orders', 'orders'] },
  ]
  for (const { name, entry = broad, before, told, says } of cases) {
    let nowMs = TOLD_MS
    const names = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false })
    names.resume({ readAtMs: READ_MS, atMs: READ_MS, addresses: [ADDRESS], had: (_, key) => key === 'cart' })
    const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => nowMs }, cluster: names })
    await identity.update({ entries: [entry] }, async () => undefined)
    let placement = before
    const said: string[] = []
    for (const [index, cluster] of told.entries()) {
      if (index === told.length - 1) nowMs += 30_000
      await identity.update({ cluster }, async () => undefined)
      placement = identity.placeSince(ADDRESS, placement, READ_MS)
      const after = identity.place(ADDRESS)
      t.equal(after.local === 'unknown', placement.local === 'unknown', `${name}: it waits whoever has it now, or does not`)
      said.push(text(placement))
    }
    t.same(said, says, name)
  }
})

t.test('what waited of a range of the inventory, and what comes from there later', async (t) => {
  let nowMs = TOLD_MS
  const names = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => false })
  names.resume({ readAtMs: READ_MS, atMs: READ_MS + 100, addresses: [ADDRESS], had: () => false })
  const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => nowMs }, cluster: names })
  await identity.update({ entries: [RANGE], cluster: { isCurrent: false } }, async () => undefined)
  const away = identity.placeSince(ADDRESS, WAITS, READ_MS)
  t.match(away, { local: 'no', covered: 'yes', ambiguous: true }, 'another agent may post it')
  t.match(identity.place(ADDRESS), { who: { name: '_unknown' }, ambiguous: true }, 'nor is it certain from now on')
  nowMs += 2_001
  await identity.update({ cluster: HEARD }, async () => undefined)
  t.equal(text(identity.place(ADDRESS)), 'orders', 'nobody has it now')
  const now = identity.placeSince(ADDRESS, WAITS, READ_MS)
  t.equal(text(identity.placeDuring(ADDRESS, now, { fromMs: READ_MS - 20_000, toMs: READ_MS })), '_unknown, ambiguous', 'before')
  nowMs += 10_000
  t.equal(text(identity.placeDuring(ADDRESS, now, { fromMs: TOLD_MS + 3_000, toMs: nowMs })), 'orders', 'later')
  t.equal(text(identity.placeSince('10.1.0.8', undefined, TOLD_MS + 3_000)), 'orders', 'seen for the first time since')
  await identity.update({ cluster: { isCurrent: false } }, async () => undefined)
  t.equal(text(identity.placeSince('10.1.0.9', undefined, TOLD_MS + 5_000)), '_unknown, ambiguous', 'while nothing is heard')
  t.equal(text(identity.placeSince('10.1.0.8', identity.place('10.1.0.8'), TOLD_MS + 5_000)), 'orders', 'what was of the range stays so')
})

t.test('whose the bytes are that waited when another process ended', async (t) => {
  const queue: Tenancy = { ...pod('queue', 50_000), untilMs: 80_000 }
  const cases: readonly {
    readonly name: string
    readonly tenancies: readonly Tenancy[]
    readonly had: string
    readonly fromMs?: number
    readonly says: string
  }[] = [
    { name: 'a pod that was there before', tenancies: [pod('cart', 80_000)], had: '', says: 'cart' },
    { name: 'a pod that came meanwhile', tenancies: [pod('cart', 95_000)], had: 'cart', says: '_unknown, ambiguous' },
    { name: 'one that had ended, and nobody came', tenancies: [queue], had: 'queue 80000', says: 'queue, ended' },
    { name: 'one whose end had not been heard of', tenancies: [queue], had: 'queue', says: '_unknown, ambiguous' },
    { name: 'one that had ended, and another came', tenancies: [queue], had: 'web', says: '_unknown, ambiguous' },
    { name: 'one that was there for a part of it', tenancies: [queue], had: 'queue 80000', fromMs: 51_000, says: '_unknown, ambiguous' },
    { name: 'nobody', tenancies: [], had: 'nobody', says: '_unknown' },
    { name: 'nobody, as far as was heard', tenancies: [], had: '', says: '_unknown, ambiguous' },
    { name: 'nobody until then, and a pod came', tenancies: [pod('cart', 99_000)], had: 'nobody', says: 'cart' },
    { name: 'one that has ended since', tenancies: [{ ...queue, untilMs: 130_000 }], had: '', says: 'queue' },
  ]
  for (const { name, tenancies, had, fromMs = 90_000, says } of cases) {
    const names = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => false })
    names.resume({ readAtMs: READ_MS, atMs: READ_MS + 100, addresses: [ADDRESS], had: (_, holder) => holder === had })
    const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => TOLD_MS + 3_000 }, cluster: names })
    await identity.update({ cluster: { ...HEARD, tenancies } }, async () => undefined)
    const now = identity.placeSince(ADDRESS, WAITS, READ_MS)
    const { who: whose, ambiguous, endedMs } = identity.placeDuring(ADDRESS, now, { fromMs, toMs: READ_MS + 100 })
    t.equal(`${whose.name}${ambiguous ? ', ambiguous' : ''}${endedMs === undefined ? '' : ', ended'}`, says, name)
  }
})

t.test('who has an address, as another process will find it', async (t) => {
  const names = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => false })
  const queue: Tenancy = { ...pod('queue', 50_000), untilMs: 80_000 }
  const say = (changes: ClusterChanges) => {
    names.apply(changes, TOLD_MS)
    return names.holderOf(ADDRESS)
  }
  const address = parseAddress(ADDRESS) as Address
  t.equal(say({ isCurrent: true }), undefined, 'nobody asked')
  names.placeOfNobody(ADDRESS, address, WAITS, TOLD_MS)
  t.equal(say({}), 'nobody')
  t.equal(say({ isCurrent: false }), undefined, 'somebody may have it')
  t.equal(say({ tenancies: [{ ...queue, untilMs: Number.POSITIVE_INFINITY }] }), 'queue')
  t.equal(say({ isCurrent: false }), 'queue', 'he has it, whoever came after him')
  t.equal(say({ isCurrent: true, tenancies: [queue] }), 'queue 80000', 'ended, and nobody came')
  t.equal(say({ isCurrent: false }), undefined, 'somebody may have come')
  t.equal(say({ isCurrent: true, unheard: [{ fromMs: 90_000, toMs: 95_000 }] }), undefined, 'and gone')
  t.equal(say({ tenancies: [pod('web', 100_000)] }), 'web')
})

t.test('bytes that waited for whether the agent of another node posts them are not posted here as well', async (t) => {
  const names = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => true })
  names.resume({ readAtMs: READ_MS, atMs: READ_MS + 100, addresses: [ADDRESS], had: () => false })
  const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => TOLD_MS }, cluster: names })
  await identity.update({ cluster: { ...HEARD, tenancies: [pod('web', 130_000)] } }, async () => undefined)
  const now = identity.placeSince(ADDRESS, { who: who('Deployment', 'cart'), local: 'no', covered: 'unknown' }, READ_MS)
  t.match(now, { local: 'joining', ambiguous: true })
  t.match(identity.placeDuring(ADDRESS, now, { fromMs: 90_000, toMs: READ_MS }), { local: 'joining', ambiguous: true })
})

t.test('bytes of another that waited for which agent posts them are not of who has the address when patience is over', async (t) => {
  let nowMs = TOLD_MS
  const names = createClusterNames({ node: 'n1', patienceMs: 1_000, skewMs: 2_000, isBehindUs: () => false })
  names.resume({ readAtMs: READ_MS, atMs: READ_MS + 100, addresses: [ADDRESS], had: (_, holder) => holder === 'web' })
  const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => nowMs }, cluster: names })
  const web = pod('web', 99_000)
  const tenancies = [{ ...web, tenant: { ...web.tenant, node: 'n3' } }]
  await identity.update({ cluster: { ...HEARD, tenancies } }, async () => undefined)
  t.match(identity.placeSince(ADDRESS, WAITS, READ_MS), { who: { name: 'web' }, covered: 'unknown' })
  nowMs += 1_000
  await identity.update({ cluster: {} }, async () => undefined)
  const now = identity.placeSince(ADDRESS, WAITS, READ_MS)
  t.match(now, { who: { name: 'web' }, covered: 'yes' })
  t.match(identity.placeDuring(ADDRESS, now, { fromMs: 90_000, toMs: READ_MS }), {
    who: { name: '_unknown' },
    ambiguous: true,
    covered: 'yes',
  })
})
