// The resolver of host names, before a name server of its own.
import t from 'tap'
import { createResolveHost } from '../../src/cluster/dns.js'
import { startNameServer, type Zone } from './name-server.js'

const ZONE: Zone = {
  'both.elb': { A: [{ data: '203.0.113.5', ttl: 60 }], AAAA: [{ data: '2001:db8::5', ttl: 30 }] },
  'four.elb': {
    A: [
      { data: '203.0.113.6', ttl: 0 },
      { data: '203.0.113.7', ttl: 86_400 },
    ],
  },
  'six.elb': { A: 'SERVFAIL', AAAA: [{ data: '2001:db8::6', ttl: 60 }] },
  'alias.elb': { CNAME: { data: 'four.elb', ttl: 10 } },
  'empty.elb': {},
  'broken.elb': { A: 'SERVFAIL', AAAA: 'SERVFAIL' },
  'half.elb': { A: 'SERVFAIL' },
  'refused.elb': { A: 'REFUSED', AAAA: 'REFUSED' },
  'garbage.elb': { A: 'garbage', AAAA: 'garbage' },
  'silent.elb': { A: 'silence', AAAA: 'silence' },
}

t.test('what name servers answer', async (t) => {
  const server = await startNameServer(t, ZONE)
  const resolve = createResolveHost({ servers: [server.address], timeoutMs: 200 })
  const cases = [
    {
      name: 'both.elb',
      found: [
        { address: '203.0.113.5', ttlSeconds: 60 },
        { address: '2001:db8::5', ttlSeconds: 30 },
      ],
    },
    {
      name: 'four.elb',
      found: [
        { address: '203.0.113.6', ttlSeconds: 0 },
        { address: '203.0.113.7', ttlSeconds: 86_400 },
      ],
    },
    { name: 'six.elb', found: [{ address: '2001:db8::6', ttlSeconds: 60 }] },
    {
      name: 'alias.elb',
      found: [
        { address: '203.0.113.6', ttlSeconds: 0 },
        { address: '203.0.113.7', ttlSeconds: 10 },
      ],
    },
    { name: 'empty.elb', found: [] },
    { name: 'nowhere.elb', found: [] },
    { name: 'broken.elb', failed: 'ESERVFAIL' },
    { name: 'half.elb', failed: 'ESERVFAIL' },
    { name: 'refused.elb', failed: 'EREFUSED' },
    { name: 'garbage.elb', failed: /EBADRESP|ETIMEOUT/ },
    { name: 'silent.elb', failed: 'ETIMEOUT' },
  ]
  for (const { name, found, failed } of cases) {
    const answer = await resolve(name, new AbortController().signal).catch(({ code }: NodeJS.ErrnoException) => code)
    if (found) t.same(answer, found, name)
    else t.match(answer, failed, name)
  }
})

t.test('nobody waits for an answer any more', async (t) => {
  const server = await startNameServer(t, ZONE)
  const stopping = new AbortController()
  const asked = createResolveHost({ servers: [server.address] })('silent.elb', stopping.signal)
  await server.asked
  stopping.abort()
  await t.rejects(asked, { code: 'ECANCELLED' })
})
