// What this project is about, on the real thing: endpoints of one Service flap, and the control plane tells proxies everywhere, in all zones,
// until the Service is exported to its own namespace alone.
import { setTimeout as sleep } from 'node:timers/promises'
import { sumOf } from './ask.js'
import { type Debounced, debouncedIn } from './debounce.js'
import { PING_BYTES } from './mesh.js'
import { changeLabels, flipEndpoints, setExportTo } from './services.js'
import { meshTest } from './suite.js'
import { WORKLOADS as ALL, type Workload } from './workloads.js'

const FLIPS = 40
const LABELS = 12
const HOST = 'noisy/flapper.noisy.svc.cluster.local'
const OTHERS: readonly Workload[] = ['cart', 'checkout']

await meshTest(import.meta.url, async (t, mesh, { cluster, topology }) => {
  const { admin } = cluster
  const { flapper } = mesh.services
  const [istiod] = mesh.istiods
  if (!istiod) throw new Error('a mesh has an istiod')

  /** What each proxy received, what istiod pushed and what it said about it, while `act` went on. */
  async function during(act: () => Promise<unknown>) {
    const [before, pushed, said] = [await mesh.settled(), await istiod?.metrics(), debouncedIn(istiod?.log.text() ?? '').length]
    const began = performance.now()
    await act()
    const [after, pushedAfter] = [await mesh.settled(), await istiod?.metrics()]
    const pushes = (type: string): number =>
      sumOf(pushedAfter ?? '', 'pilot_xds_pushes', { type }) - sumOf(pushed ?? '', 'pilot_xds_pushes', { type })
    return {
      received: Object.fromEntries(ALL.map((workload) => [workload, after[workload] - before[workload]])) as Record<Workload, number>,
      pushes,
      said: debouncedIn(istiod?.log.text() ?? '').slice(said),
      seconds: (performance.now() - began) / 1000,
    }
  }
  const eventsOf = (said: readonly Debounced[], config: string): number =>
    said.filter((line) => line.config === config).reduce((sum, { events }) => sum + events, 0)

  t.test('three sidecars of two namespaces, which take what they are sent', async (t) => {
    await mesh.settled()
    const metrics = await istiod.metrics()
    t.equal(sumOf(metrics, 'pilot_xds'), ALL.length, 'connected')
    t.equal(sumOf(metrics, 'pilot_total_xds_rejects'), 0)
    for (const workload of ALL) {
      const proxy = mesh.proxies[workload]
      const stats = await proxy.metrics()
      t.ok(/^envoy_cluster_manager_active_clusters\{\} \d+$/m.test(stats), 'braces, though there are no labels')
      t.equal(sumOf(stats, 'envoy_cluster_upstream_cx_active', { cluster_name: 'xds-grpc' }), 1)
      const both = await proxy.agentMetrics()
      t.ok(sumOf(both, 'istio_agent_xds_proxy_responses') > 0)
      t.equal(sumOf(both, 'envoy_server_live'), 1)
      t.match(await proxy.admin('/clusters'), /outbound\|80\|\|flapper\.noisy\.svc\.cluster\.local::10\.1\.3\.2:80::zone::zone-3/)
    }
  })

  t.test('from its node each is reached by the address of its pod', async (t) => {
    const urls = [
      'http://10.1.1.3:15014/metrics',
      'http://10.1.1.2:15090/stats/prometheus?filter=^cluster_manager%5C.active',
      'http://10.1.1.2:15020/stats/prometheus?filter=^cluster_manager%5C.active',
    ]
    const [istiodAsked = '', envoy = '', agent = ''] = await Promise.all(
      urls.map((url) =>
        topology.run('n1', [process.execPath, '-e', `fetch('${url}').then(async (answer) => console.log(await answer.text()))`]),
      ),
    )
    t.equal(sumOf(istiodAsked, 'pilot_xds'), ALL.length)
    t.match(envoy.trim().split('\n'), [
      '# TYPE envoy_cluster_manager_active_clusters gauge',
      /^envoy_cluster_manager_active_clusters\{\} \d+$/,
    ])
    t.equal(envoy.trim().split('\n').length, 2, 'Envoy serves what was asked for')
    t.ok(agent.endsWith(envoy.trimStart()) && agent.includes('istio_agent_process_'), 'pilot-agent always adds its own')
    t.notOk(
      await topology.run('n1', [process.execPath, '-e', `fetch('http://10.1.1.2:15000').catch(() => undefined)`]),
      'the admin port is not',
    )
  })

  t.test('endpoints flip: all proxies are told, each time', async (t) => {
    const rotate = async (): Promise<void> => {
      await sleep(2_000)
      await istiod.log.rotate(() => sleep(1_000))
    }
    const { received, pushes, said } = await during(() => Promise.all([flipEndpoints(admin, flapper, FLIPS), rotate()]))
    t.comment(JSON.stringify({ received, eds: pushes('eds'), lines: said.length }))
    for (const workload of ALL) t.ok(received[workload] > FLIPS * 100, `${workload} received ${received[workload]} bytes`)
    t.equal(pushes('cds'), 0)
    // Under load two flips become one push.
    t.ok(pushes('eds') > (FLIPS / 2) * ALL.length, `${pushes('eds')} pushes`)
    t.equal(eventsOf(said, `Endpoints/${HOST}`), FLIPS)
    t.notOk(said.some(({ isForced }) => isForced))
  })

  t.test('labels change: all proxies are told more', async (t) => {
    const { received, pushes, said } = await during(() => changeLabels(admin, flapper, LABELS))
    t.comment(JSON.stringify({ received, cds: pushes('cds'), lines: said.length }))
    for (const workload of ALL) t.ok(received[workload] > LABELS * 500, `${workload} received ${received[workload]} bytes`)
    t.ok(pushes('cds') > (LABELS / 2) * ALL.length)
    t.equal(eventsOf(said, `ServiceEntry/${HOST}`), LABELS)
    t.notOk(
      said.some(({ isForced }) => isForced),
      'as of endpoints: only what istiod pushes for no object at all is forced',
    )
  })

  t.test('exported to its own namespace alone, the same flips cost the others nothing', async (t) => {
    const { received: once } = await during(() => setExportTo(admin, flapper, '.'))
    for (const workload of OTHERS) t.ok(once[workload] > 0, `${workload} is told that it is gone`)
    const { received, pushes, said, seconds } = await during(() => flipEndpoints(admin, flapper, FLIPS))
    t.comment(JSON.stringify({ received, eds: pushes('eds'), lines: said.length }))
    t.equal(eventsOf(said, `Endpoints/${HOST}`), FLIPS, 'it flips as before')
    t.ok(received.flapper > FLIPS * 100)
    const pings = Math.ceil(seconds / 30) * PING_BYTES
    for (const workload of OTHERS)
      t.ok([0, PING_BYTES, pings].includes(received[workload]), `${workload} received ${received[workload]} bytes`)
  })
})
