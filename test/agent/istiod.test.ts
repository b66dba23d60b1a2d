import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { createIstiodLogSource, createIstiodSource, istiodsOf, logsOf, readsIstiodLog, usesIstiod } from '../../src/agent/istiod.js'
import { probeIstiod } from '../../src/cli/check/istiod.js'
import { parseConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { growingFiles } from '../../src/growing-files.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { podFacts } from './pod-facts.js'

const FIXTURES = join(import.meta.dirname, '../fixtures/istio')
const never = new AbortController().signal
const configOf = (istiod: string): Config => {
  const { config, mistakes } = parseConfig(`node: {name: n1}\nistiod: ${istiod}`, {})
  t.same(mistakes, [])
  return config
}
const TARGET = '[{url: "http://10.0.0.5:15014/metrics", ownerName: istiod}]'

t.test('whether istiods are asked, and their logs are read', async (t) => {
  const pods = createOwnPods('n1')
  const cases = [
    { name: 'where pods are followed', istiod: '{}', pods, uses: true, reads: true },
    { name: 'where there are targets', istiod: `{targets: ${TARGET}}`, pods: undefined, uses: true, reads: true },
    { name: 'where there is nobody', istiod: '{}', pods: undefined, uses: false, reads: false },
    { name: 'told not to', istiod: `{enabled: false, targets: ${TARGET}}`, pods, uses: false, reads: false },
    { name: 'told not to read logs', istiod: '{log: off}', pods, uses: true, reads: false },
    { name: 'told to', istiod: '{enabled: true}', pods: undefined, uses: true, reads: true },
  ]
  for (const { name, istiod, pods: known, uses, reads } of cases) {
    t.equal(usesIstiod(configOf(istiod), known), uses, name)
    t.equal(readsIstiodLog(configOf(istiod), known), reads, `${name}: logs`)
  }
})

t.test('where they are', async (t) => {
  const pods = createOwnPods('n1')
  const uid = '11111111-0000-4000-8000-000000000001'
  const facts = podFacts({ role: 'istiod', uid, namespace: 'istio-system', name: 'istiod-7f9c-x2x4v', addresses: ['fd00::5'] })
  pods.put('istio-system/istiod-7f9c-x2x4v', facts, { kind: 'Deployment', name: 'istiod' })
  pods.put('shop/cart-1', podFacts({ role: 'proxy', uid: 'u2', addresses: ['10.1.0.1'] }), { kind: 'Deployment', name: 'cart' })
  const { istiod } = configOf('{targets: [{url: "http://a/metrics", log: /var/log/istiod.log, zone: z}, {url: "http://b/metrics"}]}')
  t.same(
    [...istiodsOf(istiod, pods)].map(({ url }) => url),
    ['http://a/metrics', 'http://b/metrics', 'http://[fd00::5]:15014/metrics'],
  )
  const logs = [...logsOf(istiod, pods)]
  t.same(
    logs.map(({ name, place }) => [name, place.folder]),
    [
      ['http://a/metrics', '/var/log'],
      [uid, `/var/log/pods/istio-system_istiod-7f9c-x2x4v_${uid}/discovery`],
    ],
  )
  t.same(logs[0]?.labels, { owner_zone: 'z', owner_namespace: '', owner_kind: '_unknown', owner_name: '_unknown' })
})

t.test('by the configuration alone, against a real server and a real file', async (t) => {
  const metrics = readFileSync(join(FIXTURES, 'istiod.5-endpoint-churn-after-exportto.prom'), 'utf8')
  const server = createServer((_, response) => response.end(metrics)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
  const config = configOf(`{targets: [{url: "${url}", ownerName: istiod, log: "${join(FIXTURES, 'istiod.log')}"}]}`)
  const deps = { clock: createHandClock(), log: createKeptLog(), growingFiles }
  const asked = await createIstiodSource(config, undefined, deps).read(never)
  t.ok(
    asked.readings.some(
      (reading) =>
        reading.kind === 'value' &&
        reading.family.name === 'meshtoll_pilot_proxies' &&
        reading.labels.owner_name === 'istiod' &&
        reading.value === 3,
    ),
  )
  const source = createIstiodLogSource(config, undefined, deps)
  const { readings } = await source.read(never)
  const [mark] = readings.filter(({ kind }) => kind === 'mark')
  const none = configOf(`{targets: [{url: "${url}"}, {url: "${url}x", log: /nowhere/istiod.log}]}`)
  const all = { environment: {}, followsPods: false }
  const probes = { ...deps, readFile: async () => '' }
  t.same(
    await probeIstiod({ config, ...all }, probes, never),
    { targets: 1, silent: [], logs: { readable: 1, unreadable: [] } },
    'check: all is well',
  )
  t.match(
    await probeIstiod({ config: none, ...all }, probes, never),
    { targets: 2, silent: [], logs: { readable: 0, unreadable: [{ folder: '/nowhere', reason: 'there is no log' }] } },
    'check: a log that is nowhere',
  )
  t.equal(await probeIstiod({ config: configOf('{}'), ...all }, probes, never), undefined, 'check: nobody to ask')
  t.match(mark, { name: url, value: `"offset":${readFileSync(join(FIXTURES, 'istiod.log')).length}` }, 'its end is where it begins')
})
