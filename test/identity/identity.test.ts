import t from 'tap'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { type Changes, type ChangingIdentity, createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { InventoryEntry, Placement, Who } from '../../src/model.js'
import { createHandPulse } from '../hand-pulse.js'
import { fc } from '../property.js'

const NODE = { name: 'n1', zone: 'a', region: 'r' }

function entry(cidr: string, fields: Partial<InventoryEntry> = {}): InventoryEntry {
  return { cidr, zone: '', region: '', namespace: '', ownerKind: '', ownerName: '', node: '', external: false, ...fields }
}

const INVENTORY = [
  entry('10.1.0.10/32', { zone: 'a', region: 'r', namespace: 'shop', ownerKind: 'Deployment', ownerName: 'cart', node: 'n1' }),
  entry('10.1.2.0/24', { zone: 'b', region: 'r', namespace: 'shop', ownerKind: 'Deployment', ownerName: 'stock', node: 'n2' }),
  entry('10.9.0.0/24', { zone: 'b', region: 'r', ownerKind: 'Database', ownerName: 'orders-db' }),
  entry('10.8.0.0/24', { namespace: 'shop' }),
  entry('198.51.100.0/24', { zone: 'ignored', region: 'ignored', external: true, ownerKind: 'Service', ownerName: 'payments.example.com' }),
  entry('192.168.7.1', { zone: 'a', region: 'r', namespace: 'edge', ownerKind: 'DaemonSet', ownerName: 'ingress' }),
  entry('192.168.7.0/24', { zone: 'c', region: 'r', ownerKind: 'Rack', ownerName: 'seven', node: 'n3' }),
  entry('fd00:2::/64', { zone: 'b', region: 'r', namespace: 'shop', ownerKind: 'Deployment', ownerName: 'stock', node: 'n2' }),
  entry('64:ff9b::10.9.0.5/128', { zone: 'b', region: 'r', ownerKind: 'Database', ownerName: 'by-its-translated-name' }),
]
const ADDRESSES = ['127.0.0.1', '::1', '192.168.7.1', '192.168.7.2', '172.17.0.1', 'fe80::1', 'fd00:1::1']

const pause = async (): Promise<void> => undefined

async function build(changes: Changes = { entries: INVENTORY, addresses: ADDRESSES }, node = NODE): Promise<ChangingIdentity> {
  const identity = createIdentity(node)
  await identity.update(changes, pause)
  return identity
}

function said({ who, local, covered }: Placement): string {
  const { zone, region, namespace, kind, name, external } = who
  return `${[zone, region, namespace, kind, name].join('|')}${external ? ' external' : ''}, local ${local}, covered ${covered}`
}

t.test('place', async (t) => {
  const identity = await build()
  const node = 'a|r||Node|n1, local yes, covered no'
  const unknown = '_unknown|_unknown|_unknown|_unknown|_unknown, local no, covered no'
  const external = '|||External|_unknown external, local no, covered no'
  const cases = [
    { name: 'a pod of this node', address: '10.1.0.10', says: 'a|r|shop|Deployment|cart, local yes, covered no' },
    { name: 'a pod of a node with an agent', address: '10.1.2.3', says: 'b|r|shop|Deployment|stock, local no, covered yes' },
    { name: 'the same over IPv6', address: 'fd00:2::3', says: 'b|r|shop|Deployment|stock, local no, covered yes' },
    { name: 'a database, on no node with an agent', address: '10.9.0.5', says: 'b|r||Database|orders-db, local no, covered no' },
    { name: 'an entry that says little', address: '10.8.0.1', says: '_unknown|_unknown|shop|_unknown|_unknown, local no, covered no' },
    {
      name: 'an external service with a name',
      address: '198.51.100.9',
      says: '|||Service|payments.example.com external, local no, covered no',
    },
    { name: 'an address of this node inside a range of the inventory', address: '192.168.7.2', says: node },
    {
      name: 'an address of this node that the inventory names',
      address: '192.168.7.1',
      says: 'a|r|edge|DaemonSet|ingress, local yes, covered no',
    },
    { name: 'its neighbour on another node', address: '192.168.7.3', says: 'c|r||Rack|seven, local no, covered yes' },
    { name: 'a bridge that every node has', address: '172.17.0.1', says: node },
    { name: 'loopback', address: '127.0.0.1', says: node },
    { name: 'all of loopback', address: '127.9.9.9', says: node },
    { name: 'loopback IPv6', address: '::1', says: node },
    { name: 'a link-local address of this node', address: 'fe80::1', says: node },
    { name: 'the same written at length', address: 'fe80:0:0:0:0:0:0:1', says: node },
    { name: 'a link-local address of nobody', address: 'fe80::2', says: unknown },
    { name: 'a private address of nobody', address: '10.99.0.1', says: unknown },
    { name: 'carrier-grade NAT', address: '100.64.0.1', says: unknown },
    { name: 'unique local', address: 'fdff::1', says: unknown },
    { name: 'a documentation range', address: '203.0.113.1', says: unknown },
    { name: 'the internet', address: '8.8.8.8', says: external },
    { name: 'the internet over IPv6', address: '2606:4700::1111', says: external },
    { name: 'the internet behind NAT64', address: '64:ff9b::8.8.8.8', says: external },
    { name: 'a private address behind NAT64', address: '64:ff9b::10.99.0.1', says: unknown },
    { name: 'an entry behind NAT64', address: '64:ff9b::10.9.0.6', says: 'b|r||Database|orders-db, local no, covered no' },
    {
      name: 'an entry of its own beats what is behind NAT64',
      address: '64:ff9b::10.9.0.5',
      says: 'b|r||Database|by-its-translated-name, local no, covered no',
    },
    {
      name: 'a pod of this node behind NAT64 was counted before translation',
      address: '64:ff9b::10.1.0.10',
      says: 'a|r|shop|Deployment|cart, local no, covered yes',
    },
    { name: 'IPv4-mapped', address: '::ffff:10.1.0.10', says: 'a|r|shop|Deployment|cart, local yes, covered no' },
    { name: 'no address at all', address: 'cart', says: unknown },
    { name: 'nothing', address: '', says: unknown },
  ]
  for (const { name, address, says } of cases) t.equal(said(identity.place(address)), says, name)
})

t.test('a node that knows neither its zone nor its name', async (t) => {
  const identity = await build({ entries: [entry('10.0.0.0/8')], addresses: ['192.0.2.1'] }, { name: '', zone: '', region: '' })
  t.equal(said(identity.place('192.0.2.1')), '_unknown|_unknown||Node|_unknown, local yes, covered no')
  t.match(identity.place('10.0.0.1'), { local: 'no', covered: 'no' }, 'an entry without a node is not on the node without a name')
  t.same(identity.zones, [])
})

t.test('zones: node first, each once, known ones only', async (t) => {
  t.same((await build()).zones, [
    { zone: 'a', region: 'r' },
    { zone: 'b', region: 'r' },
    { zone: 'c', region: 'r' },
  ])
})

t.test('equal identities are one frozen object', async (t) => {
  const identity = await build()
  const stock = identity.place('10.1.2.3').who
  t.equal(identity.place('fd00:2::9').who, stock, 'from two entries')
  t.ok(Object.isFrozen(stock) && Object.isFrozen(identity.place('10.1.2.3')))
  await identity.update({ entries: [] }, pause)
  await identity.update({ entries: INVENTORY.map((row) => ({ ...row })) }, pause)
  t.equal(identity.place('10.1.2.3').who, stock, 'after it was gone for a while')
})

t.test('update', async (t) => {
  const cases: { name: string; changes: Changes; isNew: boolean }[] = [
    { name: 'nothing', changes: {}, isNew: false },
    { name: 'an inventory read again', changes: { entries: INVENTORY.map((row) => ({ ...row })) }, isNew: false },
    { name: 'the same addresses in another order', changes: { addresses: [...ADDRESSES].reverse() }, isNew: false },
    { name: 'the same address twice', changes: { addresses: [...ADDRESSES, '::1'] }, isNew: false },
    { name: 'an address more', changes: { addresses: [...ADDRESSES, '10.3.0.1'] }, isNew: true },
    { name: 'another in its place', changes: { addresses: [...ADDRESSES.slice(1), '10.3.0.1'] }, isNew: true },
    { name: 'an entry less', changes: { entries: INVENTORY.slice(1) }, isNew: true },
    { name: 'an entry with another zone', changes: { entries: INVENTORY.map((row) => ({ ...row, zone: 'z' })) }, isNew: true },
  ]
  for (const { name, changes, isNew } of cases) {
    const identity = await build()
    const before = identity.version
    await identity.update(changes, pause)
    t.equal(identity.version > before, isNew, name)
  }
})

t.test('after an update', async (t) => {
  const identity = await build()
  await identity.update({ addresses: [...ADDRESSES, '10.9.0.5'] }, pause)
  t.equal(said(identity.place('10.9.0.5')), 'a|r||Node|n1, local yes, covered no', 'a new address of the node is local')
  await identity.update({ entries: [entry('10.9.0.5/32', { zone: 'd', ownerKind: 'VIP', ownerName: 'db' })] }, pause)
  t.equal(said(identity.place('10.9.0.5')), 'd|_unknown||VIP|db, local yes, covered no', 'a new entry names it')
  t.equal(identity.place('10.1.2.3').who.zone, '_unknown', 'an entry that is gone names nobody')
  t.same(identity.zones, [
    { zone: 'a', region: 'r' },
    { zone: 'd', region: '_unknown' },
  ])
  await identity.update({ addresses: [] }, pause)
  t.equal(said(identity.place('10.9.0.5')), 'd|_unknown||VIP|db, local no, covered no', 'an address that is gone is not local')
})

t.test('a malformed update changes nothing', async (t) => {
  const identity = await build()
  const before = identity.version
  const wrong = [
    { changes: { entries: [entry('10.0.0.0/33')], addresses: [] }, message: 'identity: "10.0.0.0/33" is no CIDR' },
    { changes: { entries: [], addresses: ['eth0'] }, message: 'identity: "eth0" is no address' },
  ]
  for (const { changes, message } of wrong) await t.rejects(identity.update(changes, pause), { message })
  t.equal(identity.version, before)
  t.equal(said(identity.place('10.1.2.3')), 'b|r|shop|Deployment|stock, local no, covered yes')
  t.equal(said(identity.place('fe80::1')), 'a|r||Node|n1, local yes, covered no')
})

t.test('a large inventory holds nobody up, and is in force all at once', async (t) => {
  const identity = await build()
  const many = Array.from({ length: 20_000 }, (_, index) =>
    entry(`10.${index >> 8}.${index & 255}.0/24`, { zone: 'z', ownerName: `owner-${index}` }),
  )
  const meanwhile = new Set<string>()
  let pauses = 0
  const look = async (): Promise<void> => {
    pauses++
    meanwhile.add(`${said(identity.place('10.1.2.3'))} of ${identity.zones.length} zones, version ${identity.version}`)
  }
  await identity.update({ entries: [...INVENTORY, ...many] }, look)
  t.same([...meanwhile], ['b|r|shop|Deployment|stock, local no, covered yes of 3 zones, version 2'])
  t.ok(pauses >= 100, `${pauses} pauses while it is built`)
  t.match(identity.place('10.70.2.3').who, { zone: 'z', name: 'owner-17922' })
  pauses = 0
  await identity.update({ entries: [...INVENTORY, ...many].map((row) => ({ ...row })) }, look)
  t.equal(identity.version, 3, 'the same again')
  t.ok(pauses >= 100, `${pauses} pauses while it is compared`)
})

t.test('with a cluster', async (t) => {
  let nowMs = 100_000
  const cluster = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false })
  const identity = createIdentity(NODE, { clock: { now: () => nowMs }, cluster })
  const pod = (address: string, name: string, node: string) => {
    const who = { zone: 'b', region: 'r', namespace: 'shop', kind: 'Deployment', name, external: false }
    return { address, key: name, tenant: { who, node, coverage: 'node' as const }, fromMs: 90_000, untilMs: Number.POSITIVE_INFINITY }
  }
  const tenancies = [
    pod('10.1.0.20', 'cart', 'n1'),
    pod('10.1.2.20', 'stock', 'n2'),
    pod('10.9.0.9', 'web', 'n2'),
    pod('fe80::1', 'odd', 'n2'),
  ]
  const zones = [
    { zone: 'a', region: 'r' },
    { zone: 'z', region: 'r' },
  ]
  const told = { tenancies, zones, ranges: [{ cidr: '10.66.0.0/16', node: 'n1' }], covering: new Set(['n2']), isCurrent: true }
  await identity.update({ entries: INVENTORY, addresses: ADDRESSES, cluster: { ...told, standing: 'joining' } }, pause)
  const waits = '_unknown|_unknown|_unknown|_unknown|_unknown, local unknown, covered unknown'
  const node = (local: string): string => `a|r||Node|n1, local ${local}, covered no`
  const cases = [
    { name: 'a pod of this node', address: '10.1.0.20', first: 'b|r|shop|Deployment|cart, local joining, covered no' },
    { name: 'a pod of another', address: '10.1.2.20', first: 'b|r|shop|Deployment|stock, local no, covered yes' },
    { name: 'a pod within an entry of the inventory', address: '10.9.0.9', first: 'b|r|shop|Deployment|web, local no, covered yes' },
    { name: 'a range of the inventory, in which a pod may be', address: '10.9.0.5', first: waits },
    { name: 'an entry of the inventory', address: '10.1.0.10', first: 'a|r|shop|Deployment|cart, local yes, covered no' },
    { name: 'an address of this node', address: '192.168.7.2', first: node('joining') },
    { name: 'one that a pod claims', address: 'fe80::1', first: node('joining') },
    { name: 'a private address of nobody', address: '10.99.0.1', first: waits },
    { name: "an address of this node's range that nobody has", address: '10.66.0.1', first: waits },
    { name: 'the internet', address: '8.8.8.8', first: '|||External|_unknown external, local no, covered no' },
    { name: 'the internet over IPv6, as pods have it as well', address: '2606:4700::1111', first: waits },
    {
      name: 'a pod of this node behind NAT64, while it joins',
      address: '64:ff9b::10.1.0.20',
      first: 'b|r|shop|Deployment|cart, local no, covered yes',
    },
    {
      name: 'nobody behind NAT64',
      address: '64:ff9b::10.99.0.1',
      first: '_unknown|_unknown|_unknown|_unknown|_unknown, local no, covered unknown',
    },
    { name: 'no address at all', address: 'cart', first: '_unknown|_unknown|_unknown|_unknown|_unknown, local no, covered no' },
  ]
  for (const { name, address, first } of cases) {
    t.equal(said(identity.placeSince(address, undefined, 95_000)), first, `${name}, at first sight`)
    t.equal(said(identity.place(address)), first, name)
  }
  t.same(
    identity.zones.map(({ zone }) => zone),
    ['a', 'b', 'c', 'z'],
    'zones of both, each once',
  )

  const before = identity.version
  nowMs = 120_000
  await identity.update({ cluster: { standing: 'yes' } }, pause)
  t.ok(identity.version > before)
  t.equal(said(identity.place('192.168.7.2')), node('yes'))
  t.equal(said(identity.placeSince('192.168.7.2', undefined, 110_000)), node('joining'), 'as of the time of the bytes')
  const [joining, unknown] = (['joining', 'unknown'] as const).map((local): Placement => ({ ...identity.place('192.168.7.2'), local }))
  t.equal(identity.placeSince('192.168.7.2', joining, 121_000), joining, 'as it was')
  t.equal(said(identity.placeSince('192.168.7.2', unknown, 121_000)), node('yes'), 'as it became known')
  t.equal(identity.placeSince('10.1.0.10', joining, 110_000), joining, 'an entry of the inventory is as it was')

  nowMs = 130_000
  await identity.update({ cluster: {} }, pause)
  const nobody = '_unknown|_unknown|_unknown|_unknown|_unknown, local no, covered no'
  t.equal(said(identity.placeSince('10.99.0.1', identity.place('10.88.0.1'), 120_000)), nobody, 'what waited is decided')
  t.equal(said(identity.placeSince('64:ff9b::10.99.0.1', identity.place('64:ff9b::10.88.0.1'), 120_000)), nobody, 'and behind NAT64')
  const ofRange = '_unknown|_unknown|_unknown|_unknown|_unknown, local joining, covered no'
  t.equal(said(identity.placeSince('10.66.0.1', identity.place('10.88.0.1'), 120_000)), ofRange, 'as of the time of its bytes')
  t.equal(said(identity.place('10.66.0.1')), ofRange.replace('joining', 'yes'), 'and all after it by now')
  t.equal(said(identity.placeSince('10.77.0.1', undefined, 120_000)), waits, 'what is new waits')
  const settled = identity.version
  await identity.update({ cluster: {} }, pause)
  t.equal(identity.version, settled, 'nothing new')
})

t.test('a process that stood still asks again who everybody is, as soon as it is asked whether that has changed', async (t) => {
  const pulse = createHandPulse()
  const clock = { now: () => 120_000, pulse }
  const stops = () => pulse.stops
  const cluster = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false, stops })
  const identity = createIdentity(NODE, { clock, cluster })
  const who = { zone: 'a', region: 'r', namespace: 'shop', kind: 'Deployment', name: 'cart', external: false }
  const tenant = { who, node: 'n1', coverage: 'node' } as const
  const tenancies = [{ address: '10.1.0.2', key: 'u1', tenant, fromMs: 10_000, untilMs: Number.POSITIVE_INFINITY }]
  await identity.update({ cluster: { tenancies, standing: 'yes', covering: new Set(), isCurrent: true } }, pause)
  const before = identity.version
  t.equal(identity.place('10.1.0.2').local, 'yes')
  pulse.standStill()
  t.ok(identity.version > before)
  t.equal(identity.placeSince('10.1.0.2', identity.place('10.1.0.2'), 100_000).local, 'unknown')
})

t.test('who is said to be outside of the cluster', async (t) => {
  let nowMs = 100_000
  const cluster = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false })
  const identity = createIdentity(NODE, { clock: { now: () => nowMs }, cluster })
  const INTERNET = { zone: '', region: '', external: true }
  const outside = (address: string, place: Partial<Who> = {}, untilMs = Number.POSITIVE_INFINITY): Tenancy => {
    const who = { zone: 'b', region: 'r', namespace: 'shop', kind: 'ServiceEntry', name: 'orders', external: false, ...place }
    return { address, key: 'serviceentry/shop/orders', tenant: { who, node: '', coverage: 'outside' }, fromMs: 0, untilMs }
  }
  const who = { zone: 'c', region: 'r', namespace: 'shop', kind: 'Deployment', name: 'cart', external: false }
  const pod: Tenancy = {
    address: '10.1.2.20',
    key: 'cart',
    tenant: { who, node: 'n2', coverage: 'node' },
    fromMs: 90_000,
    untilMs: Infinity,
  }
  const told = {
    tenancies: [
      ...['10.99.0.7', '10.66.0.2', '10.9.0.5', '10.1.2.20', '192.168.7.2', '8.8.4.4'].map((address) => outside(address)),
      outside('8.8.8.8', INTERNET),
      pod,
    ],
    ranges: [{ cidr: '10.66.0.0/16', node: 'n2' }],
    covering: new Set(['n2']),
    standing: 'yes' as const,
    isCurrent: true,
  }
  await identity.update({ entries: INVENTORY, addresses: ADDRESSES, cluster: told }, pause)
  const waits = '_unknown|_unknown|_unknown|_unknown|_unknown, local unknown, covered unknown'
  const orders = 'b|r|shop|ServiceEntry|orders, local no, covered no'
  const cases = [
    { name: 'a private address, which may still be a pod', address: '10.99.0.7', first: waits, later: orders },
    { name: "an address of a node's range", address: '10.66.0.2', first: waits, later: orders.replace('covered no', 'covered yes') },
    { name: 'a public one in a zone', address: '8.8.4.4', first: orders },
    { name: 'on the internet', address: '8.8.8.8', first: '||shop|ServiceEntry|orders external, local no, covered no' },
    { name: 'behind NAT64', address: '64:ff9b::8.8.8.8', first: '||shop|ServiceEntry|orders external, local no, covered no' },
    { name: 'after a range of the inventory', address: '10.9.0.5', first: waits, later: 'b|r||Database|orders-db, local no, covered no' },
    { name: 'after a pod', address: '10.1.2.20', first: 'c|r|shop|Deployment|cart, local no, covered yes' },
    { name: 'after the node itself', address: '192.168.7.2', first: 'a|r||Node|n1, local yes, covered no' },
  ]
  for (const { name, address, first } of cases) t.equal(said(identity.place(address)), first, name)
  nowMs = 130_000
  await identity.update({ cluster: {} }, pause)
  for (const { name, address, first, later = first } of cases) t.equal(said(identity.place(address)), later, `${name}, later`)

  const { version } = identity
  const before = identity.place('8.8.8.8')
  await identity.update({ cluster: { tenancies: [outside('8.8.8.8', INTERNET, 130_000), outside('10.99.0.7', {}, 130_000)] } }, pause)
  t.ok(identity.version > version)
  t.equal(identity.placeSince('8.8.8.8', before, 125_000), before, 'gone, but not before it went')
  t.equal(said(identity.place('8.8.8.8')), '|||External|_unknown external, local no, covered no', 'gone')
  t.equal(said(identity.place('10.99.0.7')), '_unknown|_unknown|_unknown|_unknown|_unknown, local no, covered no')
})

t.test('place is total', async (t) => {
  const identity = await build()
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
      const { who, local, covered } = identity.place(text)
      const isWhole = [who.zone, who.region, who.namespace, who.kind, who.name].every((value) => typeof value === 'string')
      if (!isWhole || (local === 'yes' && covered === 'yes')) throw new Error(`${text} is placed at ${said({ who, local, covered })}`)
    }),
    { numRuns: 10000 },
  )
  t.pass('for 10,000 texts')
})
