// Agents name hosts outside of the cluster that Istio is told of, whether they ask the API server themselves or a directory: every byte is
// posted once, and no pod is hidden behind a ServiceEntry that lists its address.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TopologySpec } from '../../src/lab/plan.js'
import type { Series } from '../../src/model.js'
import { booked, flowBytes, type Served } from '../lab/agents.js'
import { THREE_ZONES } from '../lab/three-zones.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { startDirectories, untilCovering } from './directories.js'
import { createServiceEntry, installIstio } from './istio.js'
import { remove } from './resource.js'

const DATABASE = '10.0.9.5'
const INTERNET = '8.8.4.4'
const STOCK = '10.1.2.2'
const SPEC: TopologySpec = {
  nodes: THREE_ZONES.nodes.slice(0, 2),
  hosts: [
    { name: 'database', address: DATABASE },
    { name: 'internet', address: INTERNET },
  ],
}
const PATIENCE_MS = 3_000
const HEARD_MS = 2_500
const PACKETS = 50

const to = (all: readonly Served[], name: string): readonly Series[] =>
  all.flatMap(({ series }) => series['meshtoll_flow_bytes_total'] ?? []).filter(({ labels }) => labels['dst_owner_name'] === name)
const bytesOf = (all: readonly Series[]): number => all.reduce((sum, { value }) => sum + value, 0)

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? false
    for (const manifest of ['full', 'full-directory'] as const) {
      t.test(`agents with the rules of ${manifest}`, { skip }, async (t) => {
        const lab = await createClusterLab(t, { spec: SPEC, manifest })
        const { topology, truth, cluster } = lab
        const { admin } = cluster
        await installIstio(admin)
        const orders = await createServiceEntry(admin, {
          namespace: 'shop',
          name: 'orders',
          endpoints: [{ address: DATABASE, locality: 'lab/zone-2/rack-7' }, { address: STOCK }],
        })
        const location = 'MESH_EXTERNAL'
        await createServiceEntry(admin, { namespace: 'shop', name: 'payments', location, endpoints: [{ address: INTERNET }] })
        await lab.createPod({ name: 'cart-0', address: '10.1.1.2', node: 'n1', deployment: 'cart' })
        await lab.createPod({ name: 'stock-0', address: STOCK, node: 'n2', deployment: 'stock' })
        const kubernetes = manifest === 'full' ? {} : { directory: (await startDirectories(t, lab)).options }
        const identity = { patience: `${PATIENCE_MS}ms` }
        const agents = await lab.startAgents({ options: { flows: { interval: '1s' }, identity, kubernetes } })
        await untilCovering(() => agents.all.map((agent) => agent.log()))
        // A public address does not wait for a directory to be asked.
        await topology.peer('p1a').sendUdp({ to: [INTERNET], port: 9, size: 500, packets: 1 })
        await sleep(HEARD_MS)
        const before = await agents.atRest()
        const greeted = bytesOf(to(before, 'payments'))
        const sentBefore = await truth.total()
        const send = async (): Promise<number> => {
          const first = await truth.sentBy('p1a')
          await topology.peer('p1a').sendUdp({ to: [DATABASE, INTERNET, STOCK], port: 9, size: 500, packets: PACKETS })
          return ((await truth.sentBy('p1a')) - first) / 3
        }

        const bytes = await send()
        await sleep(PATIENCE_MS + HEARD_MS)
        const all = await agents.atRest()
        t.match(to(all, 'orders'), [
          {
            value: bytes,
            labels: {
              src_owner_name: 'cart',
              dst_zone: 'zone-2',
              dst_namespace: 'shop',
              dst_owner_kind: 'ServiceEntry',
              scope: 'cross_zone',
            },
          },
        ])
        t.match(to(all, 'payments'), [
          { value: greeted + bytes, labels: { dst_zone: '', dst_owner_kind: 'ServiceEntry', scope: 'to_external' } },
        ])
        t.match(to(all, 'stock'), [{ value: bytes, labels: { dst_zone: 'zone-2', dst_owner_kind: 'Deployment' } }])

        await remove(admin, orders)
        await sleep(HEARD_MS)
        await send()
        const after = await agents.atRest()
        t.match(to(after, 'orders'), [{ value: bytes }], 'what is gone is not named any more')
        t.match(to(after, 'stock'), [{ value: 2 * bytes }])
        t.equal(flowBytes(after) - flowBytes(before), (await truth.total()) - sentBefore, 'all of it is posted once')
        t.equal(booked(after, 'pending'), 0)
        for (const { sources } of after)
          t.match(
            sources.find(({ name }) => name === 'kubernetes'),
            { up: true, error: '' },
          )
      })
    }
  },
  { timeoutMs: 180_000 },
)
