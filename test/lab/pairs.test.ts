// More pairs than anybody else keeps apart, and connections too short to be seen by looking.
import { addressAt } from '../../src/lab/peer-protocol.js'
import { hasIpv6, type Topology } from '../../src/lab/topology.js'
import { between, bytesByPair, type Entry, inventoryOf, type Served, sumOf } from './agents.js'
import { balances, createLab, ONE_NODE } from './lab.js'
import { eventually, worldTest } from './world.js'

const OWNERS = 50
const PAIRS_EACH = 1_000
const UDP_HEADERS = { ipv4: 28, ipv6: 48 }

interface Block {
  readonly owner: string
  readonly cidr: string
  readonly first: string
  /** Payload of its packets: each owner gets another one, so that no two can be mistaken. */
  readonly size: number
}

const BLOCKS: readonly Block[] = Array.from({ length: OWNERS }, (_, index) => {
  const first = addressAt('203.0.0.0', index * 1_024)
  return { owner: `owner-${index}`, cidr: `${first}/22`, first, size: 100 + index }
})

const BLOCK6: Block = { owner: 'far-away', cidr: '2001:db8:1::/96', first: '2001:db8:1::', size: 300 }

/** Many pairs are spread over several sets; before, there is no such chain. */
const SPREAD = ['nft', 'list', 'chain', 'inet', 'meshtoll', 'pair4_s0']

const entryOf = ({ owner, cidr }: Block): Entry => ({ cidr, ownerKind: 'Service', ownerName: owner })

/** Of the kernel, through a program that is not ours. */
async function bytesOfEachPair(topology: Topology, node: string, source: string): Promise<ReadonlyMap<string, number>> {
  const text = await topology.run(node, ['nft', 'list', 'table', 'inet', 'meshtoll'])
  const elements = [...text.matchAll(/([\da-f.:]+) \. ([\da-f.:]+) counter packets \d+ bytes (\d+)/g)]
  return new Map(elements.filter(([, from]) => from === source).map(([, , to = '', bytes]) => [to, Number(bytes)]))
}

const pairsOf = (all: readonly Served[]): number => sumOf(all, 'meshtoll_flow_pairs')

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('UDP between 50,000 pairs', async (t) => {
      const inventory = [...inventoryOf(ONE_NODE), ...[...BLOCKS, BLOCK6].map(entryOf)]
      const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, inventory, options: { flows: { maxPairs: 131_072 } } })
      await topology.peer('internet').listenUdp({ port: 9, host: hasIpv6() ? '::' : '0.0.0.0' })
      const sendToAll = async (): Promise<void> => {
        for (const { first, size } of BLOCKS) await topology.peer('p1a').sendUdp({ to: [{ first, count: PAIRS_EACH }], port: 9, size })
      }
      const expectedAfter = (times: number): Record<string, number> =>
        Object.fromEntries(BLOCKS.map(({ owner, size }) => [`p1a > ${owner}`, times * PAIRS_EACH * (size + UDP_HEADERS.ipv4)]))

      await sendToAll()
      await eventually('sets for so many pairs', () => topology.run('n1', SPREAD).catch(() => undefined))
      const once = await agents.atRest()
      t.same(bytesByPair(once), expectedAfter(1), 'each owner, while the sets were replaced by larger ones')
      balances(t, once, await truth.total())

      const before = await bytesOfEachPair(topology, 'n1', '10.1.1.2')
      await sendToAll()
      const all = await agents.atRest()
      t.same(bytesByPair(all), expectedAfter(2), 'each owner')
      balances(t, all, await truth.total())
      t.equal(pairsOf(all), OWNERS * PAIRS_EACH)
      t.match(await agents.on('n1').metrics(), /^meshtoll_flow_pairs 50000$/m)
      const after = await bytesOfEachPair(topology, 'n1', '10.1.1.2')
      const wrong = BLOCKS.flatMap(({ first, size }) =>
        Array.from({ length: PAIRS_EACH }, (_, index) => addressAt(first, index)).filter(
          (address) => (after.get(address) ?? 0) - (before.get(address) ?? 0) !== size + UDP_HEADERS.ipv4,
        ),
      )
      t.same([after.size, wrong], [OWNERS * PAIRS_EACH, []], 'each pair, as nft lists it')

      t.test('and IPv6', { skip: !hasIpv6() && 'this kernel has no IPv6' }, async (t) => {
        await topology.peer('p1a').sendUdp({ to: [{ first: BLOCK6.first, count: 5_000 }], port: 9, size: BLOCK6.size })
        const all = await agents.atRest()
        t.equal(between(all, 'p1a', BLOCK6.owner), 5_000 * (BLOCK6.size + UDP_HEADERS.ipv6))
        balances(t, all, await truth.total())
      })
    })

    t.test('20,000 short connections', async (t) => {
      const { topology, truth, agents } = await createLab(t)
      const server = await topology.peer('p2a').listenTcp({ port: 7000, request: 300, response: 1_000 })
      const asked = { to: '10.1.2.2', port: 7000, connections: 20_000, request: 300, response: 1_000 }
      const sent = await topology.peer('p1a').exchange(asked)
      await server.close()
      t.match(sent, { connections: 20_000, failed: 0 }, `${Math.round(20_000 / sent.seconds)} connections/s`)
      const all = await agents.atRest()
      t.same(bytesByPair(all), { 'p1a > p2a': await truth.sentBy('p1a'), 'p2a > p1a': await truth.sentBy('p2a') })
      balances(t, all, await truth.total())
    })
  },
  { timeoutMs: 150_000 },
)
