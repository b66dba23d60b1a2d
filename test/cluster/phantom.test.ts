// Bytes that go on to the address of a pod that ended: counted to the byte from the cut on, until another pod has the address, and kept through
// kill -9 of the agent.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TopologySpec } from '../../src/lab/plan.js'
import { booked, flowBytes, type Served, sumOf } from '../lab/agents.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { startDirectories, untilCovering } from './directories.js'
import { completePod, endPod } from './objects.js'

const SPEC: TopologySpec = { ...THREE_ZONES, nodes: THREE_ZONES.nodes.slice(0, 2) }
const ADDRESS = '10.1.2.2'
const SIZE = 500
const PACKETS = 50
const BYTES = PACKETS * (SIZE + 28)
/** That of identity.skew, the second in which an agent looks whether it is over, and one for what is heard late: sooner than the next reading. */
const CUT_MS = 4_000
const PATIENCE_MS = 15_000

const phantomBytes = (all: readonly Served[], owner: string): number =>
  sumOf(all, 'meshtoll_phantom_bytes_total', { src_owner_name: 'cart', dst_owner_name: owner })

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? false
    for (const manifest of ['full', 'full-directory'] as const)
      t.test(`a pod ends while another still sends to it: ${manifest}`, { skip }, async (t) => {
        const lab = await createClusterLab(t, { spec: SPEC, manifest })
        const { topology, cluster } = lab
        const createAt = (deployment: string) => lab.createPod({ name: `${deployment}-0`, address: ADDRESS, node: 'n2', deployment })
        await lab.createPod({ name: 'cart-0', address: '10.1.1.2', node: 'n1', deployment: 'cart' })
        const database = await createAt('database')
        await topology.peer('p2a').listenUdp({ port: 9 })
        const kubernetes = manifest === 'full' ? {} : { directory: (await startDirectories(t, lab)).options }
        const options = { flows: { interval: '8s' }, identity: { patience: `${PATIENCE_MS}ms` }, kubernetes }
        const agents = await lab.startAgents({ options })
        await untilCovering(() => agents.all.map((agent) => agent.log()))
        const send = () => topology.peer('p1a').sendUdp({ to: [ADDRESS], port: 9, size: SIZE, packets: PACKETS })
        const untilPosted = (owner: string, bytes: number) =>
          eventually(
            `${bytes} bytes to ${owner}`,
            async () => {
              const all = await agents.atRest()
              return flowBytes(all, { dst_owner_name: owner }) >= bytes ? all : undefined
            },
            PATIENCE_MS + 15_000,
          )

        await send()
        t.equal(phantomBytes(await untilPosted('database', BYTES), 'database'), 0, 'none while it lives')

        await endPod(cluster.admin, database, new Date())
        await sleep(CUT_MS)
        await send()
        await agents.atRest()
        await sleep(CUT_MS)
        const queue = await createAt('queue')
        await sleep(CUT_MS)
        await send()
        const reused = await untilPosted('queue', BYTES)
        t.equal(phantomBytes(reused, 'database'), BYTES, 'what was sent after its end, though another has its address soon')
        t.equal(flowBytes(reused, { dst_owner_name: 'database' }), 2 * BYTES, 'which is a part of all that was sent to it')
        t.equal(flowBytes(reused, { dst_owner_name: 'queue' }), BYTES, 'and none of it is of who came afterwards')
        t.equal(phantomBytes(reused, 'queue'), 0)

        const finishedAt = new Date()
        await completePod(cluster.admin, queue, finishedAt)
        const endedMs = Math.floor(finishedAt.getTime() / 1000) * 1000
        await sleep(CUT_MS)
        await send()
        const sentMs = Date.now()
        await agents.atRest()
        await agents.on('n1').kill()
        await agents.on('n1').start()
        const nobodys = await untilPosted('queue', 2 * BYTES)
        t.equal(phantomBytes(nobodys, 'queue'), BYTES, 'what was sent while an agent waited for who comes next, and was killed')
        await send()
        const all = await untilPosted('queue', 3 * BYTES)
        t.equal(phantomBytes(all, 'queue'), 2 * BYTES, 'what was sent when nobody came')
        await agents.on('n1').kill()
        await agents.on('n1').start()
        t.equal(phantomBytes(await agents.atRest(), 'queue'), 2 * BYTES, 'and again')
        t.equal(sumOf(all, 'meshtoll_phantom_bytes_total'), 3 * BYTES, 'of all agents, and of no other owners')
        const window = sumOf(all, 'meshtoll_phantom_window_seconds', { dst_owner_name: 'queue' })
        t.ok(window >= (sentMs - endedMs) / 1000 && window <= (Date.now() - endedMs) / 1000, `${window} s after its end`)
        t.equal(booked(all, 'pending'), 0, 'nothing waits')
      })
  },
  { timeoutMs: 240_000 },
)
