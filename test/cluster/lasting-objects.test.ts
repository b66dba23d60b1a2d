// Each kind of what lasts, with and without host names.
import t from 'tap'
import type { Following } from '../../src/cluster/following.js'
import { followLasting } from '../../src/cluster/lasting-objects.js'
import { createTenancies } from '../../src/identity/tenancies.js'
import { changed, fixture } from '../identity/objects/fixture.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

interface Put {
  put(key: string, raw: unknown): void
  remove(key: string): void
}

function setUp() {
  const clock = createHandClock()
  const tenancies = createTenancies()
  const collections = new Map<string, Put>()
  const keep: Following['follow'] & Following['followCustom'] = async ({ prune, put, remove, ...from }) => {
    const name = 'resource' in from ? from.resource.resource : from.path
    const understood = (raw: unknown) => prune(raw) ?? t.fail(`${name} is not understood`)
    collections.set(name, { put: (key, raw) => put(key, understood(raw) as never), remove })
  }
  const following: Following = { follow: keep, followCustom: keep, trouble: '', takeRejected: () => 0 }
  const resolve = async (name: string) => [{ address: name.startsWith('vm1') ? '10.9.0.6' : '9.9.9.9', ttlSeconds: 60 }]
  const stopping = new AbortController()
  t.teardown(() => stopping.abort(new Error('stopped')))
  return {
    clock,
    tenancies,
    collections,
    following: followLasting({ following, tenancies, resolve, clock, log: createKeptLog() }, stopping.signal),
    said: () =>
      tenancies.take().tenancies.map(({ address, untilMs, tenant: { who } }) => {
        const where = who.external ? 'on the internet' : `in ${who.zone}`
        return `${address} ${who.kind} ${who.name} ${where}${untilMs === Number.POSITIVE_INFINITY ? '' : ', gone'}`
      }),
  }
}

t.test('what is told of each, and when it goes', async (t) => {
  const VM = changed('workload-entry', { 'spec.address': 'vm1.corp.example' })
  const cases = [
    {
      from: '/api/v1/services',
      raw: fixture('service-load-balancer-hostname'),
      at: ['10.96.81.81 Service api in _unknown', '9.9.9.9 LoadBalancer api in _unknown'],
    },
    { from: 'serviceentries', raw: fixture('service-entry-dns'), at: ['9.9.9.9 ServiceEntry payments on the internet'] },
    {
      from: 'serviceentries',
      raw: fixture('service-entry-static'),
      at: ['10.9.0.5 ServiceEntry orders-db in us-east-1b', 'fd00:9::5 ServiceEntry orders-db in _unknown'],
    },
    { from: 'workloadentries', raw: VM, at: ['10.9.0.6 WorkloadEntry stock-vm-1 in us-east-1c'] },
    { from: 'workloadentries', raw: fixture('workload-entry'), at: ['10.9.0.6 WorkloadEntry stock-vm-1 in us-east-1c'] },
  ]
  for (const { from, raw, at } of cases) {
    const { collections, following, said } = setUp()
    await following
    collections.get(from)?.put('shop/one', raw)
    await settled()
    t.same(said(), at, from)
    collections.get(from)?.remove('shop/one')
    t.same(
      said(),
      at.map((one) => `${one}, gone`),
      `${from}: gone`,
    )
  }
})

t.test('what it no longer has it had until that was heard', async (t) => {
  const { collections, following, tenancies, clock } = setUp()
  await following
  const made = { 'metadata.creationTimestamp': '1970-01-01T00:00:10Z' }
  collections.get('/api/v1/services')?.put('shop/one', changed('service-cluster-ip', made))
  tenancies.take()
  clock.advance(60_000)
  collections.get('/api/v1/services')?.put('shop/one', changed('service-cluster-ip', { ...made, 'spec.externalIPs': [] }))
  t.match(tenancies.take().tenancies, [{ address: '198.51.100.7', untilMs: clock.now() }])
})
