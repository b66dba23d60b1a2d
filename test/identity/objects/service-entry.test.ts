import t from 'tap'
import { type ServiceEntryFacts, serviceEntryFactsOf } from '../../../src/identity/objects/service-entry.js'
import { changed, fixture } from './fixture.js'

const NOWHERE = { zone: '', region: '' }
const at = (address: string, place = NOWHERE) => ({ address, hostName: '', ...place })
const behind = (hostName: string, place = NOWHERE) => ({ address: '', hostName, ...place })
const ORDERS = { namespace: 'shop', name: 'orders-db', isExternal: false }
const PAYMENTS = { namespace: 'shop', name: 'payments', isExternal: true }
const PARTNERS = { namespace: 'shop', name: 'partners', isExternal: true }
const STATIC = 'service-entry-static'
const DNS = 'service-entry-dns'
const listing = (...endpoints: readonly object[]) => changed(STATIC, { 'spec.endpoints': endpoints })

t.test('ServiceEntries', async (t) => {
  const cases: { name: string; raw: unknown; facts: ServiceEntryFacts | undefined }[] = [
    {
      name: 'addresses in a zone, in a region, and a socket',
      raw: fixture(STATIC),
      facts: {
        ...ORDERS,
        endpoints: [at('10.9.0.5', { zone: 'us-east-1b', region: 'us-east-1' }), at('fd00:9::5', { zone: '', region: 'us-east-1' })],
      },
    },
    { name: 'host names, but no wildcards', raw: fixture(DNS), facts: { ...PAYMENTS, endpoints: [behind('api.payments.example.com')] } },
    {
      name: 'nothing resolved: single addresses are real ones, ranges are not kept',
      raw: fixture('service-entry-none'),
      facts: { ...PARTNERS, endpoints: [at('198.51.100.7'), at('198.51.100.8'), at('2001:db8::7')] },
    },
    {
      name: 'host names that are listed, in zones of their own',
      raw: changed(DNS, {
        'spec.endpoints': [{ address: 'US.payments.example.com.', locality: 'us/us-1' }, { address: 'eu.payments.example.com' }],
      }),
      facts: {
        ...PAYMENTS,
        endpoints: [behind('us.payments.example.com.', { zone: 'us-1', region: 'us' }), behind('eu.payments.example.com')],
      },
    },
    {
      name: 'one after the other',
      raw: changed(DNS, { 'spec.resolution': 'DNS_ROUND_ROBIN' }),
      facts: { ...PAYMENTS, endpoints: [behind('api.payments.example.com')] },
    },
    { name: 'whatever the request names', raw: changed(DNS, { 'spec.resolution': 'DYNAMIC_DNS' }), facts: { ...PAYMENTS, endpoints: [] } },
    {
      name: 'a selector says who',
      raw: changed(DNS, { 'spec.workloadSelector': { labels: { app: 'stock' } } }),
      facts: { ...PAYMENTS, endpoints: [] },
    },
    {
      name: 'no endpoints',
      raw: changed(STATIC, { 'spec.endpoints': undefined, 'spec.location': undefined }),
      facts: { ...ORDERS, isExternal: true, endpoints: [] },
    },
    {
      name: 'localities that are none, or partly',
      raw: listing(
        { address: '10.9.0.1', locality: '_unknown/_other' },
        { address: '10.9.0.2', locality: '/b' },
        { address: '10.9.0.3', locality: `us/${'b'.repeat(64)}/c` },
        { address: '10.9.0.4', locality: 7 },
      ),
      facts: {
        ...ORDERS,
        endpoints: [at('10.9.0.1'), at('10.9.0.2', { zone: 'b', region: '' }), at('10.9.0.3', { zone: '', region: 'us' }), at('10.9.0.4')],
      },
    },
    {
      name: 'what is neither an address nor a host name',
      raw: listing(
        ...['10.9.0', '010.9.0.5', '10.9.0.5/24', '*', '*.a.b', 'a b', 'a..b', '-a.b', '', `${'a.'.repeat(127)}a`].map((address) => ({
          address,
        })),
      ),
      facts: { ...ORDERS, endpoints: [] },
    },
    { name: "Consul's", raw: changed(STATIC, { apiVersion: 'consul.hashicorp.com/v1' }), facts: undefined },
    { name: 'another kind', raw: changed(STATIC, { kind: 'Sidecar' }), facts: undefined },
    { name: 'without a name', raw: changed(STATIC, { 'metadata.name': undefined }), facts: undefined },
    { name: 'without a namespace', raw: changed(STATIC, { 'metadata.namespace': undefined }), facts: undefined },
  ]
  for (const { name, raw, facts } of cases) t.strictSame(serviceEntryFactsOf(raw), facts, name)
})

t.test('facts are frozen', async (t) => {
  const facts = serviceEntryFactsOf(fixture(STATIC))
  t.ok([facts, facts?.endpoints, ...(facts?.endpoints ?? [])].every(Object.isFrozen))
})
