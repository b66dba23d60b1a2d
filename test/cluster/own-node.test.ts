// An agent whose name is another machine's, and a Node that is deleted and made anew under it, with a directory and without.
import { setTimeout as sleep } from 'node:timers/promises'
import { flowBytes, type NodeAgent } from '../lab/agents.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import type { ClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { startDirectories } from './directories.js'
import { handover } from './handover.js'
import { createNode } from './objects.js'
import { read, remove } from './resource.js'
import { createTalkers, leasesOf, says, talk } from './talk.js'

const OPTIONS = { flows: { interval: '1s' }, identity: { handover: '2s' } }
const HEARD_MS = 2_500

const troubleOf = async (agent: NodeAgent): Promise<string> =>
  (await agent.snapshot()).sources.find(({ name }) => name === 'kubernetes')?.error ?? ''

const nodeNamed = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })

async function ownerOfLease({ cluster, account }: ClusterLab, node: string): Promise<string | undefined> {
  const metadata = { namespace: account.namespace, name: `meshtoll-${node}` }
  const lease = await read(cluster.admin, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }).catch(() => undefined)
  return lease?.metadata.ownerReferences?.[0]?.uid
}

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? false

    t.test('two agents of one name', { skip }, async (t) => {
      const lab = await createTalkers(t)
      const right = await lab.startAgents({ options: OPTIONS, nodes: ['n1', 'n2'] })
      await says(right, /covers its pods/)
      await sleep(HEARD_MS)
      const before = await right.atRest()
      const sentBefore = await lab.truth.total()
      const wrong = await lab.startAgents({ options: OPTIONS, nodes: ['n3'], describe: () => ({ name: 'n1' }) })
      await eventually('trouble', async () => ((await troubleOf(wrong.on('n3'))) ? true : undefined))
      t.match(await troubleOf(wrong.on('n3')), /^the Node n1 has the address .+, and this machine has not, .* set node\.name to the name/)
      await talk(lab, 50)
      await sleep(4_000)
      const all = [...(await right.atRest()), ...(await wrong.atRest())]
      t.equal(flowBytes(await wrong.atRest()), 0, 'it posts nothing')
      t.equal(flowBytes(all) - flowBytes(before), (await lab.truth.total()) - sentBefore, 'every byte once')
      t.same(await leasesOf(lab), ['meshtoll-n1', 'meshtoll-n2'])
    })

    for (const withDirectory of [false, true]) {
      t.test(`a Node that is deleted and made anew, ${withDirectory ? 'with' : 'without'} a directory`, { skip }, async (t) => {
        const lab = await createTalkers(t, { manifest: withDirectory ? 'full-directory' : 'full' })
        const kubernetes = withDirectory ? { kubernetes: { directory: (await startDirectories(t, lab)).options } } : {}
        const agents = await lab.startAgents({ options: { ...OPTIONS, ...kubernetes } })
        const { admin } = lab.cluster
        await says(agents, /covers its pods/)
        await sleep(HEARD_MS)
        const before = await agents.atRest()
        const sentBefore = await lab.truth.total()
        const [{ zone = '', address = '' } = {}] = lab.topology.spec.nodes
        await remove(admin, nodeNamed('n1'))
        const told = await eventually('trouble', async () => (await troubleOf(agents.on('n1'))) || undefined, 80_000)
        t.match(told, /^the Node n1 was deleted, .* stop this agent and run meshtoll agent --uninstall$/)
        const { uid } = (await createNode(admin, { name: 'n1', zone, region: 'lab', addresses: [address] })).metadata
        await eventually('a Lease of the new Node', async () => ((await ownerOfLease(lab, 'n1')) === uid ? true : undefined), 80_000)
        await sleep(6_000)
        t.equal(await troubleOf(agents.on('n1')), '')
        await talk(lab, 50)
        const all = await agents.atRest()
        const [sent, posted] = [(await lab.truth.total()) - sentBefore, flowBytes(all) - flowBytes(before)]
        t.equal(posted + handover(all) - handover(before), sent, `${sent} sent, ${posted} posted`)
        t.equal(posted, sent, 'all is posted again')
      })
    }
  },
  { timeoutMs: 240_000 },
)
