import t from 'tap'
import { tenanciesOfService, tenanciesOfServiceEntry, tenanciesOfWorkloadEntry } from '../../src/identity/lasting-tenancies.js'
import type { Endpoint } from '../../src/identity/objects/endpoint.js'
import type { NodeFacts } from '../../src/identity/objects/node.js'
import type { PodFacts } from '../../src/identity/objects/pod.js'
import type { ServiceFacts } from '../../src/identity/objects/service.js'
import type { ServiceEntryFacts } from '../../src/identity/objects/service-entry.js'
import { createTenancies, type Tenancies, type Tenancy, type TenancyChanges } from '../../src/identity/tenancies.js'
import { pod } from './objects/fixture.js'

const CART: PodFacts = { ...pod('pod-deployment'), uid: 'u1', node: 'n1', addresses: ['10.1.0.7'], startedMs: 100_000 }
const OWNER = { kind: 'Deployment', name: 'cart' }
const KEY = 'shop/cart-x2k9p'
const N1: NodeFacts = {
  name: 'n1',
  uid: 'node-1',
  zone: 'a',
  region: 'r',
  internalIps: ['192.168.0.1'],
  externalIps: [],
  podCidrs: ['10.1.0.0/24'],
  providerId: '',
  createdMs: 20_000,
}
const N2: NodeFacts = { ...N1, name: 'n2', zone: 'b', internalIps: ['192.168.0.2'], podCidrs: ['10.2.0.0/24', 'fd00:2::/64'] }
const WEB: ServiceFacts = {
  namespace: 'shop',
  name: 'web',
  clusterIps: ['10.96.0.1', 'fd00:96::1'],
  externalIps: ['203.0.113.1'],
  loadBalancerIps: ['203.0.113.1'],
  loadBalancerHostnames: ['web.elb'],
  createdMs: 30_000,
}
const addressesOf = (name: string): readonly string[] => (name === 'web.elb' ? ['203.0.113.2'] : [])

type Step = (tenancies: Tenancies) => void
const put =
  (changes: Partial<PodFacts> = {}, atMs?: number, sinceMs?: number): Step =>
  (tenancies) =>
    tenancies.putPod(KEY, { ...CART, ...changes }, OWNER, atMs === undefined ? undefined : { atMs, sinceMs })
const putNode =
  (node: NodeFacts): Step =>
  (tenancies) =>
    tenancies.putNode(node, 150_000)
const putService =
  (service: ServiceFacts): Step =>
  (tenancies) =>
    tenancies.putLasting('service/shop/web', tenanciesOfService(service, addressesOf), 150_000)

const ENTRY: ServiceEntryFacts = {
  namespace: 'shop',
  name: 'orders',
  isExternal: true,
  endpoints: [
    { address: '10.9.0.5', hostName: '', zone: 'b', region: 'r' },
    { address: '8.8.8.8', hostName: '', zone: '', region: 'r' },
    { address: '9.9.9.9', hostName: '', zone: '', region: '' },
    { address: '10.9.0.9', hostName: '', zone: '', region: '' },
    { address: '10.9.0.5', hostName: '', zone: 'c', region: '' },
    { address: '', hostName: 'web.elb', zone: 'c', region: '' },
    { address: '', hostName: 'not.resolved', zone: 'c', region: '' },
  ],
}
const isGlobal = (address: string): boolean => ['8.8.8.8', '9.9.9.9'].includes(address)
const putEntry =
  (entry: ServiceEntryFacts): Step =>
  (tenancies) =>
    tenancies.putLasting('serviceentry/shop/orders', tenanciesOfServiceEntry(entry, { addressesOf, isGlobal }), 150_000)
const putWorkload =
  (endpoint: Endpoint | undefined): Step =>
  (tenancies) =>
    tenancies.putLasting(
      'workloadentry/shop/vm-1',
      tenanciesOfWorkloadEntry({ namespace: 'shop', name: 'vm-1', endpoint }, addressesOf),
      150_000,
    )

/** `10.1.0.7 u1 100-`: in seconds. */
function said({ tenancies }: TenancyChanges): readonly string[] {
  return tenancies.map(({ address, key, fromMs, untilMs, tenant: { who, node, coverage } }) => {
    const until = untilMs === Number.POSITIVE_INFINITY ? '' : untilMs / 1000
    const where = who.external ? `on the internet${who.zone}${who.region}` : `in ${who.zone}|${who.region}`
    const place = `${who.namespace}/${who.kind}/${who.name} ${where}`
    return `${address} ${key} ${fromMs / 1000}-${until}, ${place} on ${node} ${coverage}`
  })
}

const CART_SAID = '10.1.0.7 u1 100-, shop/Deployment/cart in a|r on n1 node'

t.test('what the last step changes', async (t) => {
  const cases: { name: string; steps: readonly Step[]; says: readonly string[] }[] = [
    { name: 'a pod on a node that is known', steps: [putNode(N1), put()], says: [CART_SAID] },
    {
      name: 'a pod on a node that is not',
      steps: [put()],
      says: ['10.1.0.7 u1 100-, shop/Deployment/cart in _unknown|_unknown on n1 node'],
    },
    { name: 'its node after it', steps: [put(), putNode({ ...N1, internalIps: [] })], says: [CART_SAID] },
    {
      name: 'its node moves',
      steps: [putNode(N1), put(), putNode({ ...N1, zone: 'c' })],
      says: ['192.168.0.1 node/n1 20-, /Node/n1 in c|r on n1 node', '10.1.0.7 u1 100-, shop/Deployment/cart in c|r on n1 node'],
    },
    {
      name: 'its node moves, and both of its addresses with it',
      steps: [put({ addresses: ['10.1.0.7', 'fd00:1::7'] }), putNode({ ...N1, zone: 'c', internalIps: [] })],
      says: ['10.1.0.7 u1 100-, shop/Deployment/cart in c|r on n1 node', 'fd00:1::7 u1 100-, shop/Deployment/cart in c|r on n1 node'],
    },
    { name: 'the pod as before, after its node moved', steps: [putNode(N1), put(), putNode({ ...N1, zone: 'c' }), put()], says: [] },
    { name: 'its node as before', steps: [putNode(N1), put(), putNode({ ...N1 })], says: [] },
    { name: 'another node', steps: [putNode(N1), put(), putNode({ ...N2, internalIps: [] })], says: [] },
    { name: 'the pod as before', steps: [putNode(N1), put(), put()], says: [] },
    { name: 'no address yet', steps: [putNode(N1), put({ addresses: [] })], says: [] },
    { name: 'its address comes', steps: [putNode(N1), put({ addresses: [] }), put()], says: [CART_SAID] },
    { name: "in the host's network", steps: [putNode(N1), put({ hostNetwork: true })], says: [] },
    {
      name: 'an address more',
      steps: [putNode(N1), put(), put({ addresses: ['10.1.0.7', 'fd00:1::7'] }, 150_000)],
      says: ['fd00:1::7 u1 100-, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it ended',
      steps: [putNode(N1), put(), put({ endedMs: 150_000 })],
      says: ['10.1.0.7 u1 100-150, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it ended and lost its address',
      steps: [putNode(N1), put(), put({ endedMs: 150_000, addresses: [] })],
      says: ['10.1.0.7 u1 100-150, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it ended and lost one of its addresses',
      steps: [putNode(N1), put({ addresses: ['10.1.0.7', '10.1.0.8'] }), put({ endedMs: 150_000 }, 155_000)],
      says: ['10.1.0.7 u1 100-150, shop/Deployment/cart in a|r on n1 node', '10.1.0.8 u1 100-150, shop/Deployment/cart in a|r on n1 node'],
    },
    { name: 'it lost its address for a while', steps: [putNode(N1), put(), put({ addresses: [] }, 150_000)], says: [] },
    {
      name: 'it got another one when its node began anew',
      steps: [putNode(N1), put(), put({ addresses: [] }, 145_000), put({ addresses: ['10.1.0.9'] }, 150_000)],
      says: ['10.1.0.7 u1 100-150, shop/Deployment/cart in a|r on n1 node', '10.1.0.9 u1 150-, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'the one it got then stays',
      steps: [putNode(N1), put(), put({ addresses: ['10.1.0.9'] }, 150_000), put({ addresses: ['10.1.0.9'] }, 160_000)],
      says: [],
    },
    {
      name: 'it ended just before that was heard of',
      steps: [put(), put({ addresses: ['10.1.0.9'] }, 150_000), put({ addresses: ['10.1.0.9'], endedMs: 149_000 })],
      says: ['10.1.0.9 u1 150-150, shop/Deployment/cart in _unknown|_unknown on n1 node'],
    },
    {
      name: 'it got another one, and nobody says when',
      steps: [putNode(N1), put(), put({ addresses: ['10.1.0.9'] })],
      says: ['10.1.0.7 u1 100-100, shop/Deployment/cart in a|r on n1 node', '10.1.0.9 u1 100-, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it is gone',
      steps: [putNode(N1), put(), (all) => all.removePod(KEY, 150_000)],
      says: ['10.1.0.7 u1 100-150, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it is gone before it began, by another clock',
      steps: [putNode(N1), put(), (all) => all.removePod(KEY, 99_000)],
      says: ['10.1.0.7 u1 100-100, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it is gone some time after it ended',
      steps: [putNode(N1), put(), put({ endedMs: 150_000 }), (all) => void [all.take(), all.removePod(KEY, 160_000)]],
      says: [],
    },
    { name: 'one that nobody knows is gone', steps: [(all) => all.removePod(KEY, 150_000)], says: [] },
    {
      name: 'another of its name, as of a StatefulSet, elsewhere',
      steps: [putNode(N1), putNode(N2), put(), put({ uid: 'u2', node: 'n2', addresses: ['10.2.0.9'], startedMs: 160_000 }, 165_000)],
      says: ['10.1.0.7 u1 100-160, shop/Deployment/cart in a|r on n1 node', '10.2.0.9 u2 160-, shop/Deployment/cart in b|r on n2 node'],
    },
    {
      name: 'another of its name, and since when the first is gone nobody heard',
      steps: [putNode(N1), put(), put({ uid: 'u2', addresses: ['10.1.0.9'], startedMs: 160_000 }, 165_000, 120_000)],
      says: ['10.1.0.7 u1 100-120, shop/Deployment/cart in a|r on n1 node', '10.1.0.9 u2 160-, shop/Deployment/cart in a|r on n1 node'],
    },
    {
      name: 'it got another address, and when it lost the first nobody heard',
      steps: [putNode(N1), put(), put({ addresses: ['10.1.0.9'] }, 165_000, 120_000)],
      says: ['10.1.0.7 u1 100-120, shop/Deployment/cart in a|r on n1 node', '10.1.0.9 u1 165-, shop/Deployment/cart in a|r on n1 node'],
    },
    { name: 'the pod as before, after nothing was heard', steps: [putNode(N1), put(), put({}, 165_000, 120_000)], says: [] },
    {
      name: 'a node moves that it is no longer on',
      steps: [put(), put({ uid: 'u2', node: 'n2', startedMs: 160_000 }), putNode({ ...N1, internalIps: [] })],
      says: [],
    },
    {
      name: 'a node moves after it is gone',
      steps: [put(), (all) => all.removePod(KEY, 150_000), putNode({ ...N1, internalIps: [] })],
      says: [],
    },
    {
      name: 'a node, with each address once',
      steps: [putNode({ ...N1, zone: '', externalIps: ['203.0.113.9', '192.168.0.1'] })],
      says: ['192.168.0.1 node/n1 20-, /Node/n1 in _unknown|r on n1 node', '203.0.113.9 node/n1 20-, /Node/n1 in _unknown|r on n1 node'],
    },
    {
      name: 'a node loses an address',
      steps: [putNode(N1), putNode({ ...N1, internalIps: ['192.168.0.9'] })],
      says: ['192.168.0.9 node/n1 150-, /Node/n1 in a|r on n1 node', '192.168.0.1 node/n1 20-150, /Node/n1 in a|r on n1 node'],
    },
    {
      name: 'and gets another one, and the first back',
      steps: [putNode(N1), putNode({ ...N1, internalIps: ['192.168.0.9'] }), putNode(N1)],
      says: ['192.168.0.1 node/n1 150-, /Node/n1 in a|r on n1 node', '192.168.0.9 node/n1 150-150, /Node/n1 in a|r on n1 node'],
    },
    {
      name: 'it keeps one of two, since then',
      steps: [putNode({ ...N1, externalIps: ['203.0.113.9'] }), putNode({ ...N1, zone: 'c' })],
      says: ['192.168.0.1 node/n1 20-, /Node/n1 in c|r on n1 node', '203.0.113.9 node/n1 20-150, /Node/n1 in a|r on n1 node'],
    },
    {
      name: 'the address of a load balancer comes later',
      steps: [putService({ ...WEB, loadBalancerHostnames: [] }), putService(WEB)],
      says: ['203.0.113.2 service/shop/web 150-, shop/LoadBalancer/web in _unknown|_unknown on  never'],
    },
    {
      name: 'a Service loses its external address',
      steps: [putService(WEB), putService({ ...WEB, externalIps: [], loadBalancerIps: [] })],
      says: ['203.0.113.1 service/shop/web 30-150, shop/Service/web in _unknown|_unknown on  never'],
    },
    {
      name: 'a node is gone',
      steps: [putNode(N1), (all) => all.removeNode('n1', 150_000)],
      says: ['192.168.0.1 node/n1 20-150, /Node/n1 in a|r on n1 node'],
    },
    {
      name: 'a Service, whose own addresses are not the load balancer',
      steps: [putService(WEB)],
      says: [
        '10.96.0.1 service/shop/web 30-, shop/Service/web in _unknown|_unknown on  always',
        'fd00:96::1 service/shop/web 30-, shop/Service/web in _unknown|_unknown on  always',
        '203.0.113.1 service/shop/web 30-, shop/Service/web in _unknown|_unknown on  never',
        '203.0.113.2 service/shop/web 30-, shop/LoadBalancer/web in _unknown|_unknown on  never',
      ],
    },
    {
      name: 'an address of a Service is now one of its load balancer',
      steps: [putService(WEB), putService({ ...WEB, externalIps: [] })],
      says: ['203.0.113.1 service/shop/web 30-, shop/LoadBalancer/web in _unknown|_unknown on  never'],
    },
    {
      name: 'a ServiceEntry: in its zone, in its region, on the internet, behind a host name, and in no place twice',
      steps: [putEntry(ENTRY)],
      says: [
        '10.9.0.5 serviceentry/shop/orders 0-, shop/ServiceEntry/orders in b|r on  outside',
        '8.8.8.8 serviceentry/shop/orders 0-, shop/ServiceEntry/orders in _unknown|r on  outside',
        '9.9.9.9 serviceentry/shop/orders 0-, shop/ServiceEntry/orders on the internet on  outside',
        '10.9.0.9 serviceentry/shop/orders 0-, shop/ServiceEntry/orders in _unknown|_unknown on  outside',
        '203.0.113.2 serviceentry/shop/orders 0-, shop/ServiceEntry/orders in c|_unknown on  outside',
      ],
    },
    {
      name: 'a ServiceEntry that is internal to the mesh after all',
      steps: [putEntry(ENTRY), putEntry({ ...ENTRY, isExternal: false })],
      says: ['9.9.9.9 serviceentry/shop/orders 0-, shop/ServiceEntry/orders in _unknown|_unknown on  outside'],
    },
    {
      name: 'a WorkloadEntry, which is in the mesh',
      steps: [putWorkload({ address: '9.9.9.9', hostName: '', zone: '', region: 'r' })],
      says: ['9.9.9.9 workloadentry/shop/vm-1 0-, shop/WorkloadEntry/vm-1 in _unknown|r on  outside'],
    },
    { name: 'a WorkloadEntry without an address', steps: [putWorkload(undefined)], says: [] },
    {
      name: 'a Service is gone',
      steps: [
        putService({ ...WEB, clusterIps: [], loadBalancerIps: [], loadBalancerHostnames: [] }),
        (all) => all.removeLasting('service/shop/web', 150_000),
      ],
      says: ['203.0.113.1 service/shop/web 30-150, shop/Service/web in _unknown|_unknown on  never'],
    },
  ]
  for (const { name, steps, says } of cases) {
    const tenancies = createTenancies()
    for (const step of steps.slice(0, -1)) step(tenancies)
    tenancies.take()
    steps.at(-1)?.(tenancies)
    t.same([...said(tenancies.take())].sort(), [...says].sort(), name)
    t.same(said(tenancies.take()), [], `${name}: said once`)
  }
})

t.test('all that changed between two looks, the latest of each', async (t) => {
  const tenancies = createTenancies()
  for (const step of [put(), putNode({ ...N1, internalIps: [] }), put({ endedMs: 150_000 })]) step(tenancies)
  t.same(said(tenancies.take()), ['10.1.0.7 u1 100-150, shop/Deployment/cart in a|r on n1 node'])
})

t.test('ranges and zones, all of them, where a node changed', async (t) => {
  const both = { ranges: ['10.1.0.0/24 n1', '10.2.0.0/24 n2', 'fd00:2::/64 n2'], zones: ['a|r', 'b|r'] }
  const cases: { name: string; step: Step; says: { ranges: readonly string[]; zones: readonly string[] } | undefined }[] = [
    { name: 'nothing', step: () => undefined, says: undefined },
    { name: 'a pod', step: put(), says: undefined },
    { name: 'a node as before', step: putNode({ ...N2 }), says: undefined },
    { name: 'another address of a node', step: putNode({ ...N2, internalIps: [] }), says: undefined },
    { name: 'a node in a zone that is known', step: putNode({ ...N1, name: 'n3', podCidrs: [] }), says: both },
    { name: 'a node that does not say where', step: putNode({ ...N1, name: 'n3', zone: '', podCidrs: [] }), says: both },
    { name: 'a node without a region', step: putNode({ ...N2, region: '' }), says: { ...both, zones: ['a|r', 'b|_unknown'] } },
    {
      name: 'another range',
      step: putNode({ ...N2, podCidrs: ['10.3.0.0/24'] }),
      says: { ...both, ranges: ['10.1.0.0/24 n1', '10.3.0.0/24 n2'] },
    },
    { name: 'a node is gone', step: (all) => all.removeNode('n2', 150_000), says: { ranges: ['10.1.0.0/24 n1'], zones: ['a|r'] } },
  ]
  for (const { name, step, says } of cases) {
    const tenancies = createTenancies()
    tenancies.putNode(N1, 0)
    tenancies.putNode(N2, 0)
    tenancies.take()
    step(tenancies)
    const { ranges, zones } = tenancies.take()
    const found = ranges &&
      zones && { ranges: ranges.map(({ cidr, node }) => `${cidr} ${node}`), zones: zones.map(({ zone, region }) => `${zone}|${region}`) }
    t.same(found, says, name)
    t.same([tenancies.take().ranges, tenancies.take().zones], [undefined, undefined], `${name}: said once`)
  }
})

t.test('the nodes that there are', async (t) => {
  const tenancies = createTenancies()
  tenancies.putNode(N1, 0)
  tenancies.putNode(N2, 0)
  tenancies.removeNode('n1', 150_000)
  t.same([...tenancies.nodes], [['n2', N2]])
})

t.test('an entry of many addresses is looked through once, not once for each of them', async (t) => {
  const MANY = 1_000
  let looks = 0
  const lastingOf = (host: number): Tenancy => ({
    get address() {
      looks++
      return `10.9.${host >> 8}.${host & 255}`
    },
    ...{ key: 'serviceentry/shop/orders', fromMs: 0, untilMs: Number.POSITIVE_INFINITY },
    tenant: { who: { ...OWNER, zone: 'a', region: 'r', namespace: 'shop', external: false }, node: '', coverage: 'outside' },
  })
  const all = (): readonly Tenancy[] => Array.from({ length: MANY }, (_, host) => lastingOf(host))
  const tenancies = createTenancies()
  tenancies.putLasting('serviceentry/shop/orders', all(), 150_000)
  t.equal(tenancies.take().tenancies.length, MANY)
  tenancies.putLasting('serviceentry/shop/orders', all().slice(1), 160_000)
  t.same(
    tenancies.take().tenancies.map(({ address, untilMs }) => [address, untilMs]),
    [['10.9.0.0', 160_000]],
  )
  t.ok(looks < 20 * MANY, `${looks} looks`)
})
