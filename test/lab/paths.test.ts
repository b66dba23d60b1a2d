// Every way a packet takes through a cluster: each byte is posted once, by one agent, under the owners that really talk to each other.
import { kubeRulesOf, loadRules } from '../../src/lab/features.js'
import { hasIpv6, type Topology } from '../../src/lab/topology.js'
import { booked, bytesByPair } from './agents.js'
import { balances, createLab } from './lab.js'
import { worldTest } from './world.js'

const PORT = 8080

/** `sees`: as whom the one that answers knows the one that asks; its bytes go there. Default: by name. */
interface Path {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly port?: number
  /** Where it arrives, when that is another port. */
  readonly arrives?: number
  readonly on: string
  readonly asked?: string
  readonly sees?: string
}

const PATHS: readonly Path[] = [
  { name: 'pod to pod on another node', from: 'p1a', to: '10.1.2.2', on: 'p2a' },
  { name: 'pod to pod on the same node', from: 'p1a', to: '10.1.1.3', on: 'p1b' },
  { name: 'pod to a service address, whose backend is on another node', from: 'p3b', to: '10.96.0.10', port: 80, on: 'p2a' },
  { name: 'host process to a service address', from: 'n3', to: '10.96.0.10', port: 80, on: 'p2a' },
  { name: 'from outside to a node port, the pod on another node', from: 'internet', to: '10.0.1.10', port: 30_080, on: 'p2a', sees: 'n1' },
  { name: 'from outside to a node port, the pod on the same node', from: 'database', to: '10.0.2.10', port: 30_080, on: 'p2a' },
  {
    name: 'pod to a node port of another node, the pod on a third',
    from: 'p3a',
    to: '10.0.1.10',
    port: 30_080,
    on: 'p2a',
    asked: 'n1',
    sees: 'n1',
  },
  { name: 'pod out through masquerade', from: 'p1b', to: '10.0.9.5', on: 'database' },
  { name: 'pod out without masquerade', from: 'p3b', to: '10.0.9.5', on: 'database' },
  { name: 'database to pod', from: 'database', to: '10.1.3.2', on: 'p3a' },
  { name: 'pod to its own node', from: 'p1a', to: '10.0.1.10', on: 'n1' },
  { name: 'host process to pod of its node', from: 'n2', to: '10.1.2.3', on: 'p2b' },
  { name: 'host process to pod of another node', from: 'n1', to: '10.1.3.3', on: 'p3b' },
  { name: 'pod to host process of another node', from: 'p2b', to: '10.0.3.10', on: 'n3' },
  {
    name: 'pod to host process of another node, masqueraded',
    from: 'p1b',
    to: '10.0.3.10',
    port: 8081,
    arrives: 8081,
    on: 'n3',
    sees: 'n1',
  },
  { name: 'host process to outside', from: 'n1', to: '198.51.100.7', on: 'internet' },
  { name: 'from outside to host process', from: 'internet', to: '10.0.3.10', on: 'n3' },
  { name: 'host process to host process', from: 'n3', to: '10.0.1.10', on: 'n1' },
]

const IPV6_PATHS: readonly Path[] = [
  { name: 'pod to pod on another node', from: 'p1a', to: 'fd01:0:2::2', on: 'p2a' },
  { name: 'pod to pod on the same node', from: 'p2a', to: 'fd01:0:2::3', on: 'p2b' },
  { name: 'database to pod', from: 'database', to: 'fd01:0:3::2', on: 'p3a' },
  { name: 'pod to outside', from: 'p3b', to: '2001:db8::7', on: 'internet' },
  { name: 'host process to pod of its node', from: 'n1', to: 'fd01:0:1::3', on: 'p1b' },
  { name: 'pod to host process of another node', from: 'p1b', to: 'fd00:0:2::10', on: 'n2' },
  { name: 'host process to outside', from: 'n2', to: 'fd00:0:9::5', on: 'database' },
  { name: 'host process to host process', from: 'n3', to: 'fd00:0:2::10', on: 'n2' },
]

const SERVICE = { address: '10.96.0.10', port: 80, nodePort: 30_080, backend: '10.1.2.2', backendPort: PORT }
const MASQUERADED_PORT = `table ip hides {
  chain postrouting {
    type nat hook postrouting priority 100
    tcp dport 8081 masquerade
  }
}
`
/** A node that passes on to another without showing itself: what it sees is the other's to post. */
const PASSED_ON = `table ip passes {
  chain prerouting {
    type nat hook prerouting priority -100
    ip daddr 10.0.1.10 udp dport 9999 dnat to 10.1.2.2:9090
  }
}
`

async function translateAddresses(topology: Topology): Promise<void> {
  for (const { name } of topology.spec.nodes)
    await loadRules(topology, name, kubeRulesOf(topology, name, { services: [SERVICE], masquerade: name === 'n1' }))
  await loadRules(topology, 'n1', `${MASQUERADED_PORT}${PASSED_ON}`)
}

await worldTest(
  import.meta.url,
  async (t) => {
    for (const { family, paths, anyAddress, skip } of [
      { family: 'IPv4', paths: PATHS, anyAddress: '0.0.0.0', skip: false },
      { family: 'IPv6', paths: IPV6_PATHS, anyAddress: '::', skip: !hasIpv6() && 'this kernel has no IPv6' },
    ]) {
      t.test(family, { skip }, async (t) => {
        const { topology, truth, agents } = await createLab(t, { prepare: translateAddresses })
        const expected = new Map<string, number>()
        const expect = (from: string, to: string, bytes: number) =>
          void expected.set(`${from} > ${to}`, (expected.get(`${from} > ${to}`) ?? 0) + bytes)

        for (const { name, from, to, port = PORT, arrives = PORT, on, asked = on, sees = from } of paths) {
          const [client, server] = await Promise.all([truth.sentBy(from), truth.sentBy(on)])
          const exchange = { request: 20_000, response: 50_000 }
          const listening = await topology.peer(on).listenTcp({ ...exchange, port: arrives, host: anyAddress })
          const sent = await topology.peer(from).exchange({ ...exchange, to, port, connections: 20 })
          await listening.close()
          t.match(sent, { connections: 20, failed: 0 }, name)
          const asks = (await truth.sentBy(from)) - client
          const answers = (await truth.sentBy(on)) - server
          t.ok(asks > 400_000 && answers > 1_000_000, `${name}: ${asks} and ${answers} bytes`)
          expect(from, asked, asks)
          expect(on, sees, answers)
        }

        if (family === 'IPv4') {
          const before = await truth.sentBy('database')
          await topology.peer('p2a').listenUdp({ port: 9090 })
          await topology.peer('database').sendUdp({ to: ['10.0.1.10'], port: 9999, size: 1_000, packets: 200 })
          expect('database', 'p2a', (await truth.sentBy('database')) - before)
        }

        const all = await agents.atRest()
        t.same(bytesByPair(all), Object.fromEntries(expected), 'each pair')
        balances(t, all, await truth.total())
        t.ok(booked(all, 'elsewhere') > 0)
      })
    }
  },
  { timeoutMs: 150_000 },
)
