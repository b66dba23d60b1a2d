import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  asksIstiodDebug,
  createIstiodDebugSource,
  createIstiodLogSource,
  createIstiodSource,
  debugTargetsOf,
  istiodsOf,
  logsOf,
  readsIstiodLog,
  usesIstiod,
} from '../../src/agent/istiod.js'
import { probeIstiod } from '../../src/cli/check/istiod.js'
import { parseConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { growingFiles } from '../../src/growing-files.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import type { ContainerName } from '../../src/kube/pod-log.js'
import { whereOf } from '../../src/sources/container-logs/following.js'
import { serve } from '../http/serving.js'
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
    { name: 'told to follow logs through the API server', istiod: '{log: api}', pods, uses: true, reads: true },
    { name: 'told not to read logs', istiod: '{log: off}', pods, uses: true, reads: false },
    { name: 'told to', istiod: '{enabled: true}', pods: undefined, uses: true, reads: true },
  ]
  for (const { name, istiod, pods: known, uses, reads } of cases) {
    t.equal(usesIstiod(configOf(istiod), known), uses, name)
    t.equal(readsIstiodLog(configOf(istiod), known), reads, `${name}: logs`)
  }
})

t.test('whether they are asked for their proxies', async (t) => {
  const pods = createOwnPods('n1')
  const cases = [
    { name: 'not by default', istiod: '{}', pods, asks: false },
    { name: 'told to', istiod: '{debug: true}', pods, asks: true },
    { name: 'where there is nobody', istiod: '{debug: true}', pods: undefined, asks: false },
    { name: 'told not to ask any', istiod: '{debug: true, enabled: false}', pods, asks: false },
  ]
  for (const { name, istiod, pods: known, asks } of cases) t.equal(asksIstiodDebug(configOf(istiod), known), asks, name)
})

t.test('their proxies, from a real server that takes a token of a file', async (t) => {
  const folder = t.testdir({ token: 'a.b.c\n' })
  const shown: unknown[] = []
  const origin = await serve(t, ({ url = '', headers }, response) => {
    shown.push(headers.authorization)
    if (headers.authorization !== 'Bearer a.b.c') response.writeHead(401).end()
    else response.end(readFileSync(join(FIXTURES, url === '/debug/syncz' ? 'debug-syncz.json' : 'debug-connections.json')))
  })
  const url = `${origin}/metrics`
  const deps = {
    clock: createHandClock(),
    log: createKeptLog(),
    readFile: async (path: string) => readFileSync(path, 'utf8'),
    growingFiles,
  }
  const config = configOf(`{debug: true, log: off, tokenFile: "${folder}/token", targets: [{url: "${url}", ownerName: istiod}]}`)
  const { readings } = await createIstiodDebugSource(config, undefined, deps).read(never)
  t.equal(readings.filter(({ kind }) => kind === 'row').length, 3)
  t.same(shown, ['Bearer a.b.c', 'Bearer a.b.c'])
  const probe = (of: Config) => probeIstiod({ config: of, environment: {}, followsPods: false }, deps, never)
  t.match(await probe(config), { debug: { targets: 1, silent: [] } }, 'check: it answers')
  t.match(
    await probe(configOf(`{debug: true, log: off, tokenFile: /nowhere, targets: [{url: "${url}"}]}`)),
    { debug: { targets: 1, silent: [{ reason: /^it answers 401; the token \/nowhere cannot be read: ENOENT/ }] } },
    'check: no token',
  )
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
  t.same(
    [...debugTargetsOf(istiod, pods)].map(({ url }) => url),
    ['http://a/debug/syncz', 'http://b/debug/syncz', 'http://[fd00::5]:15014/debug/syncz'],
  )
  const logs = [...logsOf(istiod, pods)]
  t.same(
    logs.map(({ name, place }) => [name, whereOf(place)]),
    [
      ['http://a/metrics', '/var/log'],
      [uid, `/var/log/pods/istio-system_istiod-7f9c-x2x4v_${uid}/discovery`],
    ],
  )
  const podLogs = {
    placeOf: ({ namespace, pod, container }: ContainerName) => ({ path: `${namespace}/${pod}/${container}`, open: async () => undefined }),
  }
  t.same(
    [...logsOf(istiod, pods, podLogs)].map(({ place }) => whereOf(place)),
    ['/var/log', 'istio-system/istiod-7f9c-x2x4v/discovery'],
    'those of pods through the API server',
  )
  t.same(logs[0]?.labels, { owner_zone: 'z', owner_namespace: '', owner_kind: '_unknown', owner_name: '_unknown' })
})

t.test('who is believed to be one', async (t) => {
  const pods = createOwnPods('n1')
  for (const namespace of ['istio-system', 'mesh', 'shop'])
    pods.put(
      `${namespace}/istiod-1`,
      podFacts({ role: 'istiod', uid: namespace, namespace, name: 'istiod-1', addresses: [`10.1.0.${namespace.length}`] }),
      { kind: 'Deployment', name: 'istiod' },
    )
  const cases = [
    { istiod: '{}', names: ['istio-system'] },
    { istiod: '{namespaces: [istio-system, mesh]}', names: ['istio-system', 'mesh'] },
    { istiod: '{namespaces: []}', names: [] },
  ]
  for (const { istiod: text, names } of cases) {
    const { istiod } = configOf(text)
    for (const asked of [istiodsOf(istiod, pods), debugTargetsOf(istiod, pods), logsOf(istiod, pods)])
      t.same(
        [...asked].map(({ name }) => name),
        names,
        text,
      )
  }
})

t.test('by the configuration alone, against a real server and a real file', async (t) => {
  const metrics = readFileSync(join(FIXTURES, 'istiod.5-endpoint-churn-after-exportto.prom'), 'utf8')
  const origin = await serve(t, (_, response) => response.end(metrics))
  const url = `${origin}/metrics`
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
  const source = createIstiodLogSource({ config, environment: {} }, undefined, { ...deps, readFile: async () => '' })
  const { readings } = await source.read(never)
  const [mark] = readings.filter(({ kind }) => kind === 'mark')
  const none = configOf(`{targets: [{url: "${url}"}, {url: "${url}x", log: /nowhere/istiod.log}]}`)
  const all = { environment: {}, followsPods: false }
  const probes = { ...deps, readFile: async () => '' }
  t.same(
    await probeIstiod({ config, ...all }, probes, never),
    { targets: 1, silent: [], debug: undefined, logs: { readable: 1, unreadable: [] }, pods: { believed: [], refused: [] } },
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
