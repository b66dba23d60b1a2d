import t from 'tap'
import { proxiesOf } from '../../src/agent/envoy.js'
import { createZtunnelSource, usesZtunnel, ztunnelsOf } from '../../src/agent/ztunnel.js'
import { probeZtunnel } from '../../src/cli/check/ztunnel.js'
import { parseConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import { serve } from '../http/serving.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { CAPTURES, expositionOf } from '../sources/ztunnel/exposition.js'
import { podFacts } from './pod-facts.js'

const never = new AbortController().signal
const configOf = (ztunnel: string): Config => {
  const { config, mistakes } = parseConfig(`node: {name: n1}\nztunnel: ${ztunnel}`, {})
  t.same(mistakes, [])
  return config
}
const TARGET = '[{url: "http://10.1.0.11:15020/stats/prometheus", ownerName: ztunnel}]'

t.test('whether ztunnels are asked', async (t) => {
  const pods = createOwnPods('n1')
  const cases = [
    { name: 'where pods are followed', ztunnel: '{}', pods, uses: true },
    { name: 'where there are targets', ztunnel: `{targets: ${TARGET}}`, pods: undefined, uses: true },
    { name: 'where there is nobody', ztunnel: '{}', pods: undefined, uses: false },
    { name: 'told not to', ztunnel: `{enabled: false, targets: ${TARGET}}`, pods, uses: false },
    { name: 'told to', ztunnel: '{enabled: true}', pods: undefined, uses: true },
  ]
  for (const { name, ztunnel, pods: known, uses } of cases) t.equal(usesZtunnel(configOf(ztunnel), known), uses, name)
})

t.test('where they are, and that nobody takes them for sidecars', async (t) => {
  const pods = createOwnPods('n1')
  const ztunnel = podFacts({ role: 'ztunnel', uid: 'u1', namespace: 'istio-system', name: 'ztunnel-x2x4v', addresses: ['fd00::5'] })
  pods.put('istio-system/ztunnel-x2x4v', ztunnel, { kind: 'DaemonSet', name: 'ztunnel' })
  pods.put('shop/cart-1', podFacts({ role: 'proxy', uid: 'u2', addresses: ['10.1.0.1'] }), { kind: 'Deployment', name: 'cart' })
  const config = configOf('{targets: [{url: "http://a/metrics", zone: z}]}')
  t.same(
    [...ztunnelsOf(config.ztunnel, pods)].map(({ url }) => url),
    ['http://a/metrics', 'http://[fd00::5]:15020/stats/prometheus'],
  )
  t.same(
    proxiesOf(config, pods).map(({ name }) => name),
    ['u2'],
  )
})

t.test('who is believed to be one', async (t) => {
  const pods = createOwnPods('n1')
  const put = (namespace: string, uid: string, address: string): void =>
    pods.put(`${namespace}/z`, podFacts({ role: 'ztunnel', uid, namespace, name: 'z', addresses: [address] }), { kind: 'Pod', name: 'z' })
  put('istio-system', 'u1', '10.1.0.1')
  put('kube-system', 'u2', '10.1.0.2')
  put('shop', 'u3', '10.1.0.3')
  const namesOf = (ztunnel: string): string[] => [...ztunnelsOf(configOf(ztunnel).ztunnel, pods)].map(({ name }) => name)
  t.same(namesOf('{}'), ['u1', 'u2'], 'no pod of another namespace')
  t.same(namesOf('{namespaces: [shop]}'), ['u3'])
  t.same(namesOf('{namespaces: [], targets: [{url: "http://10.1.0.3:15020/stats"}]}'), ['http://10.1.0.3:15020/stats'])
  const log = createKeptLog()
  const deps = { clock: createHandClock(), log }
  const source = createZtunnelSource(configOf('{namespaces: [mesh]}'), pods, deps)
  put('shop', 'u4', '10.1.0.4')
  for (let i = 0; i < 3; i++) await source.read(never)
  t.same(
    log.lines.toSorted(),
    ['istio-system', 'kube-system', 'shop'].map(
      (namespace) => `warn a pod is not believed for its namespace, and not asked {"source":"ztunnel","pod":"${namespace}/z"}`,
    ),
    'said once',
  )
})

t.test('by the configuration alone, against a real server', async (t) => {
  const answers: Readonly<Record<string, string | undefined>> = {
    '/new': CAPTURES[0],
    '/old': expositionOf([{ name: 'cart', received: 5 }]),
    '/sidecar': 'istio_build{component="proxy",tag="1.29.0"} 1\n',
  }
  const origin = await serve(t, ({ url = '' }, response) => response.end(answers[url]))
  const at = (path: string): string => `${origin}${path}`
  const configWith = (...paths: string[]): Config =>
    configOf(`{targets: [${paths.map((path) => `{url: "${at(path)}", ownerName: ztunnel}`).join(', ')}]}`)
  const deps = { clock: createHandClock(), log: createKeptLog(), readFile: async () => '' }
  const { readings, rejected } = await createZtunnelSource(configWith('/new'), undefined, deps).read(never)
  t.equal(rejected, 0)
  t.match(
    readings.find((reading) => reading.kind === 'total' && reading.labels.xds === 'wds'),
    { labels: { owner_name: 'ztunnel' }, value: 14_482 },
  )
  t.equal(readings.filter(({ kind }) => kind === 'event').length, 5)
  const probe = (config: Config) => probeZtunnel({ config, environment: {}, followsPods: false }, deps, never)
  t.same(await probe(configWith('/new', '/old', '/sidecar')), {
    targets: 3,
    silent: [{ place: at('/sidecar'), reason: 'it is no ztunnel' }],
    withoutZones: 1,
    pods: { believed: [], refused: [] },
  })
  t.equal(await probe(configOf('{}')), undefined, 'nobody to ask')
})
