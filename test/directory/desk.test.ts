// What agents are told, from what the API server says.
import t from 'tap'
import { parseDirectoryLine } from '../../src/agent/directory-lines.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import type { Tenant } from '../../src/identity/holders.js'
import type { NodeFacts } from '../../src/identity/objects/node.js'
import type { PodFacts } from '../../src/identity/objects/pod.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { Who } from '../../src/model.js'
import { createSetClock } from '../../src/set-clock.js'
import { pod } from '../identity/objects/fixture.js'
import { type DeskHere, type Line, startDesk } from './told.js'

const CART: PodFacts = { ...pod('pod-deployment'), uid: 'u1', node: 'n2', addresses: ['10.2.0.7'], startedMs: 100_000 }
const WEB: PodFacts = { ...CART, uid: 'u2', addresses: ['10.2.0.8'] }
const OWNER = { kind: 'Deployment', name: 'cart' }
const nodeOf = (number: number, changes: Partial<NodeFacts> = {}): NodeFacts => ({
  name: `n${number}`,
  uid: `node-${number}`,
  zone: `z${number}`,
  region: 'r',
  internalIps: [`192.168.0.${number}`],
  externalIps: [],
  podCidrs: [`10.${number}.0.0/24`],
  providerId: '',
  createdMs: 0,
  ...changes,
})
const leaseOf = (node: string) => ({ node, sinceMs: 0 })

const HOUR_MS = 3_600_000

/** Two nodes, both with an agent, and the pod cart on the second. */
async function start(): Promise<DeskHere> {
  const desk = startDesk()
  for (const number of [1, 2]) {
    desk.tenancies.putNode(nodeOf(number), 0)
    desk.leases.put(`meshtoll/meshtoll-n${number}`, leaseOf(`n${number}`))
  }
  desk.tenancies.putPod('shop/cart', CART, OWNER)
  await desk.turn()
  return desk
}

const CART_TOLD = '10.2.0.7 u1 100-, Deployment cart on n2'
const INSTANCE = 'id-0'

t.test('the first answer', async (t) => {
  const cases = [
    { name: 'nothing is asked for', addresses: [], told: ['n1 covers'] },
    { name: 'a pod', addresses: ['10.2.0.7'], told: ['n1 covers', 'n2 covers', CART_TOLD] },
    { name: 'twice', addresses: ['10.2.0.7', '10.2.0.7'], told: ['n1 covers', 'n2 covers', CART_TOLD] },
    { name: 'a node', addresses: ['192.168.0.2'], told: ['n1 covers', 'n2 covers', '192.168.0.2 node/n2 0-, Node n2 on n2'] },
    { name: 'nobody, in a range', addresses: ['10.2.0.9', '10.2.0.10'], told: ['n1 covers', 'n2 covers', '10.2.0.0/24 n2'] },
    { name: 'nobody, nowhere', addresses: ['10.9.0.9', '1.2.3.4'], told: ['n1 covers'] },
    { name: 'no addresses', addresses: ['', 'x', '010.2.0.7', '10.2.0.7 ', '::FFFF', '::ffff:10.2.0.7'], told: ['n1 covers'] },
  ]
  for (const { name, addresses, told } of cases) {
    const desk = await start()
    t.same(desk.listen({ addresses }).take(), ['session from 0', 'zones z1 z2', ...told, 'to 1'], name)
  }
})

t.test('a uid is that of a pod, whoever else has its address', async (t) => {
  const desk = await start()
  const cases = [
    { name: 'of the pod', uid: 'u1', addresses: ['10.2.0.7'] },
    { name: 'of one that comes later', uid: 'u9', addresses: ['10.2.0.7'] },
    { name: 'at an address that nobody has', uid: 'u1', addresses: ['10.9.0.9'] },
    { name: 'at none', uid: 'u1', addresses: [7, null, ''] },
  ]
  for (const { name, uid, addresses } of cases) t.equal(desk.shareUid(uid, addresses), uid, name)
})

t.test('all fields', async (t) => {
  const desk = await start()
  const lines = desk.listen({ addresses: ['10.2.0.7', '10.2.0.9'] }).takeRaw()
  const [opening] = lines
  t.match(opening, { session: /^id-\d$/, instance: INSTANCE, revision: 0 })
  const tenancy = {
    address: '10.2.0.7',
    key: 'u1',
    node: 'n2',
    coverage: 'node',
    zone: 'z2',
    region: 'r',
    namespace: CART.namespace,
    kind: 'Deployment',
    name: 'cart',
    fromMs: 100_000,
    untilMs: null,
  }
  t.same(lines.slice(1), [
    {
      zones: [
        { zone: 'z1', region: 'r' },
        { zone: 'z2', region: 'r' },
      ],
    },
    {
      nodes: [
        { name: 'n1', covers: true },
        { name: 'n2', covers: true },
      ],
    },
    { tenancies: [tenancy] },
    { ranges: [{ cidr: '10.2.0.0/24', node: 'n2' }] },
    { revision: 1 },
  ])
})

t.test('who is outside of the cluster', async (t) => {
  const who = { zone: 'z9', region: 'r', namespace: 'shop', kind: 'ServiceEntry', name: 'orders', external: false }
  const outside = (address: string, changes: Partial<Who> = {}): Tenancy => {
    const tenant: Tenant = { who: { ...who, ...changes }, node: '', coverage: 'outside' }
    return { address, key: 'serviceentry/shop/orders', tenant, fromMs: 0, untilMs: Number.POSITIVE_INFINITY }
  }
  const desk = await start()
  const internet = { zone: '', region: '', external: true }
  desk.tenancies.putLasting('serviceentry/shop/orders', [outside('10.9.0.5'), outside('8.8.8.8', internet), outside('10.2.0.9')], 0)
  await desk.turn()
  const lines = desk.listen({ addresses: ['10.9.0.5', '8.8.8.8', '10.2.0.9'] }).takeRaw()
  const { external, ...names } = who
  const row = { key: 'serviceentry/shop/orders', node: '', coverage: 'outside', ...names, fromMs: 0, untilMs: null }
  t.same(
    lines.flatMap(({ tenancies = [] }) => tenancies),
    [
      { ...row, address: '10.9.0.5' },
      { ...row, address: '8.8.8.8', ...internet },
      { ...row, address: '10.2.0.9' },
    ],
  )
  t.same(
    lines.flatMap(({ ranges = [] }) => ranges),
    [{ cidr: '10.2.0.0/24', node: 'n2' }],
    "an address of a node's range is still of that range",
  )
  const listening = desk.listen({ addresses: ['10.9.0.5'] })
  listening.take()
  desk.tenancies.removeLasting('serviceentry/shop/orders', 200_000)
  await desk.turn()
  t.same(listening.take(), ['10.9.0.5 serviceentry/shop/orders 0-200, ServiceEntry orders', 'to 3'])
})

t.test('what changes', async (t) => {
  const LATER_MS = 200_000
  const cases: { name: string; change: (desk: DeskHere) => void; told: readonly string[] }[] = [
    { name: 'nothing', change: () => undefined, told: [] },
    { name: 'a pod ends', change: ({ tenancies }) => tenancies.removePod('shop/cart', LATER_MS), told: ended(200) },
    {
      name: 'a pod takes its address over',
      change({ tenancies }) {
        tenancies.removePod('shop/cart', LATER_MS)
        tenancies.putPod('shop/web', { ...CART, uid: 'u2', startedMs: 201_000 }, { kind: 'Deployment', name: 'web' })
      },
      told: ['10.2.0.7 u1 100-200, Deployment cart on n2', '10.2.0.7 u2 201-, Deployment web on n2', 'to 2'],
    },
    {
      name: 'a pod comes to an address that nobody had',
      change: ({ tenancies }) => tenancies.putPod('shop/web', WEB, OWNER),
      told: ['10.2.0.8 u2 100-, Deployment cart on n2', 'to 2'],
    },
    {
      name: 'a pod comes to an address that nobody asks for',
      change: ({ tenancies }) => tenancies.putPod('shop/web', { ...WEB, addresses: ['10.2.0.99'] }, OWNER),
      told: [],
    },
    {
      name: 'on a node that was not named',
      change: ({ tenancies }) => tenancies.putPod('shop/web', { ...WEB, node: 'n3' }, OWNER),
      told: ['n3 does not cover', '10.2.0.8 u2 100-, Deployment cart on n3', 'to 2'],
    },
    {
      name: 'a node gets an agent',
      change: ({ leases, tenancies }) => {
        tenancies.putNode(nodeOf(3), 0)
        leases.put('meshtoll/meshtoll-n3', leaseOf('n3'))
      },
      told: ['zones z1 z2 z3', 'to 2'],
    },
    {
      name: 'a named node loses its agent',
      change: ({ leases }) => leases.remove('meshtoll/meshtoll-n2'),
      told: ['n2 does not cover', 'to 2'],
    },
    { name: 'the asking node does', change: ({ leases }) => leases.remove('meshtoll/meshtoll-n1'), told: ['n1 does not cover', 'to 2'] },
    {
      name: 'a node goes, and its Lease stays',
      change: ({ tenancies }) => tenancies.removeNode('n2', LATER_MS),
      told: ['zones z1', 'n2 does not cover', 'to 3'],
    },
    {
      name: 'a range is that of another node',
      change({ tenancies }) {
        tenancies.putNode(nodeOf(2, { podCidrs: [] }), 0)
        tenancies.putNode(nodeOf(3, { zone: '', podCidrs: ['10.2.0.0/24'] }), 0)
      },
      told: ['zones z1 z2', 'n3 does not cover', '10.2.0.0/24 n3', 'to 2'],
    },
  ]
  for (const { name, change, told } of cases) {
    const desk = await start()
    const agent = desk.listen({ addresses: ['10.2.0.7', '10.2.0.8'] })
    agent.take()
    change(desk)
    await desk.turn()
    t.same(agent.take(), told, name)
    await desk.turn()
    t.same(agent.take(), [], `${name}: once`)
  }
})

function ended(atS: number): readonly string[] {
  return [`10.2.0.7 u1 100-${atS}, Deployment cart on n2`, '10.2.0.0/24 n2', 'to 2']
}

t.test('a revision every 5 s', async (t) => {
  const desk = await start()
  const agent = desk.listen()
  agent.take()
  desk.clock.advance(4_999)
  await desk.turn()
  t.same(agent.take(), [])
  desk.clock.advance(1)
  await desk.turn()
  t.same(agent.take(), ['to 1'])
  await desk.turn()
  t.same(agent.take(), [])
})

t.test('more and less', async (t) => {
  const desk = await start()
  const agent = desk.listen()
  const other = desk.listen()
  for (const { take } of [agent, other]) take()
  agent.session.change({ add: ['10.2.0.7', '10.9.0.9', 'x'], drop: [] })
  agent.session.tell()
  t.same(agent.take(), ['n2 covers', CART_TOLD, 'to 2'])
  t.same({ asked: desk.book.asked, known: desk.book.known }, { asked: 2, known: 3 })
  agent.session.change({ add: ['10.2.0.7'], drop: [] })
  await desk.turn()
  t.same(agent.take(), [], 'one that it asked for already')
  agent.session.change({ add: [], drop: ['10.2.0.7', '10.9.0.9', '10.8.0.8', 'x'] })
  desk.tenancies.removePod('shop/cart', 200_000)
  await desk.turn()
  t.same(agent.take(), [], 'what it dropped it does not hear of')
  t.same(other.take(), [], 'nor does anybody else')
  t.equal(desk.book.asked, 0)
  t.equal(agent.session.change({ add: Array.from({ length: 100_001 }, String), drop: [] }), 'too many')
})

t.test('a watch that goes on from another tells what has changed', async (t) => {
  const addresses = ['10.2.0.7', '10.2.0.8']
  const cases: { name: string; change: (desk: DeskHere) => void; told: readonly string[] }[] = [
    {
      name: 'nothing',
      change: () => undefined,
      told: ['n1 covers', '10.2.0.8 u2 100-300, Deployment cart on n2', '10.2.0.0/24 n2', 'to 2'],
    },
    {
      name: 'a pod that came',
      change: ({ tenancies }) => tenancies.putPod('shop/mail', { ...WEB, uid: 'u3', startedMs: 400_000 }, OWNER),
      told: ['n1 covers', '10.2.0.8 u2 100-300, Deployment cart on n2', '10.2.0.8 u3 400-, Deployment cart on n2', 'to 3'],
    },
    {
      name: 'a node that lost its agent',
      change: ({ leases }) => leases.remove('meshtoll/meshtoll-n2'),
      told: ['n1 covers', 'n2 does not cover', '10.2.0.8 u2 100-300, Deployment cart on n2', '10.2.0.0/24 n2', 'to 3'],
    },
  ]
  for (const { name, change, told } of cases) {
    const desk = await start()
    desk.tenancies.putPod('shop/web', { ...WEB, endedMs: 300_000 }, OWNER)
    await desk.turn()
    const before = desk.listen({ addresses })
    t.same(before.take().at(-1), 'to 2')
    before.session.close()
    t.equal(desk.sessions.size, 0)
    change(desk)
    await desk.turn()
    const after = desk.listen({ addresses, instance: INSTANCE, revision: 2 })
    t.same(after.take(), ['session from 2', 'zones z1 z2', ...told], name)
    desk.leases.put('meshtoll/meshtoll-n2', leaseOf('n2'))
    desk.leases.remove('meshtoll/meshtoll-n1')
    await desk.turn()
    t.ok(after.take().includes('n1 does not cover'), `${name}: nodes are heard of`)
  }
})

t.test('a watch that cannot go on tells all', async (t) => {
  const all = ['session from 0', 'zones z1 z2', 'n1 covers', 'n2 covers', CART_TOLD, 'to 1']
  const cases = [
    { name: 'of another instance', instance: 'id-x', revision: 1 },
    { name: 'of a revision that there was not', instance: INSTANCE, revision: 2 },
    { name: 'from the beginning', instance: INSTANCE, revision: 0 },
  ]
  for (const { name, instance, revision } of cases) {
    const desk = await start()
    t.same(desk.listen({ addresses: ['10.2.0.7'], instance, revision }).take(), all, name)
  }
})

t.test('what broke off before its answer was whole is told again', async (t) => {
  const desk = await start()
  const agent = desk.listen({ addresses: ['192.168.0.1'] })
  agent.take()
  agent.session.change({ add: ['10.2.0.7'], drop: [] })
  agent.session.tell()
  agent.session.close()
  const after = desk.listen({ addresses: ['192.168.0.1', '10.2.0.7'], instance: INSTANCE, revision: 1 })
  t.same(after.take(), ['session from 1', 'zones z1 z2', 'n1 covers', 'n2 covers', CART_TOLD, 'to 2'])
})

t.test('who ended is remembered for an hour', async (t) => {
  const desk = await start()
  const first = desk.listen({ addresses: ['10.2.0.7'] })
  first.take()
  desk.tenancies.removePod('shop/cart', desk.clock.now())
  await desk.turn()
  t.match(first.take(), ['10.2.0.7 u1 100-1000, Deployment cart on n2', '10.2.0.0/24 n2', 'to 2'])
  desk.clock.advance(HOUR_MS - 1)
  await desk.turn()
  t.match(desk.listen({ addresses: ['10.2.0.7'] }).take()[3], /^n2/, 'still told')
  desk.clock.advance(60_000)
  await desk.turn()
  t.same(
    desk.listen({ addresses: ['10.2.0.7'] }).take(),
    ['session from 0', 'zones z1 z2', 'n1 covers', 'n2 covers', '10.2.0.0/24 n2', 'to 2'],
    'no longer',
  )
  t.same(desk.listen({ instance: INSTANCE, revision: 1 }).take()[0], 'session from 0', 'who did not hear of it hears all anew')
  t.same(desk.listen({ instance: INSTANCE, revision: 2 }).take()[0], 'session from 2', 'who did goes on')
})

t.test('a pod that was over for long when it was first heard of is nobody', async (t) => {
  const desk = await start()
  desk.clock.advance(2 * HOUR_MS)
  desk.tenancies.putPod('shop/job', { ...WEB, endedMs: 1_000_000 }, OWNER)
  desk.tenancies.removePod('shop/cart', 1_000_000)
  await desk.turn()
  const agent = desk.listen({ addresses: ['10.2.0.7', '10.2.0.8'] })
  t.same(
    agent.take().slice(4),
    ['10.2.0.7 u1 100-1000, Deployment cart on n2', '10.2.0.0/24 n2', 'to 2'],
    'but one that was alive has ended',
  )
})

t.test('addresses that nobody has and nobody asks for are forgotten', async (t) => {
  const desk = await start()
  t.equal(desk.book.size, 3)
  const agents = [1, 2].map(() => desk.listen({ addresses: ['10.9.0.1', '10.9.0.2'] }))
  t.equal(desk.book.size, 5)
  agents[0]?.session.close()
  t.equal(desk.book.size, 5)
  agents[1]?.session.change({ add: [], drop: ['10.9.0.1'] })
  t.equal(desk.book.size, 4)
  agents[1]?.session.close()
  t.equal(desk.book.size, 3)
  desk.tenancies.removePod('shop/cart', desk.clock.now())
  await desk.turn()
  desk.clock.advance(HOUR_MS + 60_000)
  await desk.turn()
  t.same({ size: desk.book.size, known: desk.book.known, asked: desk.book.asked }, { size: 2, known: 2, asked: 0 })
  const other = desk.listen({ addresses: ['10.9.0.3'] })
  other.take()
  desk.tenancies.putPod('shop/web', { ...WEB, addresses: ['10.9.0.3'] }, OWNER)
  await desk.turn()
  t.same(other.take(), ['n2 covers', '10.9.0.3 u2 100-, Deployment cart on n2', 'to 3'], 'whoever has their numbers now')
})

t.test('nodes that are gone give their numbers to others', async (t) => {
  const desk = await start()
  const agent = desk.listen({ addresses: ['10.2.0.7'] })
  desk.tenancies.removePod('shop/cart', desk.clock.now())
  desk.tenancies.removeNode('n2', desk.clock.now())
  await desk.turn()
  desk.clock.advance(HOUR_MS + 60_000)
  await desk.turn()
  agent.take()
  desk.tenancies.putNode(nodeOf(3, { zone: 'z1' }), 0)
  desk.tenancies.putPod('shop/cart', { ...CART, node: 'n3', uid: 'u9', startedMs: 5_000_000 }, OWNER)
  await desk.turn()
  t.same(agent.take(), ['zones z1', 'n3 does not cover', '10.2.0.7 u9 5000-, Deployment cart on n3', 'to 4'])
})

t.test('who reads slowly hears of many changes once, and holds up nobody', async (t) => {
  const desk = await start()
  const [slow, other] = [desk.listen({ addresses: ['10.2.0.7'] }), desk.listen({ addresses: ['10.2.0.7'] })]
  for (const { take } of [slow, other]) take()
  slow.stall()
  for (const [index, uid] of ['u2', 'u3', 'u4', 'u5'].entries()) {
    desk.tenancies.putPod('shop/cart', { ...CART, uid, startedMs: 200_000 + index * 1_000 }, OWNER)
    await desk.turn()
    desk.clock.advance(60_000)
    await desk.turn()
  }
  t.same(
    slow.take(),
    ['10.2.0.7 u1 100-200, Deployment cart on n2', '10.2.0.7 u2 200-, Deployment cart on n2'],
    'one piece, then nothing more',
  )
  t.equal(other.take().filter((line) => line.startsWith('to')).length, 8)
  slow.goOn()
  t.same(slow.take(), [
    '10.2.0.7 u1 100-200, Deployment cart on n2',
    '10.2.0.7 u2 200-201, Deployment cart on n2',
    '10.2.0.7 u3 201-202, Deployment cart on n2',
    '10.2.0.7 u4 202-203, Deployment cart on n2',
    '10.2.0.7 u5 203-, Deployment cart on n2',
    'to 5',
  ])
})

t.test('large answers come in pieces, each node before what is on it', async (t) => {
  const desk = startDesk()
  const addresses = Array.from({ length: 1_000 }, (_, index) => `10.${index >> 8}.${index & 255}.1`)
  for (const [index, address] of addresses.entries())
    desk.tenancies.putPod(`shop/${index}`, { ...CART, uid: `u${index}`, node: `m${index % 400}`, addresses: [address] }, OWNER)
  await desk.turn()
  for (const given of [{}, { instance: INSTANCE, revision: 1 }]) {
    const agent = desk.listen({ addresses, ...given })
    const named = new Set<unknown>()
    let told = 0
    for (const line of agent.takeRaw()) {
      const { nodes = [], tenancies = [] } = line as { nodes?: { name: string }[]; tenancies?: { node: string }[] }
      for (const { name } of nodes) named.add(name)
      t.ok(tenancies.length <= 40)
      t.same(
        tenancies.filter(({ node }) => !named.has(node)),
        [],
      )
      told += tenancies.length
    }
    t.same({ named: named.size, told }, 'revision' in given ? { named: 1, told: 0 } : { named: 401, told: 1_000 })
  }
})

t.test('many nodes at once', async (t) => {
  const desk = startDesk()
  const addresses = Array.from({ length: 300 }, (_, index) => `192.168.${index >> 8}.${index & 255}`)
  for (const [index, address] of addresses.entries()) desk.tenancies.putNode(nodeOf(index, { zone: '', internalIps: [address] }), 0)
  await desk.turn()
  const agent = desk.listen({ addresses })
  agent.takeRaw()
  for (const index of addresses.keys()) desk.leases.put(`n${index}`, leaseOf(`n${index}`))
  await desk.turn()
  const lines = agent.takeRaw().flatMap(({ nodes }) => (nodes === undefined ? [] : [nodes as { name: string; covers: boolean }[]]))
  t.ok(
    lines.every(({ length }) => length <= 40),
    'in lines that are not too long',
  )
  t.equal(new Set(lines.flat().flatMap(({ name, covers }) => (covers ? [name] : []))).size, 300)
})

t.test('what changes before it was told the first time is told once', async (t) => {
  const desk = await start()
  const slow = desk.listen({ addresses: ['10.2.0.7'] }, { isStalled: true })
  desk.tenancies.putPod('shop/web', { ...WEB, addresses: ['10.2.0.7'], startedMs: 200_000 }, OWNER)
  await desk.turn()
  slow.goOn()
  t.same(slow.take(), [
    'session from 0',
    'zones z1 z2',
    'n1 covers',
    'n2 covers',
    CART_TOLD,
    '10.2.0.7 u2 200-, Deployment cart on n2',
    'to 2',
  ])
})

t.test('when it closes', async (t) => {
  const desk = await start()
  const [agent, other] = [desk.listen({ addresses: ['10.2.0.7'] }), desk.listen()]
  agent.session.close()
  t.same([agent.isEnded, other.isEnded, desk.sessions.size], [true, false, 1])
  t.equal(desk.sessions.find(agent.session.id), undefined)
  desk.sessions.close()
  t.same([other.isEnded, desk.sessions.size], [true, 0])
  t.ok(desk.listen().isEnded, 'who comes later is told at once')
  t.ok(desk.sessions.lines >= 6)
})

const unheardIn = (lines: readonly Line[]): readonly unknown[] => lines.flatMap(({ unheard }) => (unheard ? [unheard] : []))

t.test('while its clock is doubted a pod is over for long, or forgotten, only where that is so by any time', async (t) => {
  const desk = startDesk(createSetClock)
  desk.clock.advance(3 * HOUR_MS)
  await desk.turn()
  const endedMs = desk.clock.monotonic() - 1_000
  desk.clock.set(2 * HOUR_MS)
  desk.tenancies.putPod('shop/job', { ...WEB, endedMs }, OWNER)
  await desk.turn()
  t.match(
    desk
      .listen({ addresses: ['10.2.0.8'] })
      .take()
      .join(),
    '10.2.0.8 u2',
  )

  const other = startDesk(createSetClock)
  other.clock.advance(3 * HOUR_MS)
  await other.turn()
  other.clock.set(-2 * HOUR_MS)
  const goneMs = other.clock.monotonic()
  other.tenancies.putPod('shop/job', { ...WEB, endedMs: goneMs }, OWNER)
  await other.turn()
  other.clock.advance(HOUR_MS + 61_000)
  await other.turn()
  const [{ unheard }] = other.listen({ addresses: ['10.2.0.8'] }).takeRaw() as [Line]
  t.match(unheard, [{ fromMs: 0, toMs: goneMs }])
})

t.test('what it has missed it says to all, at once and to those who come later', async (t) => {
  const desk = await start()
  desk.beginsToHear()
  const beganMs = desk.clock.now()
  const agent = desk.listen({ addresses: ['10.2.0.7'] })
  t.same(unheardIn(agent.takeRaw()), [[{ fromMs: 0, toMs: beganMs }]], 'all that ended before')
  desk.clock.advance(30_000)
  const missed = { fromMs: beganMs + 10_000, toMs: beganMs + 30_000 }
  desk.tenancies.miss(missed)
  await desk.turn()
  t.same(unheardIn(agent.takeRaw()), [[missed]])
  await desk.turn()
  t.same(unheardIn(agent.takeRaw()), [], 'said once')
  t.same(unheardIn(desk.listen({ addresses: ['10.2.0.7'] }).takeRaw()), [[{ fromMs: 0, toMs: beganMs }, missed]])
  desk.clock.advance(HOUR_MS)
  await desk.turn()
  t.same(unheardIn(desk.listen().takeRaw()), [[{ fromMs: 0, toMs: beganMs }]], 'remembered for an hour')
})

t.test('what it has missed after its clock was set back it says as well', async (t) => {
  const desk = await start()
  desk.beginsToHear()
  const agent = desk.listen({ addresses: ['10.2.0.7'] })
  agent.takeRaw()
  desk.clock.set(-600_000)
  for (const forMs of [10_000, 20_000]) {
    const missed = { fromMs: desk.clock.now() - forMs, toMs: desk.clock.now() }
    desk.tenancies.miss(missed)
    await desk.turn()
    t.same(unheardIn(agent.takeRaw()), [[missed]])
  }
})

t.test('a clock that was ahead leaves no time to be missed that is yet to come', async (t) => {
  const desk = await start()
  desk.beginsToHear()
  desk.clock.set(-600_000)
  desk.clock.advance(60_000)
  await desk.turn()
  t.same(unheardIn(desk.listen().takeRaw()), [[{ fromMs: 0, toMs: desk.clock.now() }]])
})

t.test('while its clock is doubted who came and went by it is not certain, nor when something was missed', async (t) => {
  const desk = startDesk(createSetClock)
  await desk.turn()
  const agent = desk.listen()
  agent.takeRaw()
  const [byMs, missedMs] = [600_000, 5_000]
  desk.clock.set(-byMs)
  await desk.turn()
  t.same(unheardIn(agent.takeRaw()), [[{ fromMs: 0, toMs: desk.clock.now() + byMs }]])
  desk.clock.advance(2 * byMs)
  const nowMs = desk.clock.now()
  desk.tenancies.miss({ fromMs: nowMs - missedMs, toMs: nowMs })
  await desk.turn()
  t.same(unheardIn(agent.takeRaw()), [[{ fromMs: nowMs - missedMs - byMs, toMs: nowMs + byMs }]])
  desk.clock.advance(HOUR_MS)
  await desk.turn()
  const laterMs = desk.clock.now()
  desk.tenancies.miss({ fromMs: laterMs - missedMs, toMs: laterMs })
  await desk.turn()
  t.same(unheardIn(agent.takeRaw()), [[{ fromMs: laterMs - missedMs, toMs: laterMs }]], 'and trusted again')
})

t.test('its clock is set by an hour: no byte is an other pod’s for certain', async (t) => {
  const ADDRESS = '10.1.0.7'
  const podOf = (name: string, changes: Partial<PodFacts>): [string, PodFacts, typeof OWNER] => [
    `shop/${name}`,
    { ...CART, uid: `uid-${name}`, node: 'n1', addresses: [ADDRESS], ...changes },
    { kind: 'Deployment', name },
  ]
  const cases = [
    {
      name: 'the first is removed by force, and nobody says when it went',
      happens: ({ tenancies, clock }: DeskHere, trueMs: number) => {
        tenancies.removePod('shop/first', clock.now())
        tenancies.putPod(...podOf('second', { startedMs: trueMs + 1_000 }))
      },
    },
    {
      name: 'the second gets its address after a restart of its node, and nobody says when',
      happens: ({ tenancies, clock }: DeskHere, trueMs: number) => {
        tenancies.putPod(...podOf('first', { startedMs: 100_000, endedMs: trueMs - 1_000 }))
        tenancies.putPod(...podOf('second', { startedMs: 100_000 }), { atMs: clock.now() })
      },
    },
  ]
  for (const { name, happens } of cases)
    for (const byMs of [-HOUR_MS, HOUR_MS]) {
      const desk = startDesk(createSetClock)
      const trueMs = (): number => desk.clock.monotonic()
      desk.clock.advance(2 * HOUR_MS)
      desk.tenancies.putPod(...podOf('first', { startedMs: 100_000 }))
      desk.tenancies.putPod(...podOf('second', { startedMs: 100_000, addresses: ['10.1.0.8'] }))
      await desk.turn()
      const told = desk.listen({ addresses: [ADDRESS] })
      const names = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => true, monotonic: trueMs })
      const hear = async (): Promise<void> => {
        await desk.turn()
        const lines = told.takeRaw().map((line) => parseDirectoryLine(JSON.stringify(line)))
        const changes = { tenancies: lines.flatMap((line) => line.tenancies), unheard: lines.flatMap((line) => line.unheard ?? []) }
        names.apply({ ...changes, isCurrent: true, standing: 'yes', covering: new Set() }, trueMs())
      }
      await hear()
      let readMs = trueMs()
      let placement = names.placeSince(ADDRESS, undefined, { fromMs: readMs - 10_000, toMs: readMs })
      const ownerAfter = async (ms: number): Promise<string> => {
        desk.clock.advance(ms)
        await hear()
        placement = names.placeSince(ADDRESS, placement, { fromMs: readMs, toMs: trueMs() })
        readMs = trueMs()
        return placement?.ambiguous ? 'any' : (placement?.who.name ?? 'nobody')
      }
      desk.clock.set(byMs)
      // Time enough for an agent to know who has it by now, whatever was before.
      for (let times = 0; times < 14; times++) await ownerAfter(10_000)
      t.equal(await ownerAfter(10_000), 'first', `${name}, ${byMs}: who has had it all the while keeps it`)
      desk.clock.advance(5_000)
      happens(desk, trueMs())
      t.equal(await ownerAfter(5_000), 'any', `${name}, ${byMs}: what came around the change`)
      const later: string[] = []
      for (let times = 0; times < 60; times++) later.push(await ownerAfter(10_000))
      t.same(
        [...new Set(later)].filter((one) => one !== 'any' && one !== 'second'),
        [],
        `${name}, ${byMs}: what came later`,
      )
    }
})

t.test('while it does not hear of changes itself it does not say that all is told', async (t) => {
  const desk = await start()
  const agent = desk.listen({ addresses: ['10.2.0.7', '10.2.0.8'] })
  agent.take()
  desk.hears(false)
  desk.clock.advance(20_000)
  await desk.turn()
  t.same(agent.take(), [])
  desk.tenancies.putPod('shop/web', { ...WEB, addresses: ['10.2.0.8'] }, OWNER)
  await desk.turn()
  t.same(agent.take(), ['10.2.0.8 u2 100-, Deployment cart on n2'], 'what it hears all the same it says')
  desk.hears(true)
  await desk.turn()
  t.same(agent.take(), ['to 2'])
})

t.test('who asks for the first time hears up to when it is forgotten who had an address', async (t) => {
  const desk = await start()
  const openingOf = (asking = {}) => desk.listen({ addresses: ['10.2.0.7'], ...asking }).takeRaw()[0] as Line
  t.same(openingOf()['unheard'], [])
  desk.tenancies.removePod('shop/cart', 200_000)
  desk.tenancies.putPod('shop/web', { ...WEB, addresses: ['10.2.0.7'], startedMs: 210_000 }, { ...OWNER, name: 'web' })
  await desk.turn()
  const { revision } = desk
    .listen({ addresses: ['10.2.0.7'] })
    .takeRaw()
    .at(-1) as Line
  t.same(openingOf()['unheard'], [], 'not yet')
  desk.clock.advance(HOUR_MS + 61_000)
  await desk.turn()
  t.same(openingOf()['unheard'], [{ fromMs: 0, toMs: 200_000 }])
  t.same(openingOf({ instance: INSTANCE, revision })['unheard'], [], 'who goes on was told')
})

t.test('a node whose clock is ahead does not make it a time that is yet to come', async (t) => {
  const desk = await start()
  const heardMs = desk.clock.now()
  desk.tenancies.removePod('shop/cart', heardMs + 86_400_000)
  await desk.turn()
  desk.clock.advance(HOUR_MS + 61_000)
  await desk.turn()
  const [{ unheard }] = desk.listen({ addresses: ['10.2.0.7'] }).takeRaw() as [Line]
  t.match(unheard, [{ fromMs: 0 }])
  t.ok(
    (unheard as readonly { readonly toMs: number }[]).every(({ toMs }) => toMs <= heardMs),
    JSON.stringify(unheard),
  )
})
