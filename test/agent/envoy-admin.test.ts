import t from 'tap'
import { adminsOf, asksAdmin } from '../../src/agent/envoy-admin.js'
import { probeEnvoyAdmin } from '../../src/cli/check/envoy-admin.js'
import { parseConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { podFacts } from './pod-facts.js'

const configOf = (envoy: string): Config => {
  const { config, mistakes } = parseConfig(`node: {name: n1}\nenvoy: ${envoy}`, {})
  t.same(mistakes, [])
  return config
}

t.test('whether admin ports are asked', async (t) => {
  const pods = createOwnPods('n1')
  const cases = [
    { name: 'not by default', envoy: '{}', pods, asks: false },
    { name: 'told to', envoy: '{admin: netns}', pods, asks: true },
    { name: 'told to, where nobody tells of pods', envoy: '{admin: netns, targets: [{url: "http://a/"}]}', pods: undefined, asks: false },
    { name: 'of no proxies', envoy: '{admin: netns, enabled: false}', pods, asks: false },
  ]
  for (const { name, envoy, pods: known, asks } of cases) t.equal(asksAdmin(configOf(envoy), known), asks, name)
  const deps = { clock: createHandClock(), log: createKeptLog(), readFile: async () => '', listFolders: async () => [] }
  const surroundings = { config: configOf('{}'), environment: {}, followsPods: true }
  t.equal(await probeEnvoyAdmin(surroundings, deps, new AbortController().signal), undefined, 'nor by check')
})

t.test('where: on the loopback of each proxy, of the family that its pod has', async (t) => {
  const pods = createOwnPods('n1')
  const put = (name: string, addresses: readonly string[], role: 'proxy' | 'istiod' = 'proxy'): void =>
    pods.put(`shop/${name}`, podFacts({ uid: name, name, role, addresses }), { kind: 'Deployment', name })
  put('cart', ['10.1.0.1'])
  put('stock', ['fd00::1'])
  put('coming', [])
  put('istiod', ['10.1.0.2'], 'istiod')
  t.same(
    [...adminsOf(pods)].map(({ name, url }) => [name, url]),
    [
      ['cart', 'http://127.0.0.1:15000/clusters?format=json'],
      ['stock', 'http://[::1]:15000/clusters?format=json'],
      ['coming', undefined],
    ],
  )
})
