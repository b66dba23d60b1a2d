import t from 'tap'
import { configuredTargets, targetsOf } from '../../src/agent/targets.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import { podFacts } from './pod-facts.js'

const OWNER = { kind: 'Deployment', name: 'cart' }
const urlOf = (host: string): string => `http://${host}:15090/stats`

t.test('the proxies of this node', async (t) => {
  const cases = [
    { name: 'one', pod: { addresses: ['10.1.0.1', 'fd00::1'] }, urls: ['http://10.1.0.1:15090/stats'] },
    { name: 'IPv6', pod: { addresses: ['fd00::1'] }, urls: ['http://[fd00::1]:15090/stats'] },
    {
      name: 'on the network of the node',
      pod: { addresses: ['192.168.0.1'], hostNetwork: true },
      urls: ['http://192.168.0.1:15090/stats'],
    },
    { name: 'without an address yet', pod: { addresses: [] }, urls: [undefined] },
    { name: 'ended', pod: { addresses: ['10.1.0.1'], endedMs: 5 }, urls: [] },
    { name: 'of another node', pod: { addresses: ['10.1.0.1'], node: 'n2' }, urls: [] },
    { name: 'a ztunnel', pod: { addresses: ['10.1.0.1'], role: 'ztunnel' as const }, urls: [] },
    { name: 'of no mesh', pod: { addresses: ['10.1.0.1'], role: undefined }, urls: [] },
  ]
  for (const { name, pod, urls } of cases) {
    const pods = createOwnPods('n1')
    pods.put('shop/cart-1', podFacts({ role: 'proxy', startedMs: 3, ...pod }), OWNER)
    const found = [...targetsOf(pods, 'proxy', urlOf)]
    t.same(
      found.map(({ url }) => url),
      urls,
      name,
    )
    const whose = { name: 'u1', pod: { uid: 'u1', namespace: 'shop', name: 'cart-1' }, startedMs: 3, labels: {} }
    for (const target of found) t.match(target, whose)
  }
})

t.test('configured ones have the labels that they are given', async (t) => {
  const url = 'http://10.1.0.10:15090/stats/prometheus'
  t.same(configuredTargets([{ url, zone: 'a', namespace: 'shop', ownerKind: 'Deployment', ownerName: 'cart' }]), [
    { name: url, url, labels: { owner_zone: 'a', owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: 'cart' } },
  ])
})

t.test('an address that went on to another pod, while the end of the first is not heard of', async (t) => {
  const address = { addresses: ['10.1.0.1'], role: 'proxy' as const }
  const cases = [
    { name: 'to a proxy', next: { ...address, startedMs: 9 }, urls: { u1: undefined, u2: 'http://10.1.0.1:15090/stats' } },
    { name: 'to any other', next: { ...address, startedMs: 9, role: undefined }, urls: { u1: undefined } },
    {
      name: 'from a proxy that is told of later',
      next: { ...address, startedMs: 1 },
      urls: { u1: 'http://10.1.0.1:15090/stats', u2: undefined },
    },
    {
      name: "to nobody: it is the node's",
      next: { ...address, startedMs: 9, role: undefined, hostNetwork: true },
      urls: { u1: 'http://10.1.0.1:15090/stats' },
    },
  ]
  for (const { name, next, urls } of cases) {
    const pods = createOwnPods('n1')
    pods.put('shop/cart-1', podFacts({ ...address, startedMs: 3 }), OWNER)
    pods.put('shop/cart-2', podFacts({ uid: 'u2', name: 'cart-2', ...next }), OWNER)
    t.same(Object.fromEntries([...targetsOf(pods, 'proxy', urlOf)].map((target) => [target.name, target.url])), urls, name)
  }
})
