// Real agents beside a real mesh: what they serve of proxies is what these count, to the byte, and the same bytes are on the wires.
import { setTimeout as sleep } from 'node:timers/promises'
import { untilCovering } from '../cluster/directories.js'
import { type Served, sumOf as servedSum } from '../lab/agents.js'
import { eventually } from '../lab/world.js'
import { sumOf } from './ask.js'
import { flipEndpoints, setProtocol } from './services.js'
import { meshTest } from './suite.js'
import { PLACES, WORKLOADS, type Workload } from './workloads.js'

const FLIPS = 10
const RECEIVED = 'meshtoll_proxy_xds_receive_bytes_total'
const OPTIONS = { flows: { interval: '1s' }, envoy: { interval: '1s', agentInterval: '1s' } }

const ownerOf = (workload: Workload) => ({
  owner_zone: PLACES[workload].zone,
  owner_namespace: PLACES[workload].namespace,
  owner_kind: 'Deployment',
  owner_name: workload,
})

await meshTest(import.meta.url, async (t, mesh, lab) => {
  const { admin } = lab.cluster
  const { cart } = mesh.proxies

  t.test('agents on all nodes', async (t) => {
    const agents = await lab.startAgents({ options: OPTIONS })
    await untilCovering(() => agents.all.map((agent) => agent.log()))
    const snapshots = (): Promise<readonly Served[]> => Promise.all(agents.all.map((agent) => agent.snapshot()))
    const served = async (family: string, labels: Readonly<Record<string, string>>): Promise<number> =>
      servedSum(await snapshots(), family, labels)
    /** Answers what is served in the end. */
    const becomes = async (wanted: number, family: string, labels: Readonly<Record<string, string>>): Promise<number> => {
      const isSo = async () => ((await served(family, labels)) === wanted ? true : undefined)
      await eventually(`${wanted} ${family}`, isSo, 10_000).catch(() => undefined)
      return served(family, labels)
    }

    t.test('each proxy is seen, under its owner and zone', async (t) => {
      for (const workload of WORKLOADS) t.equal(await becomes(1, 'meshtoll_proxies', ownerOf(workload)), 1, workload)
      const clusters = sumOf(await cart.metrics(), 'envoy_cluster_manager_active_clusters')
      t.equal(await becomes(clusters, 'meshtoll_proxy_clusters', ownerOf('cart')), clusters)
    })

    t.test('what they receive while endpoints flip', async (t) => {
      const received = await mesh.settled()
      await sleep(2_500)
      const before = await snapshots()
      await flipEndpoints(admin, mesh.services.flapper, FLIPS)
      const after = await mesh.settled()
      for (const workload of WORKLOADS) {
        const wanted = servedSum(before, RECEIVED, ownerOf(workload)) + after[workload] - received[workload]
        t.ok(after[workload] > received[workload])
        t.equal(await becomes(wanted, RECEIVED, ownerOf(workload)), wanted, workload)
      }
      await sleep(2_500)
      const flow = { src_owner_name: 'istiod', dst_owner_name: 'checkout', src_zone: 'zone-1', dst_zone: 'zone-2', scope: 'cross_zone' }
      const crossed = servedSum(await snapshots(), 'meshtoll_flow_bytes_total', flow) - servedSum(before, 'meshtoll_flow_bytes_total', flow)
      t.ok(crossed > after.checkout - received.checkout, `${crossed} bytes crossed zones for ${after.checkout - received.checkout}`)
    })

    t.test('a proxy that begins anew adds to what was', async (t) => {
      const before = await served(RECEIVED, ownerOf('cart'))
      await cart.kill()
      await cart.start()
      const { cart: anew } = await mesh.settled()
      t.equal(await becomes(before + anew, RECEIVED, ownerOf('cart')), before + anew)
    })

    t.test('what it rejects, and its connections to istiod', async (t) => {
      await setProtocol(admin, mesh.services.flapper, 'http')
      const rejections = async () => sumOf(await cart.metrics(), 'envoy_listener_manager_lds_update_rejected') || undefined
      const rejected = await eventually('a rejection', rejections)
      const rejectedOfCart = { ...ownerOf('cart'), xds: 'lds' }
      t.equal(await becomes(rejected, 'meshtoll_proxy_config_rejected_total', rejectedOfCart), rejected)
      const terminations = async () => sumOf(await cart.agentMetrics(), 'istio_agent_istiod_connection_terminations')
      await cart.moveTo(undefined)
      const ended = await eventually('the end of its connection', async () => (await terminations()) || undefined)
      const isServed = async () =>
        (await served('meshtoll_proxy_istiod_connection_terminations_total', ownerOf('cart'))) >= ended ? true : undefined
      t.ok(await eventually(`${ended} of them`, isServed))
    })

    for (const { node, log } of agents.all) t.notMatch(log(), /level=error/, node)
  })
})
