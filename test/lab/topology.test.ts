// Three zones on one machine: everybody reaches everybody, and nothing crosses a wire but what somebody sent.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseNetDev, receivedIpBytes, sentIpBytes } from '../../src/lab/counters.js'
import { createTopology, hasIpv6, type Topology } from '../../src/lab/topology.js'
import { THREE_ZONES } from './three-zones.js'
import { eventually, worldTest } from './world.js'

const UDP_HEADERS = 28
const UDP_HEADERS_6 = 48

async function allPackets(topology: Topology): Promise<number> {
  const devices = await Promise.all(topology.names.map((name) => topology.run(name, ['cat', '/proc/net/dev'])))
  return devices.flatMap((text) => [...parseNetDev(text).values()]).reduce((sum, { sentPackets }) => sum + sentPackets, 0)
}

await worldTest(import.meta.url, async (t) => {
  const start = performance.now()
  const topology = await createTopology(THREE_ZONES)
  const built = performance.now() - start
  t.teardown(() => topology.close())

  t.test('three nodes, six pods and two hosts are built within two seconds', async (t) => {
    t.comment(`built in ${Math.round(built)} ms`)
    t.ok(built < 2_000)
    t.equal(topology.names.length, 12)
  })

  t.test('an idle lab is silent: no ARP, no neighbour discovery, no multicast reports', async (t) => {
    // The kernel's first unsolicited MLD report follows within a second of joining a group.
    await sleep(1_500)
    t.equal(await allPackets(topology), 0)
  })

  const paths = [
    { name: 'pod to pod on another node', from: 'p1a', to: '10.1.2.2', on: 'p2a' },
    { name: 'pod to pod on the same node', from: 'p1a', to: '10.1.1.3', on: 'p1b' },
    { name: 'pod to database', from: 'p2b', to: '10.0.9.5', on: 'database' },
    { name: 'database to pod', from: 'database', to: '10.1.3.2', on: 'p3a' },
    { name: 'pod to the internet', from: 'p3b', to: '198.51.100.7', on: 'internet' },
    { name: 'host process to pod of its node', from: 'n1', to: '10.1.1.2', on: 'p1a' },
    { name: 'host process to host process', from: 'n3', to: '10.0.1.10', on: 'n1' },
    { name: 'pod to its own node', from: 'p2a', to: '10.0.2.10', on: 'n2' },
    { name: 'an address in a range', from: 'p1b', to: '203.0.77.12', on: 'internet' },
    { name: 'pod to pod over IPv6', from: 'p1a', to: 'fd01:0:3::2', on: 'p3a' },
    { name: 'pod to database over IPv6', from: 'p1b', to: 'fd00:0:9::5', on: 'database' },
    { name: 'an IPv6 address in a range', from: 'p2b', to: '2001:db8:1::99', on: 'internet' },
  ]
  for (const { name, from, to, on } of paths) {
    const skip = to.includes(':') && !hasIpv6() && 'this kernel has no IPv6'
    t.test(`${name}: TCP and UDP arrive`, { skip }, async (t) => {
      const tcp = await topology.peer(on).listenTcp({ port: 5000 })
      const sent = await topology.peer(from).sendTcp({ to, port: 5000, bytes: 3_000_000, streams: 2 })
      t.match(await tcp.close(), { receivedBytes: 3_000_000, connections: 2, failed: 0 })
      t.match(sent, { sentBytes: 3_000_000, connections: 2, failed: 0 })

      const udp = await topology.peer(on).listenUdp({ port: 5000, host: to.includes(':') ? '::' : '0.0.0.0' })
      await topology.peer(from).sendUdp({ to: [to], port: 5000, size: 100, packets: 10 })
      await eventually('ten packets', async () => ((await udp.counts()).receivedPackets === 10 ? true : undefined))
      await udp.close()
    })
  }

  const floods = [
    { name: 'many packets between two addresses', from: 'p1a', to: ['10.1.2.3'], on: ['p2b'], headers: UDP_HEADERS, packets: 20_000 },
    {
      name: 'a packet to each of 50,000 addresses',
      from: 'p1b',
      to: [{ first: '203.0.0.0', count: 50_000 }],
      on: ['internet'],
      headers: UDP_HEADERS,
      packets: 1,
    },
    { name: 'IPv6', from: 'p2a', to: [{ first: '2001:db8:1::', count: 5_000 }], on: ['internet'], headers: UDP_HEADERS_6, packets: 1 },
  ] as const
  for (const { name, from, to, on, headers, packets } of floods) {
    t.test(`${name}: the counters say what the peer says, to the byte`, { skip: headers === UDP_HEADERS_6 && !hasIpv6() }, async (t) => {
      const before = await topology.device(from)
      const sink = await topology.peer(on[0]).listenUdp({ port: 6000, host: headers === UDP_HEADERS ? '0.0.0.0' : '::' })
      const sent = await topology.peer(from).sendUdp({ to, port: 6000, size: 200, packets })
      const after = await topology.device(from)
      await sink.close()
      t.comment(`${Math.round(sent.sentPackets / sent.seconds)} packets/s`)
      t.equal(sent.failed, 0)
      t.equal(after.sentPackets - before.sentPackets, sent.sentPackets)
      t.equal(sentIpBytes(after) - sentIpBytes(before), sent.sentBytes + headers * sent.sentPackets)
    })
  }

  t.test('many source addresses: each sends from its own', async (t) => {
    const sink = await topology.peer('p1a').listenUdp({ port: 6001 })
    const before = await topology.device('internet')
    const sent = await topology
      .peer('internet')
      .sendUdp({ from: [{ first: '203.0.1.0', count: 500 }], to: ['10.1.1.2'], port: 6001, size: 50, packets: 4 })
    t.match(sent, { sentPackets: 2_000, failed: 0 })
    t.equal(sentIpBytes(await topology.device('internet')) - sentIpBytes(before), 2_000 * (50 + UDP_HEADERS))
    await sink.close()
  })

  t.test('what one end of a wire has sent the other has received', async (t) => {
    const pod = await topology.device('p1a')
    const node = await topology.device('n1', 'v-p1a')
    t.equal(receivedIpBytes(node), sentIpBytes(pod))
    t.equal(sentIpBytes(node), receivedIpBytes(pod))
  })

  t.test('many short connections', async (t) => {
    const server = await topology.peer('p2a').listenTcp({ port: 7000, request: 300, response: 1_000 })
    const sent = await topology.peer('p1a').exchange({ to: '10.1.2.2', port: 7000, connections: 2_000, request: 300, response: 1_000 })
    t.comment(`${Math.round(2_000 / sent.seconds)} connections/s`)
    t.match(sent, { connections: 2_000, sentBytes: 600_000, receivedBytes: 2_000_000, failed: 0 })
    t.match(await server.close(), { connections: 2_000, receivedBytes: 600_000, sentBytes: 2_000_000, failed: 0 })
  })

  t.test('bulk', async (t) => {
    const sink = await topology.peer('p3a').listenTcp({ port: 7001 })
    const sent = await topology.peer('p1a').sendTcp({ to: '10.1.3.2', port: 7001, bytes: 500_000_000 })
    t.comment(`${(sent.sentBytes / sent.seconds / 1e9).toFixed(2)} GB/s`)
    t.match(await sink.close(), { receivedBytes: 500_000_000 })
  })

  for (const protocol of ['tcp', 'udp'] as const) {
    t.test(`a steady ${protocol} stream keeps its rate until it is stopped`, async (t) => {
      const request = { port: 7002 }
      const sink = protocol === 'tcp' ? await topology.peer('p2a').listenTcp(request) : await topology.peer('p2a').listenUdp(request)
      const stream = await topology.peer('p1a').pace({ protocol, to: '10.1.2.2', port: 7002, bytesPerSecond: 2_000_000 })
      const { sentBytes, seconds } = await eventually('a second of it', async () => {
        const counts = await stream.counts()
        return counts.seconds >= 1 ? counts : undefined
      })
      t.ok(Math.abs(sentBytes / seconds / 2_000_000 - 1) < 0.1, `${Math.round(sentBytes / seconds)} B/s`)
      const sent = await stream.close()
      await eventually('all received', async () => ((await sink.counts()).receivedBytes === sent.sentBytes ? true : undefined))
      t.equal((await sink.close()).receivedBytes, sent.sentBytes)
    })
  }

  t.test('an error says who and what', async (t) => {
    await t.rejects(topology.peer('p1a').sendTcp({ to: '10.1.2.2', port: 9, bytes: 1 }), /p1a: connect ECONNREFUSED 10.1.2.2:9/)
    await t.rejects(topology.run('p1a', ['sh', '-c', 'echo no such luck >&2; exit 3']), /p1a: sh .*: exit 3: no such luck/)
    await t.rejects(topology.device('p1a', 'eth7'), /no device eth7 in p1a/)
  })
})
