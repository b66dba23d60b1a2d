// A real agent beside a real istiod: what it serves of it is what its metrics and its log say, while the log is rotated, agents are killed, and
// istiod begins anew.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAsking, NOWHERE } from '../asked-panels.js'
import { untilCovering } from '../cluster/directories.js'
import { completePod, setEndpoints } from '../cluster/objects.js'
import { create } from '../cluster/resource.js'
import { noCgroups } from '../kernel/cgroup-tree.js'
import { sumOf as servedSum } from '../lab/agents.js'
import { startAlertmanager, startPrometheus } from '../lab/prometheus.js'
import { eventually } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import type { Prometheus } from '../prometheus.js'
import { rulesWith } from '../quick-rules.js'
import { sumOf } from './ask.js'
import { readFolder } from './container-log.js'
import { debouncedIn, endpointsChangedIn, sentIn } from './debounce.js'
import { targetOf } from './mesh.js'
import { changeLabels, flipEndpoints, setProtocol } from './services.js'
import { furnish, restartContainers } from './stand-ins.js'
import { meshTest } from './suite.js'
import { ISTIODS, PLACES, WORKLOADS } from './workloads.js'

const OPTIONS = { flows: { interval: '1s' }, identity: { patience: '5s' } }
const PODS = '/var/log/pods'
/** Two reads of an agent and a little: what came before is served. */
const READ_MS = 2_500
const LISTENER = { port: { number: 80, protocol: 'TCP', name: 'tcp' }, bind: '127.0.0.1', captureMode: 'NONE' }
const CALLS = 3
const CALL = `require('node:net').connect(80, '127.0.0.1').on('error', () => undefined)`
/** More than identity.skew, and the seconds in which ends and lines are. */
const ENDED_MS = 5_000
/** No pod of the cluster has it. */
const NOBODY = '10.1.3.3'
const PROMETHEUS = ['prometheus', 'alertmanager'] as const
/** In pushes/s, of the three that changes make. */
const STORM = 1
const LOST = 'meshtoll_proxy_istiod_connection_terminations_total'
const [PLACE] = ISTIODS
const OWNER = { owner_zone: PLACE?.zone ?? '', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }
const FLAPPER = { config_namespace: 'noisy', config_name: 'flapper.noisy.svc.cluster.local' }

await meshTest(import.meta.url, async (t, mesh, lab) => {
  const { admin } = lab.cluster
  const { topology } = lab
  const { flapper } = mesh.services
  const [istiod] = mesh.istiods
  if (!istiod) throw new Error('a mesh has an istiod')

  const logged = (): string => readFolder(dirname(istiod.log.file))
  const written = (): number => debouncedIn(logged()).length

  t.test('on the node of an istiod', async (t) => {
    // In a world of its own: the machine's is as it was.
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/var/log'])
    mkdirSync(PODS)
    execFileSync('mount', ['--bind', mesh.logs, PODS])
    const { agents: given, scrapes, breakZtunnels } = await furnish(t, mesh, lab)
    const agents = await lab.startAgents({ ...given, options: { ...OPTIONS, ...given.options } })
    const panels = createAsking()
    let prometheus: Prometheus | undefined
    await untilCovering(() => agents.all.map((agent) => agent.log()))
    const agent = agents.on(PLACE?.node ?? '')
    const served = async (family: string, labels = {}): Promise<number> =>
      servedSum([await agent.snapshot()], `meshtoll_pilot_${family}`, labels)
    /** Answers what is served in the end. */
    const becomes = async (wanted: number, family: string, labels = {}): Promise<number> => {
      const isSo = async () => ((await served(family, labels)) === wanted ? true : undefined)
      await eventually(`${wanted} ${family}`, isSo, 10_000).catch(() => undefined)
      return served(family, labels)
    }
    t.equal(await becomes(WORKLOADS.length, 'proxies', OWNER), WORKLOADS.length)
    for (const other of agents.all.filter((one) => one !== agent))
      t.equal(servedSum([await other.snapshot()], 'meshtoll_pilot_proxies', {}), 0, `${other.node} has none`)
    await mesh.settled()
    await sleep(READ_MS)
    const [before, metrics] = [written(), await istiod.metrics()]
    const log = logged()
    const base = await served('push_causes_total')
    const sentBefore = await served('xds_sent_bytes_total', { proxy_namespace: PLACES.cart.namespace })
    const changedBefore = await served('endpoint_changes_total', FLAPPER)
    const bases = await Promise.all(['push_events_total', 'debounce_seconds', 'xds_pushes_total'].map((family) => served(family, OWNER)))
    const [events = 0, debounced = 0, pushed = 0] = bases

    t.test('each push has its cause, while the log is rotated', async (t) => {
      await flipEndpoints(admin, flapper, 4)
      await istiod.log.rotate(() => flipEndpoints(admin, flapper, 2))
      await flipEndpoints(admin, flapper, 2)
      await changeLabels(admin, flapper, 2)
      await mesh.settled()
      const pushes = written() - before
      t.ok(pushes >= 8, `${pushes} pushes`)
      t.equal((await becomes(base + pushes, 'push_causes_total')) - base, pushes)
      t.ok((await served('push_causes_total', { ...FLAPPER, config_kind: 'Endpoints', push: 'unforced' })) > 0)
      t.ok((await served('push_causes_total', { ...FLAPPER, config_kind: 'ServiceEntry' })) > 0)
      t.ok((await served('push_events_total', OWNER)) >= events + pushes)
      t.equal((await becomes(debounced + pushes, 'debounce_seconds', OWNER)) - debounced, pushes, 'as its histogram says')
      const made = sumOf(await istiod.metrics(), 'pilot_xds_pushes') - sumOf(metrics, 'pilot_xds_pushes')
      t.equal((await becomes(pushed + made, 'xds_pushes_total', OWNER)) - pushed, made)
    })

    t.test('a push storm is told to a webhook, with its cause', { skip: reasonToSkip(PROMETHEUS) ?? false }, async (t) => {
      const alertmanager = await startAlertmanager()
      t.teardown(() => alertmanager.stop())
      const rules = rulesWith({ window: '10s', alerts: { PushStorm: { for: '2s', pushesPerSecond: STORM } } })
      const server = await startPrometheus({ agents: agents.all, scrapes, interval: '2s', rules, alertmanager: alertmanager.target })
      prometheus = server
      const areRecorded = async () => ((await server.value('sum(push:meshtoll_pilot_push_causes:rate)')) >= 0 ? true : undefined)
      await eventually('rates', areRecorded, 20_000)
      t.same(alertmanager.told, [], 'nobody is woken by what came before')

      let isTold = false
      const firing = alertmanager.tells('PushStorm', 'firing', 40_000).finally(() => {
        isTold = true
      })
      const storm = (async () => {
        while (!isTold) await changeLabels(admin, flapper, 4)
      })()
      const { labels, annotations } = await firing
      await panels.ask(server)
      t.match(labels, { alertname: 'PushStorm', severity: 'warning' })
      const said =
        /^The istiods of one node push [1-9]\S* times a second[.] Causes, over all nodes: ServiceEntry noisy\/flapper[.]noisy[.]svc\S+ [(][1-9]/
      t.match(annotations['description'], said)
      await storm
      await alertmanager.tells('PushStorm', 'resolved', 40_000)
      t.equal(alertmanager.told.length, 2, 'and of nothing else anybody was told')

      await setProtocol(admin, flapper, 'http')
      t.match((await alertmanager.tells('ConfigRejected', 'firing', 75_000)).labels, { owner_kind: 'Deployment', xds: 'lds' })
      const heard = 'sum(increase(meshtoll_pilot_xds_rejects_total{xds="lds"}[10m]))'
      t.ok(await eventually('the first reject of all', async () => ((await server.value(heard)) > 0 ? true : undefined), 30_000))
      await setProtocol(admin, flapper, 'tcp')
    })

    t.test('what was sent to a namespace, and which endpoints changed', async (t) => {
      const { namespace } = PLACES.cart
      const host = FLAPPER.config_name
      const were = endpointsChangedIn(log, host)
      await setEndpoints(admin, flapper.slice, [])
      await eventually('a line', () => (endpointsChangedIn(logged(), host) > were ? true : undefined), 10_000)
      await setEndpoints(admin, flapper.slice, [flapper.endpoint])
      await mesh.settled()
      const sent = sentIn(logged(), namespace) - sentIn(log, namespace)
      t.ok(sent > 0, `${sent} bytes to ${namespace}`)
      t.equal((await becomes(sentBefore + sent, 'xds_sent_bytes_total', { proxy_namespace: namespace })) - sentBefore, sent)
      const changed = endpointsChangedIn(logged(), host) - were
      t.ok(changed > 0, `${changed} changes of endpoints`)
      t.equal((await becomes(changedBefore + changed, 'endpoint_changes_total', FLAPPER)) - changedBefore, changed)
    })

    t.test('an agent that is killed goes on where it was', async (t) => {
      await agent.kill()
      await flipEndpoints(admin, flapper, 2)
      await istiod.log.rotate()
      await flipEndpoints(admin, flapper, 2)
      await agent.start()
      await mesh.settled()
      const pushes = written() - before
      t.equal((await becomes(base + pushes, 'push_causes_total')) - base, pushes)
      const made = sumOf(await istiod.metrics(), 'pilot_xds_pushes') - sumOf(metrics, 'pilot_xds_pushes')
      t.equal((await becomes(pushed + made, 'xds_pushes_total', OWNER)) - pushed, made)
    })

    t.test('an istiod that begins anew adds to what was', async (t) => {
      await sleep(READ_MS)
      const was = await served('xds_pushes_total', OWNER)
      await istiod.stop()
      await istiod.start()
      await eventually(
        'all proxies',
        async () => (sumOf(await istiod.metrics(), 'pilot_xds') === WORKLOADS.length ? true : undefined),
        30_000,
      )
      await flipEndpoints(admin, flapper, 2)
      await mesh.settled()
      const pushes = written() - before
      t.equal((await becomes(base + pushes, 'push_causes_total')) - base, pushes, 'of the next container as well')
      const made = sumOf(await istiod.metrics(), 'pilot_xds_pushes')
      t.equal((await becomes(was + made, 'xds_pushes_total', OWNER)) - was, made)
      const resets = servedSum([await agent.snapshot()], 'meshtoll_source_resets_total', { source: 'istiod' })
      t.ok(resets > 0, `${resets} counters began anew`)
    })

    t.test('connections of a proxy that fail at a pod that has ended', async (t) => {
      const { cart } = mesh.proxies
      await create(admin, {
        apiVersion: 'networking.istio.io/v1',
        kind: 'Sidecar',
        metadata: { namespace: PLACES.cart.namespace, name: 'cart' },
        spec: { workloadSelector: { labels: { app: 'cart' } }, egress: [{ ...LISTENER, hosts: [`noisy/${FLAPPER.config_name}`] }] },
      })
      const listens = async () => ((await cart.admin('/listeners')).includes('127.0.0.1:80') ? true : undefined)
      await eventually('a listener', listens, 20_000)
      await completePod(admin, mesh.proxies.flapper.pod, new Date())
      await sleep(ENDED_MS)
      for (let i = 0; i < CALLS; i++) await topology.run(cart.in, [process.execPath, '-e', CALL])
      const node = agents.on(PLACES.cart.node)
      const called = { owner_name: 'cart', dst_owner_kind: 'Deployment', dst_owner_name: 'flapper', ended: 'yes' }
      const failed = async () => servedSum([await node.snapshot()], 'meshtoll_proxy_failed_upstream_requests_total', called)
      await eventually('failed calls', async () => ((await failed()) >= CALLS ? true : undefined), 25_000)
      t.equal(await failed(), CALLS)
      const phantom = { src_owner_name: 'cart', dst_owner_name: 'flapper' }
      const bytes = async () => servedSum([await node.snapshot()], 'meshtoll_phantom_bytes_total', phantom) || undefined
      t.ok(await eventually('bytes that the kernel counted to it', bytes, 20_000))
    })

    t.test('every query of every panel', { skip: reasonToSkip(PROMETHEUS) ?? noCgroups() ?? false }, async (t) => {
      t.teardown(() => prometheus?.stop())
      breakZtunnels()
      await restartContainers(admin, mesh.proxies.checkout.pod, PLACES.checkout.address)
      await topology.peer('p1a').sendUdp({ to: [NOBODY], port: 9, size: 1_400, packets: 1_000 })
      const areAll = async () => {
        await Promise.all([panels.ask(prometheus as Prometheus), flipEndpoints(admin, flapper, 4)])
        return panels.unanswered.length <= Object.keys(NOWHERE).length ? true : undefined
      }
      await eventually('answers', areAll, 45_000).catch(() => undefined)
      t.same(panels.unanswered, Object.keys(NOWHERE).sort(), 'has an answer, or is named with the reason why it has none')
    })

    t.test('a proxy that cannot reach istiod is told to a webhook', { skip: reasonToSkip(PROMETHEUS) ?? false }, async (t) => {
      const alertmanager = await startAlertmanager()
      t.teardown(() => alertmanager.stop())
      const rules = rulesWith({ window: '10s', alerts: { ProxiesDisconnected: { for: '2s', window: '10s' } } })
      const prometheus = await startPrometheus({ agents: agents.all, interval: '2s', rules, alertmanager: alertmanager.target })
      t.teardown(() => prometheus.stop())
      const { checkout } = mesh.proxies
      const isScraped = async () => ((await prometheus.value(`count(${LOST}{owner_name="checkout"})`)) > 0 ? true : undefined)
      await eventually('what its pilot-agent counts', isScraped, 20_000)
      await checkout.moveTo(undefined)
      const { labels, annotations } = await alertmanager.tells('ProxiesDisconnected', 'firing', 40_000)
      t.match(labels, { owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: 'checkout', severity: 'critical' })
      t.match(annotations['description'], /[.] All istiods together have 2 proxies connected[.]$/)
      await checkout.moveTo(targetOf(istiod))
      await alertmanager.tells('ProxiesDisconnected', 'resolved', 40_000)
      t.equal(alertmanager.told.length, 2, 'and of nothing else anybody was told')
    })

    t.test('its log says nothing but that istiod was away', async (t) => {
      t.notMatch(agent.log(), /level=error/)
      t.notMatch(agent.log(), /log cannot be read/)
    })
  })
})
