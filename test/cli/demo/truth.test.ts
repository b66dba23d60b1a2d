import t from 'tap'
import type { Story, Traffic } from '../../../src/cli/demo/story.js'
import { checksOf, type Facts } from '../../../src/cli/demo/truth.js'
import { snapshotOf } from './sample.js'

const STATSD: Traffic = { kind: 'datagrams', from: 'web-1', to: 'statsd-1', port: 8125, bytesPerSecond: 1, size: 100 }
const owner = (name: string) => ({ namespace: 'shop', kind: 'Deployment', name })
const STORY: Story = {
  region: 'r',
  nodes: [
    {
      name: 'node-a',
      zone: 'z1',
      address: '10.0.1.1',
      address6: 'fd00::1',
      pods: [{ name: 'web-1', address: '10.1.1.1', address6: 'fd01::1', owner: owner('web') }],
    },
    {
      name: 'node-b',
      zone: 'z2',
      address: '10.0.2.1',
      address6: 'fd00::2',
      pods: [{ name: 'statsd-1', address: '10.1.2.1', address6: 'fd01::2', owner: owner('statsd') }],
    },
  ],
  hosts: [{ name: 'db', address: '10.0.9.1', address6: 'fd00::9', zone: 'z2', owner: { namespace: '', kind: 'Database', name: 'orders' } }],
  traffic: [STATSD],
}

const metrics = (bytes: number) => ({ from: 'z1/shop/Deployment/web', to: 'z2/shop/Deployment/statsd', scope: 'cross_zone', bytes })
const answer = (bytes: number) => ({ from: 'z2//Database/orders', to: 'z1/shop/Deployment/web', scope: 'cross_zone', bytes })

/** 10 packets of 100 bytes sent by web, 500 bytes by the database, all of it counted on node-a. */
const nodeA = snapshotOf({ node: 'node-a', flows: [metrics(1_280), answer(500)], books: { observed: 1_780 } })
const nodeB = snapshotOf({ node: 'node-b', books: { observed: 1_280, elsewhere: 1_280 } })
const interfaces = new Map(Object.entries({ 'web-1': 1_280, 'statsd-1': 0, db: 500, 'node-a': 0, 'node-b': 0 }))
const FACTS: Facts = {
  story: STORY,
  agents: [nodeA, nodeB],
  interfaces,
  payload: [{ traffic: STATSD, bytes: 1_000, packets: 10 }],
  ipv6: true,
}

const failedOf = (facts: Facts): readonly string[] =>
  checksOf(facts)
    .filter(({ level }) => level !== 'ok')
    .map(({ name }) => name)

t.test('what fails', async (t) => {
  const cases: readonly { name: string; facts: Partial<Facts>; failed: readonly string[] }[] = [
    { name: 'nothing, when every number is the same', facts: {}, failed: [] },
    {
      name: 'a byte that a program of a node sent',
      facts: { interfaces: new Map([...interfaces, ['node-b', 1]]) },
      failed: ['sent = counted'],
    },
    {
      name: 'bytes given to another owner',
      facts: { agents: [snapshotOf({ flows: [metrics(1_279), answer(501)], books: { observed: 1_780 } }), nodeB] },
      failed: ['each sender', 'UDP'],
    },
    {
      name: 'bytes of somebody whom nobody knows',
      facts: {
        agents: [
          snapshotOf({ flows: [metrics(1_280), answer(400), { ...answer(100), from: '_unknown///' }], books: { observed: 1_780 } }),
          nodeB,
        ],
      },
      failed: ['each sender'],
    },
    { name: 'a packet that was not counted', facts: { payload: [{ traffic: STATSD, bytes: 1_100, packets: 11 }] }, failed: ['UDP'] },
    {
      name: 'headers of IPv6',
      facts: { payload: [{ traffic: { ...STATSD, ipv6: true }, bytes: 1_000, packets: 10 }] },
      failed: ['UDP'],
    },
    {
      name: 'datagrams without IPv6 in the kernel',
      facts: { payload: [{ traffic: { ...STATSD, ipv6: true }, bytes: 1_000, packets: 10 }], ipv6: false },
      failed: [],
    },
    {
      name: 'books that do not balance on one node',
      facts: { agents: [nodeA, snapshotOf({ node: 'node-b', books: { observed: 1_280, elsewhere: 1_279, difference: 1 } })] },
      failed: ['books'],
    },
    {
      name: 'zones that add up to more than the owners',
      facts: { agents: [snapshotOf({ flows: [metrics(1_280), answer(500)], zones: [1_280, 501], books: { observed: 1_780 } }), nodeB] },
      failed: ['sums'],
    },
    {
      name: 'nothing at all was sent',
      facts: { agents: [snapshotOf({})], interfaces: new Map([['web-1', 0]]), payload: [] },
      failed: ['sent = counted', 'each sender', 'UDP', 'books'],
    },
  ]
  for (const { name, facts, failed } of cases) t.same(failedOf({ ...FACTS, ...facts }), failed, name)
})

t.test('what is said', async (t) => {
  t.same(checksOf(FACTS)[0], { name: 'sent = counted', level: 'ok', says: '1,780 bytes by the interfaces of 5 namespaces', remedy: [] })
  const [, senders] = checksOf({ ...FACTS, interfaces: new Map([...interfaces, ['db', 512]]) })
  t.same(senders, { name: 'each sender', level: 'fail', says: '1 of 3 differ', remedy: ['z2/Database/orders: sent 512, counted 500'] })
})
