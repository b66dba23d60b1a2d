// A real HTTPS server with real certificates in the kubelet's place, which fails in every way.
import { readFile } from 'node:fs/promises'
import { createServer as createPlain } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTokenFile } from '../../../src/kube/token.js'
import { createKubeletEndpoint, type EndpointOptions } from '../../../src/sources/kubelet/endpoint.js'
import { parseSummary } from '../../../src/sources/kubelet/summary.js'
import { createAuthority, createCertificate } from '../../http/certificates.js'
import { type Asked, createFaultyServer } from '../../kube/faulty-server.js'
import { createHandClock } from '../../kube/hand-clock.js'

const SUMMARY = await readFile(join(import.meta.dirname, '../../fixtures/kubelet/summary.json'), 'utf8')
const PATH = '/stats/summary'
const folder = t.testdir()
const cluster = createAuthority(folder, 'cluster')
const serving = createCertificate(folder, 'kubelet', cluster)
const itself = createAuthority(folder, 'itself')
const never = new AbortController().signal

async function start(t: Test, { pair = serving, ...options }: Partial<EndpointOptions> & { pair?: typeof serving } = {}) {
  const server = await createFaultyServer(t, { tls: { cert: pair.cert, key: pair.key } })
  const clock = createHandClock()
  const token = async () => 'abc'
  const endpoint = createKubeletEndpoint({ url: server.url, ca: cluster.cert, token, insecureSkipVerify: false, ...options }, { clock })
  t.teardown(() => endpoint.close())
  return { server, clock, endpoint }
}

const lineOf = (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => 'it was read',
    ({ message }: Error) => message,
  )

t.test('an answer of some size, asked for with the token', async (t) => {
  const { server, endpoint } = await start(t)
  for (const attempt of ['first', 'second']) {
    const reading = endpoint.read(PATH, never)
    const asked = await server.next()
    t.match([asked.method, asked.path, asked.headers.authorization], ['GET', PATH, 'Bearer abc'], attempt)
    asked.page(200, SUMMARY)
    t.equal(parseSummary(await reading).pods.length, 6)
  }
  t.equal(server.connections, 1, 'over one connection')
})

t.test('a token that is replaced', async (t) => {
  const path = join(t.testdir({ token: 'old' }), 'token')
  const { server, endpoint } = await start(t, {
    token: createTokenFile(path, { readFile: async () => (server.connections > 0 ? 'new' : 'old'), clock: createHandClock() }),
  })
  const reading = endpoint.read(PATH, never)
  const first = await server.next()
  t.equal(first.headers.authorization, 'Bearer old')
  first.page(401, 'Unauthorized')
  const second = await server.next()
  t.equal(second.headers.authorization, 'Bearer new')
  second.page(200, '{}')
  t.equal(await reading, '{}')
})

t.test('whose certificate it is', async (t) => {
  const other = 'set kubelet.tls.caFile to the authority that did, or kubelet.tls.insecureSkipVerify: true'
  const cases = [
    { name: 'it signed its own', options: { pair: itself }, says: `is not signed by the cluster's authority; ${other}` },
    { name: 'of another authority', options: { ca: itself.cert }, says: `is not signed by the cluster's authority; ${other}` },
    { name: 'taken all the same', options: { pair: itself, insecureSkipVerify: true }, says: '' },
    { name: 'named as its authority', options: { pair: createCertificate(folder, 'other', itself), ca: itself.cert }, says: '' },
  ]
  for (const { name, options, says } of cases) {
    const { server, endpoint } = await start(t, options)
    const reading = lineOf(endpoint.read(PATH, never))
    if (says === '') (await server.next()).page(200, '{}')
    t.match(await reading, says === '' ? 'it was read' : says, name)
  }
  const { server, endpoint } = await start(t, {})
  const named = createKubeletEndpoint(
    { url: server.url.replace('127.0.0.1', 'localhost'), ca: cluster.cert, token: undefined, insecureSkipVerify: false },
    { clock: createHandClock() },
  )
  t.teardown(() => named.close())
  t.match(await lineOf(named.read(PATH, never)), /is for other names; set kubelet\.url to one of them/)
  await endpoint.close()
})

t.test('what goes wrong is one line that says what to do', async (t) => {
  const cases: readonly { name: string; answer: (asked: Asked) => void; says: RegExp }[] = [
    {
      name: 'not let in',
      answer: (asked) => asked.page(401, 'Unauthorized'),
      says: /^GET https:\/\/127\.0\.0\.1:\d+\/stats\/summary: 401; the kubelet does not take the agent's token: let it ask/,
    },
    {
      name: 'not allowed',
      answer: (asked) => asked.page(403, 'Forbidden (user=x, verb=get, resource=nodes, subresource=stats)'),
      says: /: 403; allow it with the RBAC rule \{apiGroups: \[""\], resources: \["nodes\/stats"\], verbs: \["get"\]\}$/,
    },
    { name: 'not there', answer: (asked) => asked.page(404, '404 page not found'), says: /\/stats\/summary: 404$/ },
    { name: 'overloaded', answer: (asked) => asked.page(500, 'Internal Error: failed to list pod stats'), says: /\/stats\/summary: 500$/ },
    { name: 'hangs up', answer: (asked) => asked.drop(), says: /^GET https:\/\/127\.0\.0\.1:\d+\/stats\/summary: / },
    {
      name: 'breaks off',
      answer: async (asked) => {
        asked.open()
        await asked.write(SUMMARY.slice(0, 1000))
        asked.drop()
      },
      says: /^GET https:\/\/127\.0\.0\.1:\d+\/stats\/summary: /,
    },
    {
      name: 'never ends',
      answer: async (asked) => {
        asked.open()
        const piece = Buffer.alloc(1 << 20, ' ')
        for (let i = 0; i < 20; i++) await Promise.race([asked.write(piece), asked.closed])
      },
      says: /^the kubelet's answer is larger than 16 MiB, so it is not read$/,
    },
  ]
  for (const { name, answer, says } of cases) {
    const { server, endpoint } = await start(t)
    const reading = lineOf(endpoint.read(PATH, never))
    answer(await server.next())
    const line = await reading
    t.match(line, says, name)
    t.notOk(line.includes('\n'), `${name}: one line`)
  }
})

t.test('the rule of the other endpoint', async (t) => {
  const { server, endpoint } = await start(t)
  const reading = lineOf(endpoint.read('/metrics/resource', never))
  ;(await server.next()).page(403, 'Forbidden')
  t.match(await reading, /resources: \["nodes\/metrics"\]/)
})

t.test('nobody listens', async (t) => {
  const server = createPlain().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  server.close()
  const url = `https://127.0.0.1:${port}`
  const endpoint = createKubeletEndpoint(
    { url, ca: cluster.cert, token: undefined, insecureSkipVerify: false },
    { clock: createHandClock() },
  )
  t.equal(await lineOf(endpoint.read(PATH, never)), `no kubelet listens at 127.0.0.1:${port}; if it does elsewhere, set kubelet.url`)
})

t.test('an answer that falls silent', async (t) => {
  const { server, endpoint, clock } = await start(t)
  const reading = lineOf(endpoint.read(PATH, never))
  const asked = await server.next()
  asked.open()
  await asked.write('{')
  await clock.untilSleeping(5_000)
  clock.advance(5_000)
  t.match(await reading, /nothing came for 5 s/)
})

t.test('aborted while it waits', async (t) => {
  const { server, endpoint } = await start(t)
  const abort = new AbortController()
  const reading = endpoint.read(PATH, abort.signal)
  await server.next()
  abort.abort(new Error('not done within 8 s'))
  await t.rejects(reading, { message: 'not done within 8 s' })
})
