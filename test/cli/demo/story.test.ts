import t from 'tap'
import { podsOf, renderConfig, renderInventory, STORY, topologyOf } from '../../../src/cli/demo/story.js'
import { addressOf } from '../../../src/cli/demo/traffic.js'
import { parseConfig } from '../../../src/config/config.js'
import { parseInventory } from '../../../src/config/inventory.js'
import { planOf } from '../../../src/lab/plan.js'

const ends = [...podsOf(STORY), ...STORY.hosts]

t.test('three nodes in three zones, two or more pods on each', async (t) => {
  t.equal(new Set(STORY.nodes.map(({ zone }) => zone)).size, 3)
  for (const { name, pods } of STORY.nodes) t.ok(pods.length >= 2, name)
  t.doesNotThrow(() => planOf(topologyOf(STORY)), 'names that can be devices')
})

t.test('no address is there twice', async (t) => {
  const addresses = [...STORY.nodes, ...ends].flatMap(({ address, address6 }) => [address, address6])
  t.equal(new Set(addresses).size, addresses.length)
})

t.test('everybody who sends and receives exists', async (t) => {
  const names = ends.map(({ name }) => name)
  for (const { from, to } of STORY.traffic) t.ok(names.includes(from) && names.includes(to), `${from} -> ${to}`)
})

t.test('what listens on a port answers everybody alike', async (t) => {
  for (const one of STORY.traffic) {
    const others = STORY.traffic.filter(({ to, port }) => to === one.to && port === one.port)
    const kindOf = (other: typeof one): unknown => (other.kind === 'calls' ? [other.request, other.response] : other.kind)
    for (const other of others) t.same(kindOf(other), kindOf(one), `${one.to}:${one.port}`)
  }
})

t.test('owners that exchange datagrams exchange nothing else, so that their bytes can be told from the payload', async (t) => {
  const between = ({ from, to }: { from: string; to: string }): string =>
    [from, to].map((name) => ends.find((end) => end.name === name)?.owner.name).join(' ')
  const datagrams = STORY.traffic.filter(({ kind }) => kind === 'datagrams')
  t.ok(datagrams.length > 0)
  const others = STORY.traffic
    .filter(({ kind }) => kind !== 'datagrams')
    .flatMap(({ from, to }) => [between({ from, to }), between({ from: to, to: from })])
  for (const one of datagrams) t.notOk(others.includes(between(one)), between(one))
})

t.test('what the agents are given has no mistakes', async (t) => {
  const inventory = parseInventory(renderInventory(STORY), {})
  t.same(inventory.mistakes, [])
  t.equal(inventory.entries.length, 2 * (STORY.nodes.length + ends.length), 'two addresses each')
  t.match(
    inventory.entries.find(({ cidr }) => cidr === '10.1.3.4/32'),
    { zone: 'us-east-1c', region: 'us-east-1', namespace: 'shop', ownerKind: 'StatefulSet', ownerName: 'stock', node: 'node-c' },
  )
  t.match(
    inventory.entries.find(({ cidr }) => cidr === '10.0.9.5/32'),
    { zone: 'us-east-1b', ownerName: 'orders-db', node: '' },
    'a database that no agent covers',
  )
  for (const node of STORY.nodes) {
    const { config, mistakes } = parseConfig(renderConfig(STORY, node), {})
    t.same(mistakes, [])
    t.match(config, { node: { name: node.name, zone: node.zone }, inventory: { file: 'inventory.yaml' } })
  }
})

t.test('whom traffic goes to', async (t) => {
  const traffic = { kind: 'stream', from: 'web-a', to: 'stock', port: 1, bytesPerSecond: 1 } as const
  const cases = [
    { name: 'IPv4', traffic, ipv6: true, address: '10.1.3.4' },
    { name: 'IPv6', traffic: { ...traffic, ipv6: true }, ipv6: true, address: 'fd01:0:3::4' },
    { name: 'IPv6 that the kernel has not', traffic: { ...traffic, ipv6: true }, ipv6: false, address: '10.1.3.4' },
  ]
  for (const { name, traffic, ipv6, address } of cases) t.equal(addressOf(traffic, { story: STORY, ipv6 }), address, name)
})
