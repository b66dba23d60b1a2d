import t from 'tap'
import { type ServiceFacts, serviceFactsOf } from '../../../src/identity/objects/service.js'
import { changed, fixture } from './fixture.js'

const NOTHING = { clusterIps: [], externalIps: [], loadBalancerIps: [], loadBalancerHostnames: [] }

t.test('services', async (t) => {
  const cases: { name: string; raw: unknown; facts: ServiceFacts | undefined }[] = [
    {
      name: 'dual stack, with an external address',
      raw: fixture('service-cluster-ip'),
      facts: {
        ...NOTHING,
        createdMs: Date.parse('2026-01-06T08:00:00Z'),
        namespace: 'shop',
        name: 'cart',
        clusterIps: ['10.96.14.7', 'fd00:10:96::e07'],
        externalIps: ['198.51.100.7'],
      },
    },
    {
      name: 'headless',
      raw: fixture('service-headless'),
      facts: { ...NOTHING, createdMs: Date.parse('2026-01-06T08:00:00Z'), namespace: 'shop', name: 'orders-db' },
    },
    {
      name: 'a load balancer with addresses, other than wished for',
      raw: fixture('service-load-balancer-ip'),
      facts: {
        ...NOTHING,
        createdMs: Date.parse('2026-01-06T08:00:00Z'),
        namespace: 'shop',
        name: 'web',
        clusterIps: ['10.96.80.80'],
        loadBalancerIps: ['203.0.113.80', '2001:db8::50'],
      },
    },
    {
      name: 'a load balancer with a name',
      raw: fixture('service-load-balancer-hostname'),
      facts: {
        ...NOTHING,
        createdMs: Date.parse('2026-01-06T08:00:00Z'),
        namespace: 'shop',
        name: 'api',
        clusterIps: ['10.96.81.81'],
        loadBalancerHostnames: ['a1b2c3d4e5-1234567890.us-east-1.elb.amazonaws.com'],
      },
    },
    {
      name: 'a name of something outside',
      raw: fixture('service-external-name'),
      facts: { ...NOTHING, createdMs: Date.parse('2026-01-06T08:00:00Z'), namespace: 'shop', name: 'payments' },
    },
    {
      name: 'only clusterIP, as before dual stack',
      raw: changed('service-cluster-ip', { 'spec.clusterIPs': undefined, 'spec.externalIPs': undefined }),
      facts: { ...NOTHING, createdMs: Date.parse('2026-01-06T08:00:00Z'), namespace: 'shop', name: 'cart', clusterIps: ['10.96.14.7'] },
    },
    {
      name: 'that does not say since when it is there',
      raw: changed('service-headless', { 'metadata.creationTimestamp': undefined }),
      facts: { ...NOTHING, createdMs: 0, namespace: 'shop', name: 'orders-db' },
    },
    { name: "Knative's", raw: changed('service-cluster-ip', { apiVersion: 'serving.knative.dev/v1' }), facts: undefined },
    { name: 'without a name', raw: changed('service-cluster-ip', { 'metadata.name': undefined }), facts: undefined },
    { name: 'without a namespace', raw: changed('service-cluster-ip', { 'metadata.namespace': undefined }), facts: undefined },
  ]
  for (const { name, raw, facts } of cases) t.strictSame(serviceFactsOf(raw), facts, name)
})

t.test('facts are frozen', async (t) => {
  const facts = serviceFactsOf(fixture('service-load-balancer-hostname'))
  t.ok([facts, ...Object.values(facts ?? {})].every(Object.isFrozen))
})
