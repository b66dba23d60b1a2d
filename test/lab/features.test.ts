import type { Test } from 'tap'
import { readDevice, sentIpBytes } from '../../src/lab/counters.js'
import { addBridge, addPfifo, addVxlan, countHostOutput, kubeRulesOf, loadRules, withoutGso } from '../../src/lab/features.js'
import type { Running } from '../../src/lab/peer-client.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { THREE_ZONES } from './three-zones.js'
import { eventually, worldTest } from './world.js'

const SERVICE = { address: '10.96.0.10', port: 80, nodePort: 30_080, backend: '10.1.2.2', backendPort: 8080 }

async function build(t: Test): Promise<Topology> {
  const topology = await createTopology(THREE_ZONES)
  t.teardown(() => topology.close())
  return topology
}

/** Who a server saw as its client. */
async function clientSeenBy(topology: Topology, server: string, ask: () => Promise<unknown>): Promise<string> {
  const script = `const s = require('net').createServer(c => { console.log('from ' + c.remoteAddress); c.resume(); c.end('x') }).listen(8080, '0.0.0.0', () => console.log('up'))`
  const program = topology.start(server, [process.execPath, '-e', script])
  await program.waitFor(/up/)
  await ask()
  await program.waitFor(/from/)
  await program.stop('SIGKILL')
  return /from (.*)/.exec(program.stdout())?.[1] ?? ''
}

const arrived = (sink: Running, packets: number): Promise<true> =>
  eventually(`${packets} packets`, async () => ((await sink.counts()).receivedPackets === packets ? true : undefined))

const sendOne = (topology: Topology, from: string, to: string, port: number) => () =>
  topology.peer(from).exchange({ to, port, connections: 1, request: 1, response: 1 })

await worldTest(import.meta.url, async (t) => {
  t.test('services: who asks what and is seen as whom', async (t) => {
    const topology = await build(t)
    for (const node of ['n1', 'n2']) await loadRules(topology, node, kubeRulesOf(topology, node, { services: [SERVICE], masquerade: true }))
    const cases = [
      { name: 'a pod asks the virtual address', from: 'p1a', to: '10.96.0.10', port: 80, server: 'p2a', seen: '10.1.1.2' },
      { name: 'a host process asks the virtual address', from: 'n1', to: '10.96.0.10', port: 80, server: 'p2a', seen: '10.0.1.10' },
      {
        name: 'from outside to a node port of another node',
        from: 'internet',
        to: '10.0.1.10',
        port: 30_080,
        server: 'p2a',
        seen: '10.0.1.10',
      },
      {
        name: 'from outside to a node port of the same node',
        from: 'internet',
        to: '10.0.2.10',
        port: 30_080,
        server: 'p2a',
        seen: '10.0.2.10',
      },
      { name: 'a pod leaves the cluster', from: 'p1b', to: '10.0.9.5', port: 8080, server: 'database', seen: '10.0.1.10' },
      { name: 'a pod of a node without masquerade leaves', from: 'p3b', to: '10.0.9.5', port: 8080, server: 'database', seen: '10.1.3.3' },
      { name: 'a pod asks a pod', from: 'p1b', to: '10.1.3.2', port: 8080, server: 'p3a', seen: '10.1.1.3' },
    ]
    for (const { name, from, to, port, server, seen } of cases) {
      t.equal(await clientSeenBy(topology, server, sendOne(topology, from, to, port)), seen, name)
    }
  })

  t.test('VXLAN: pods of other nodes are reached through the tunnel only', async (t) => {
    const topology = await build(t)
    await addVxlan(topology)
    const sink = await topology.peer('p2a').listenUdp({ port: 5000 })
    const sink6 = await topology.peer('p2a').listenUdp({ port: 5001, host: '::' })
    const cases = [
      { name: 'IPv4', to: '10.1.2.2', port: 5000, inner: 1_028 },
      { name: 'IPv6', to: 'fd01:0:2::2', port: 5001, inner: 1_048 },
    ]
    for (const { name, to, port, inner } of cases) {
      const before = await topology.device('n1')
      await topology.peer('p1a').sendUdp({ to: [to], port, size: 1_000, packets: 20 })
      const after = await topology.device('n1')
      // Outer IPv4, UDP and VXLAN headers and the inner Ethernet header: 20 + 8 + 8 + 14.
      t.equal(sentIpBytes(after) - sentIpBytes(before), 20 * (inner + 50), name)
    }
    await arrived(sink, 20)
    await arrived(sink6, 20)
    const tcp = await topology.peer('p3a').listenTcp({ port: 5002 })
    await topology.peer('p1a').sendTcp({ to: '10.1.3.2', port: 5002, bytes: 20_000_000 })
    t.equal((await tcp.close()).receivedBytes, 20_000_000, 'in full-size segments too')
  })

  t.test('bridge: pods of a node reach each other without its IP layer, and others as before', async (t) => {
    const topology = await build(t)
    await addBridge(topology, 'n1')
    const forwarded = async (): Promise<number> => {
      const [, , line] = /Ip: (\w[^\n]*)\nIp: ([^\n]*)/.exec(await topology.run('n1', ['cat', '/proc/net/snmp'])) ?? []
      return Number(line?.split(' ')[5])
    }
    const send = async (to: string, on: string): Promise<number> => {
      const before = await forwarded()
      const sink = await topology.peer(on).listenUdp({ port: 5000 })
      await topology.peer('p1a').sendUdp({ to: [to], port: 5000, size: 100, packets: 20 })
      await arrived(sink, 20)
      await sink.close()
      return (await forwarded()) - before
    }
    t.equal(await send('10.1.1.3', 'p1b'), 0, 'bridged')
    t.equal(await send('10.1.3.3', 'p3b'), 20, 'routed')
    t.equal((await readDevice('p1b', 'eth0')).receivedPackets, 20, 'nobody else hears it: nothing is flooded')
  })

  t.test('segments and queueing disciplines', async (t) => {
    const topology = await build(t)
    const averageOf = async (port: number): Promise<number> => {
      const sink = await topology.peer('p2a').listenTcp({ port })
      const before = await topology.device('p1a')
      await topology.peer('p1a').sendTcp({ to: '10.1.2.2', port, bytes: 5_000_000 })
      const after = await topology.device('p1a')
      await sink.close()
      return (after.sentBytes - before.sentBytes) / (after.sentPackets - before.sentPackets)
    }
    t.ok((await averageOf(5000)) > 1_514, 'TCP sends super-packets')
    await addPfifo(topology, 'p1a')
    t.match(await topology.run('p1a', ['tc', 'qdisc', 'show', 'dev', 'eth0']), /pfifo .*limit 10000p/)
    await withoutGso(topology, 'p1a')
    t.ok((await averageOf(5001)) <= 1_514, 'one segment a packet')
  })

  t.test('what host processes send is counted apart', async (t) => {
    const topology = await build(t)
    const sent = await countHostOutput(topology, 'n1')
    await topology.peer('p1a').sendUdp({ to: ['203.0.0.1'], port: 9, size: 100, packets: 5 })
    t.equal(await sent(), 0, 'not what pods send through the node')
    const sink = await topology.peer('internet').listenUdp({ port: 9 })
    await topology.peer('n1').sendUdp({ to: ['203.0.0.1'], port: 9, size: 100, packets: 5 })
    t.equal(await sent(), 5 * 128)
    await sink.close()
  })
})
