import t from 'tap'
import { accessLogsOf, createEnvoySource, proxiesOf, readsAccessLogs, usesEnvoy } from '../../src/agent/envoy.js'
import { probeEnvoy } from '../../src/cli/check/envoy.js'
import { parseConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { growingFiles } from '../../src/growing-files.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import { whereOf } from '../../src/sources/container-logs/following.js'
import { FILTER } from '../../src/sources/envoy/stats.js'
import { serve } from '../http/serving.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { captureOf } from '../sources/envoy/captures.js'
import { podFacts } from './pod-facts.js'

const never = new AbortController().signal
const configOf = (envoy: string): Config => {
  const { config, mistakes } = parseConfig(`node: {name: n1}\nenvoy: ${envoy}`, {})
  t.same(mistakes, [])
  return config
}
const TARGET = '[{url: "http://10.1.0.10:15090/stats/prometheus", ownerName: cart}]'

t.test('whether proxies are asked', async (t) => {
  const pods = createOwnPods('n1')
  const cases = [
    { name: 'where pods are followed', envoy: '{}', pods, uses: true },
    { name: 'where there are targets', envoy: `{targets: ${TARGET}}`, pods: undefined, uses: true },
    { name: 'where there is nobody', envoy: '{}', pods: undefined, uses: false },
    { name: 'told not to', envoy: `{enabled: false, targets: ${TARGET}}`, pods, uses: false },
    { name: 'told to', envoy: '{enabled: true}', pods: undefined, uses: true },
  ]
  for (const { name, envoy, pods: known, uses } of cases) t.equal(usesEnvoy(configOf(envoy), known), uses, name)
})

t.test('where they are asked', async (t) => {
  const pods = createOwnPods('n1')
  pods.put('shop/cart-1', podFacts({ role: 'proxy', addresses: ['10.1.0.1'] }), { kind: 'Deployment', name: 'cart' })
  const config = configOf('{targets: [{url: "http://a/stats"}, {url: "http://b/stats?usedonly"}, {url: "http://c/stats?filter=x"}]}')
  const query = `filter=${encodeURIComponent(FILTER)}`
  t.same(
    proxiesOf(config, pods).map(({ url }) => url),
    [
      `http://a/stats?${query}`,
      `http://b/stats?usedonly&${query}`,
      'http://c/stats?filter=x',
      `http://10.1.0.1:15090/stats/prometheus?${query}`,
    ],
  )
})

t.test('by the configuration alone, against a real server', async (t) => {
  const asked: string[] = []
  const origin = await serve(t, ({ url = '' }, response) => {
    asked.push(url.replace(/\?.*/, ''))
    if (url.startsWith('/refused')) response.writeHead(403).end()
    else response.end(url.startsWith('/agent') ? 'istio_agent_istiod_connection_failures 2\n' : captureOf('cart', 5))
  })
  const at = (path: string): string => `${origin}/${path}`
  const config = configOf(`{targets: [{url: "${at('cart')}", agentUrl: "${at('agent')}", ownerName: cart}, {url: "${at('refused')}"}]}`)
  const deps = { clock: createHandClock(), log: createKeptLog(), readFile: async () => '', growingFiles }
  const source = createEnvoySource(config, undefined, deps)
  const { readings } = await source.read(never)
  const found = new Set(
    readings.flatMap((reading) =>
      reading.kind === 'total' || reading.kind === 'value' ? [`${reading.family.name} ${reading.labels.owner_name} ${reading.value}`] : [],
    ),
  )
  for (const row of [
    'meshtoll_proxies cart 1',
    'meshtoll_proxies_unreachable _unknown 1',
    'meshtoll_proxy_xds_receive_bytes_total cart 175054',
    'meshtoll_proxy_istiod_connection_failures_total cart 2',
  ])
    t.ok(found.has(row), row)
  t.same(asked.sort(), ['/agent', '/cart', '/refused'])
  t.same(await probeEnvoy({ config, environment: {}, followsPods: false }, deps, never), {
    targets: 2,
    silent: [{ place: at('refused'), reason: 'it answers 403' }],
    logs: undefined,
  })
  t.equal(await probeEnvoy({ config: configOf('{}'), environment: {}, followsPods: false }, deps, never), undefined)
})

t.test('whose access logs are read', async (t) => {
  const pods = createOwnPods('n1')
  pods.put('shop/cart-1', podFacts({ uid: 'u1', role: 'proxy', addresses: ['10.1.0.1'] }), { kind: 'Deployment', name: 'cart' })
  t.notOk(readsAccessLogs(configOf('{}'), pods), 'none, unless told to')
  t.notOk(readsAccessLogs(configOf('{accessLog: auto, enabled: false}'), pods))
  const folder = t.testdir({ 'access.log': '' })
  const config = configOf(
    `{accessLog: auto, targets: [{url: "http://a/stats", ownerName: cart, accessLog: "${folder}/access.log"}, {url: "http://b/stats"}]}`,
  )
  t.ok(readsAccessLogs(config, undefined))
  t.same(
    [...accessLogsOf(config.envoy, pods)].map(({ name, place }) => [
      name,
      whereOf(place),
      'inOrder' in place ? place.inOrder(['access.log', '0.log', 'x']) : [],
    ]),
    [
      ['http://a/stats', folder, ['access.log']],
      ['u1', '/var/log/pods/shop_cart-1_u1/istio-proxy', ['0.log']],
    ],
  )
  const never = new AbortController().signal
  const deps = { clock: createHandClock(), log: createKeptLog(), readFile: async () => '', growingFiles }
  t.match(await probeEnvoy({ config, environment: {}, followsPods: false }, deps, never), {
    targets: 2,
    logs: { readable: 1, unreadable: [] },
  })
})
