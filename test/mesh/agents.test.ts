// Real agents beside a real mesh: what they serve of proxies is what these count, to the byte, and the same bytes are on the wires.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServiceAccount, createToken } from '../cluster/access.js'
import { untilCovering } from '../cluster/directories.js'
import { endPod, setEndpoints } from '../cluster/objects.js'
import { createCgroupTree, noCgroups } from '../kernel/cgroup-tree.js'
import { type Served, sumOf as servedSum } from '../lab/agents.js'
import { eventually } from '../lab/world.js'
import { sumOf } from './ask.js'
import type { Istiod } from './istiod.js'
import { targetOf } from './mesh.js'
import { flipEndpoints, setProtocol } from './services.js'
import { meshTest } from './suite.js'
import { PLACES, SYSTEM, WORKLOADS, type Workload } from './workloads.js'

const FLIPS = 10
const RECEIVED = 'meshtoll_proxy_xds_receive_bytes_total'
const OPTIONS = { flows: { interval: '1s' }, envoy: { interval: '1s', agentInterval: '1s', admin: 'netns' } }
const CAPABILITIES = ['net_admin', 'sys_admin', 'sys_ptrace']
/** That is believed 10 s after the end of a pod. */
const LAGS_WITHIN_MS = 30_000

const ownerOf = (workload: Workload) => ({
  owner_zone: PLACES[workload].zone,
  owner_namespace: PLACES[workload].namespace,
  owner_kind: 'Deployment',
  owner_name: workload,
})

await meshTest(import.meta.url, async (t, mesh, lab) => {
  const { admin } = lab.cluster
  const { cart, checkout } = mesh.proxies
  const tokenFile = join(lab.cluster.folder, 'istio-token')
  await writeFile(tokenFile, 'no.such.token')

  t.test('agents on all nodes', async (t) => {
    const istiod = { interval: '1s', debug: true, tokenFile }
    const agents = await lab.startAgents({ options: { ...OPTIONS, istiod }, capabilities: CAPABILITIES })
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

    let rejected = 0
    t.test('what it rejects, and its connections to istiod', async (t) => {
      await setProtocol(admin, mesh.services.flapper, 'http')
      const rejections = async () => sumOf(await cart.metrics(), 'envoy_listener_manager_lds_update_rejected') || undefined
      await eventually('a rejection', rejections)
      const terminations = async () => sumOf(await cart.agentMetrics(), 'istio_agent_istiod_connection_terminations')
      await cart.moveTo(undefined)
      const ended = await eventually('the end of its connection', async () => (await terminations()) || undefined)
      const isServed = async () =>
        (await served('meshtoll_proxy_istiod_connection_terminations_total', ownerOf('cart'))) >= ended ? true : undefined
      t.ok(await eventually(`${ended} of them`, isServed))
      rejected = (await rejections()) ?? 0
    })

    const beside = agents.on('n1')
    const refusals = (status: number) => beside.log().match(new RegExp(`msg="targets do not answer".*it answers ${status};`, 'g')) ?? []

    t.test('istiod takes no token but that of a ServiceAccount of its namespace', async (t) => {
      t.equal(await eventually('401', async () => refusals(401).length || undefined), 1)
      await writeFile(tokenFile, await createToken(admin, { ...lab.account, audience: 'istio-ca' }))
      t.equal(await eventually('403', async () => refusals(403).length || undefined), 1)
      t.match(
        beside.log(),
        /it answers 403; run the agent in istiod's namespace, or name the agent's in DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES/,
      )
      const reader = await createServiceAccount(admin, { namespace: SYSTEM, name: 'meshtoll-agent' })
      await writeFile(tokenFile, await createToken(admin, { namespace: SYSTEM, name: reader.metadata.name, audience: 'istio-ca' }))
      await beside.restart()
      const ofCart = { ...ownerOf('cart'), xds: 'lds' }
      const wanted = rejected
      t.equal(await becomes(wanted, 'meshtoll_proxy_config_rejected_total', ofCart), wanted, 'what cart rejected is served, at 0 no longer')
    })

    t.test('who is connected to istiod, and from where', async (t) => {
      await cart.moveTo(targetOf(mesh.istiods[0] as Istiod))
      const istiodOf = { owner_zone: 'zone-1', owner_namespace: SYSTEM, owner_name: 'istiod', proxy_type: 'sidecar' }
      for (const workload of WORKLOADS) {
        const labels = { ...istiodOf, proxy_zone: PLACES[workload].zone }
        t.equal(await becomes(1, 'meshtoll_pilot_connected_proxies', labels), 1, workload)
      }
      const named = await eventually('three of them by name', async () => {
        const { sources } = await beside.snapshot()
        const { rows = [] } = sources.find(({ name }) => name === 'istiod-debug') ?? {}
        return rows.length === WORKLOADS.length && rows.every(({ zone }) => zone !== '_unknown') ? rows : undefined
      })
      const wanted = WORKLOADS.map((workload) => {
        const { metadata } = mesh.proxies[workload].pod
        return [`${metadata.name}.${metadata.namespace}`, PLACES[workload].zone, PLACES[workload].address]
      })
      t.same(named.map(({ proxy, zone, address }) => [proxy, zone, address]).sort(), wanted.sort())
    })

    t.test('who has rejected what they were sent', async (t) => {
      const rejecting = { owner_name: 'istiod', xds: 'lds', status: 'error' }
      t.equal(await becomes(WORKLOADS.length, 'meshtoll_pilot_unacknowledged_proxies', rejecting), WORKLOADS.length)
      await setProtocol(admin, mesh.services.flapper, 'tcp')
      t.equal(await becomes(0, 'meshtoll_pilot_unacknowledged_proxies', rejecting), 0, 'until they take what is sent next')
    })

    t.test('a proxy that stands still has not acknowledged what the others have', async (t) => {
      const behind = { owner_name: 'istiod', xds: 'eds', status: 'stale' }
      const seconds = () => served('meshtoll_pilot_unacknowledged_seconds', behind)
      await mesh.settled()
      t.equal(await becomes(0, 'meshtoll_pilot_unacknowledged_proxies', behind), 0)
      const goOn = await checkout.pause()
      t.teardown(goOn)
      await flipEndpoints(admin, mesh.services.flapper, 4)
      t.equal(await becomes(1, 'meshtoll_pilot_unacknowledged_proxies', behind), 1)
      const { sources } = await beside.snapshot()
      const [first] = sources.find(({ name }) => name === 'istiod-debug')?.rows ?? []
      t.match(first, { proxy: new RegExp(`^${checkout.pod.metadata.name}[.]shop$`), zone: 'zone-2', unacknowledged: [{ status: 'stale' }] })
      const before = await seconds()
      await flipEndpoints(admin, mesh.services.flapper, 4)
      t.ok(await eventually('more', async () => ((await seconds()) > before + 2 ? true : undefined)), 'whatever is sent meanwhile')
      goOn()
      t.equal(await becomes(0, 'meshtoll_pilot_unacknowledged_proxies', behind), 0, 'it has caught up')
      t.equal(await seconds(), 0)
    })

    t.test(
      'a pod ends while istiod is away: who goes on to list it is named, until istiod is back',
      { skip: noCgroups() ?? false },
      async (t) => {
        const [istiod] = mesh.istiods
        if (!istiod) throw new Error('a mesh has an istiod')
        const { flapper } = mesh.proxies
        const tree = createCgroupTree()
        t.teardown(() => tree.remove())
        for (const { pod, pids } of Object.values(mesh.proxies)) {
          const path = `kubepods/burstable/pod${pod.metadata.uid}/3c4d`
          tree.make(path)
          tree.take(path, await pids())
        }
        await setProtocol(admin, mesh.services.flapper, 'tcp')
        await cart.moveTo(targetOf(istiod))
        await mesh.settled()
        const lagging = async () => (await snapshots()).flatMap(({ series }) => series['meshtoll_proxies_lagging'] ?? [])
        const isAsked = async () => ((await lagging()).length === WORKLOADS.length ? true : undefined)
        await eventually('all answer at their admin ports', isAsked, LAGS_WITHIN_MS)
        t.equal(await served('meshtoll_proxies_lagging', {}), 0)
        const checking = agents.on('n1').argv.map((word) => (word === 'agent' ? 'check' : word))
        t.match(await lab.topology.run('n1', checking, { capabilities: CAPABILITIES }), /envoy admin +1 proxy, it answers/)

        await istiod.stop()
        await endPod(admin, flapper.pod, new Date())
        await setEndpoints(admin, mesh.services.flapper.slice, [])
        const stale = { dst_namespace: 'noisy', dst_owner_kind: 'Deployment', dst_owner_name: 'flapper' }
        const isNamed = async () => ((await served('meshtoll_proxy_stale_hosts', stale)) === 2 ? true : undefined)
        await eventually('the two that list it', isNamed, LAGS_WITHIN_MS)
        for (const workload of ['cart', 'checkout'] as const) {
          t.equal(await served('meshtoll_proxy_stale_hosts', { ...ownerOf(workload), ...stale }), 1, workload)
          t.equal(await served('meshtoll_proxies_lagging', ownerOf(workload)), 1)
        }
        const rows = (await snapshots()).flatMap(({ sources }) => sources.find(({ name }) => name === 'envoy-admin')?.rows ?? [])
        t.match(
          rows.find(({ proxy }) => String(proxy).startsWith('shop/cart-')),
          {
            cluster: 'outbound|80||flapper.noisy.svc.cluster.local',
            address: PLACES.flapper.address,
            ownerName: 'flapper',
            podUid: flapper.pod.metadata.uid,
            endedAt: /Z$/,
            listedSince: /Z$/,
          },
        )

        await istiod.start()
        const isGone = async () => ((await served('meshtoll_proxies_lagging', {})) === 0 ? true : undefined)
        await eventually('nobody lists it', isGone, 60_000)
        t.equal(await served('meshtoll_proxy_stale_hosts', {}), 0)
        t.equal((await lagging()).length, 2, 'of those that run')
      },
    )

    for (const { node, log } of agents.all) t.notMatch(log(), /level=error/, node)
  })
})
