import t from 'tap'
import { parseNetDev, receivedIpBytes, sentIpBytes } from '../../src/lab/counters.js'
import { addressAt, eachAddress } from '../../src/lab/peer-protocol.js'
import { macOf, planOf, type TopologySpec, withoutIpv6 } from '../../src/lab/plan.js'
import { THREE_ZONES } from './three-zones.js'

t.test('planOf', async (t) => {
  const pod = { name: 'a', address: '10.1.1.2' }
  const spec: TopologySpec = {
    nodes: [{ name: 'n1', zone: 'z1', address: '10.0.1.10', address6: 'fd00::10', pods: [pod] }],
    hosts: [{ name: 'db', address: '10.0.9.5', ranges: ['203.0.113.0/24'] }],
  }
  const plan = planOf(spec)
  const batchOf = (name: string): string => plan.namespaces.find((one) => one.name === name)?.batch.join('\n') ?? ''

  t.same(
    plan.namespaces.map(({ name, forwards }) => ({ name, forwards })),
    [
      { name: 'cloud', forwards: true },
      { name: 'n1', forwards: true },
      { name: 'db', forwards: false },
      { name: 'a', forwards: false },
    ],
    'nodes and the cloud forward, pods and hosts do not',
  )
  t.match(batchOf('cloud'), 'route add 10.1.1.2/32 via 10.0.1.10 dev n1 onlink', 'the cloud knows which node a pod is on')
  t.match(batchOf('cloud'), 'route add 203.0.113.0/24 via 10.0.9.5 dev db onlink', 'and which host a range is on')
  t.match(batchOf('n1'), 'route add 10.1.1.2/32 dev v-a', 'a node knows the device of its pod')
  t.match(batchOf('db'), 'route add local 203.0.113.0/24 dev lo', 'a range is local where it lives')
  t.notMatch(batchOf('a'), '::', 'no IPv6 where none is declared')

  t.test('mistakes', async (t) => {
    const node = { name: 'n1', zone: 'z', address: '10.0.0.1', pods: [pod] }
    const cases = [
      { name: 'two of a name', spec: { nodes: [node], hosts: [{ name: 'a', address: '10.0.0.9' }] }, error: /two are called a/ },
      { name: 'the name of the router', spec: { nodes: [{ ...node, name: 'cloud' }], hosts: [] }, error: /two are called cloud/ },
      {
        name: 'a name too long for a device',
        spec: { nodes: [], hosts: [{ name: 'abcdefghijklmn', address: '10.0.0.9' }] },
        error: /no name/,
      },
      {
        name: 'IPv6 on a pod whose node has none',
        spec: { nodes: [{ ...node, pods: [{ ...pod, address6: 'fd01::2' }] }], hosts: [] },
        error: /fd01::2\/128 needs an IPv6 address of n1/,
      },
    ]
    for (const { name, spec, error } of cases) t.throws(() => planOf(spec), error, name)
    t.throws(() => macOf(spec, 'nobody'), /no pod, node or host is called nobody/)
  })
})

t.test('withoutIpv6', async (t) => {
  const plan = planOf(withoutIpv6(THREE_ZONES))
  t.same(
    plan.namespaces.flatMap(({ batch }) => batch.filter((line) => line.includes(':0:') || line.includes('::'))),
    [],
  )
  t.match(withoutIpv6(THREE_ZONES).hosts[1], { name: 'internet', ranges: ['203.0.0.0/16'] })
})

t.test('addresses of a range', async (t) => {
  const cases = [
    { name: 'the first', first: '10.0.0.0', index: 0, address: '10.0.0.0' },
    { name: 'past a byte', first: '10.0.0.250', index: 10, address: '10.0.1.4' },
    { name: 'above 127', first: '203.0.255.255', index: 1, address: '203.1.0.0' },
    { name: 'IPv6', first: '2001:db8::', index: 65_537, address: '2001:db8::1:1' },
  ]
  for (const { name, first, index, address } of cases) t.equal(addressAt(first, index), address, name)
  t.same([...eachAddress(['192.0.2.1', { first: '10.0.0.1', count: 2 }])], ['192.0.2.1', '10.0.0.1', '10.0.0.2'])
})

t.test('parseNetDev', async (t) => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
v-cart: 1140      10    1    2    3     4          5         6      228       2    0    0    0     0       0          0
`
  const counters = parseNetDev(text)
  const device = { receivedBytes: 1_140, receivedPackets: 10, sentBytes: 228, sentPackets: 2 }
  t.same(counters.get('v-cart'), device)
  t.equal(receivedIpBytes(device), 1_000, 'frames less their Ethernet headers')
  t.equal(sentIpBytes(device), 200)
  t.equal(counters.size, 2)
})
