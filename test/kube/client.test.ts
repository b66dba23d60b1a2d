import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { type ClientOptions, createKubeClient, type KubeClient, readJson } from '../../src/kube/client.js'
import type { KubeError } from '../../src/kube/kube-error.js'
import type { ReadToken } from '../../src/kube/token.js'
import { createAuthority, createCertificate } from '../http/certificates.js'
import { createFaultyServer, type FaultyServer } from './faulty-server.js'
import { createHandClock, type HandClock } from './hand-clock.js'

const PODS = '/api/v1/pods'
const never = new AbortController().signal

interface Here {
  readonly server: FaultyServer
  readonly client: KubeClient
  readonly clock: HandClock
}

async function start(t: Test, options: Partial<ClientOptions> = {}): Promise<Here> {
  const server = await createFaultyServer(t)
  const clock = createHandClock()
  return { server, clock, client: createClient(t, { server: server.url, ...options }, clock) }
}

function createClient(t: Test, options: ClientOptions, clock = createHandClock()): KubeClient {
  const client = createKubeClient(options, { clock })
  t.teardown(() => client.close())
  return client
}

/** Tokens in the order in which they are handed out; asked for another than the refused one, it goes on. */
const tokens = (...list: string[]): ReadToken => {
  let index = 0
  return async (refused) => {
    if (refused === list[index] && index < list.length - 1) index++
    return list[index]
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const piece of body) text += piece
  return text
}

t.test('a request as it is sent, and its answer', async (t) => {
  const { server, client } = await start(t, { token: tokens('abc') })
  const response = client.request(PODS, {
    method: 'PATCH',
    query: { fieldSelector: 'spec.nodeName=n1,a!=b', limit: 5 },
    accept: 'application/json;as=Table',
    body: { a: 'ü' },
    contentType: 'application/merge-patch+json',
    signal: never,
  })
  const asked = await server.next()
  t.match(asked, { method: 'PATCH', path: PODS, query: { fieldSelector: 'spec.nodeName=n1,a!=b', limit: '5' }, body: '{"a":"ü"}' })
  t.match(asked.headers, {
    authorization: 'Bearer abc',
    accept: 'application/json;as=Table',
    'content-type': 'application/merge-patch+json',
    'user-agent': 'meshtoll',
  })
  asked.json({ b: 1 }, { status: 201, headers: { 'x-more': 'yes' } })
  const { status, headers, body } = await response
  t.match({ status, headers }, { status: 201, headers: { 'x-more': 'yes' } })
  t.equal(await textOf(body), '{"b":1}')
})

t.test('a body is compressed where that is asked for and pays', async (t) => {
  const { server, client } = await start(t)
  const send = (body: string, gzip: boolean) => client.request(PODS, { method: 'POST', body, gzip, signal: never })
  for (const [body, gzip, encoding] of [
    ['short', true, undefined],
    ['long '.repeat(1_000), true, 'gzip'],
    ['long '.repeat(1_000), false, undefined],
  ] as const) {
    const response = send(body, gzip)
    const asked = await server.next()
    t.equal(asked.headers['content-encoding'], encoding)
    t.equal(asked.body.length < body.length, encoding === 'gzip')
    asked.json({})
    await textOf((await response).body)
  }
})

t.test('the API may be behind a path', async (t) => {
  const server = await createFaultyServer(t)
  const client = createClient(t, { server: `${server.url}/k8s/clusters/c-1/` })
  const response = client.request(PODS, { signal: never })
  const asked = await server.next()
  t.equal(asked.path, `/k8s/clusters/c-1${PODS}`)
  t.notOk('authorization' in asked.headers, 'and needs no token')
  asked.refuse(404, { reason: 'NotFound', message: 'no such thing' })
  await t.rejects(response, { message: `GET ${server.url}/k8s/clusters/c-1${PODS}: 404 NotFound: no such thing` })
})

t.test('refusals say what to do', async (t) => {
  const { server, client } = await start(t, { token: tokens('abc') })
  const cases = [
    {
      name: 'a missing rule',
      answer: { status: 403, reason: 'Forbidden', message: 'pods is forbidden: User "x" cannot list resource "pods"' },
      error: {
        status: 403,
        message: `GET ${server.url}${PODS}: 403 Forbidden: pods is forbidden: User "x" cannot list resource "pods"; allow it with the RBAC rule {apiGroups: [""], resources: ["pods"], verbs: ["list"]}`,
      },
    },
    {
      name: 'refused credentials',
      answer: { status: 401, reason: 'Unauthorized', message: 'Unauthorized' },
      error: {
        status: 401,
        message: `GET ${server.url}${PODS}: 401 Unauthorized: Unauthorized; the server does not accept these credentials: renew them, and allow them the RBAC rule {apiGroups: [""], resources: ["pods"], verbs: ["list"]}`,
      },
    },
    {
      name: 'too many requests',
      answer: { status: 429, reason: 'TooManyRequests', message: 'slow\ndown', retryAfter: '7' },
      error: { status: 429, retryAfterMs: 7000, message: `GET ${server.url}${PODS}: 429 TooManyRequests: slow down` },
    },
    {
      name: 'a delay in the Status object only',
      answer: {
        status: 504,
        reason: 'Timeout',
        message: 'later',
        details: { retryAfterSeconds: 2, causes: [{ reason: 'ResourceVersionTooLarge' }] },
      },
      error: {
        status: 504,
        reason: 'ResourceVersionTooLarge',
        retryAfterMs: 2000,
        message: `GET ${server.url}${PODS}: 504 Timeout: later`,
      },
    },
    {
      name: 'a delay that is a date',
      answer: { status: 503, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' },
      error: { status: 503, retryAfterMs: undefined, message: `GET ${server.url}${PODS}: 503` },
    },
  ]
  for (const { name, answer, error } of cases) {
    const response = client.request(PODS, { signal: never })
    const { status, ...more } = answer
    const asked = await server.next()
    asked.refuse(status, more)
    const { message, ...fields } = error
    const got = (await response.catch((error: unknown) => error)) as KubeError
    t.equal(got.message, message, name)
    for (const [key, value] of Object.entries(fields)) t.equal(got[key as keyof KubeError], value, `${name}: ${key}`)
  }
  const response = client.request(PODS, { query: { watch: 1 }, signal: never })
  const asked = await server.next()
  asked.page(502, '<html>upstream error</html>')
  await t.rejects(response, { message: `GET ${server.url}${PODS}: 502: <html>upstream error</html>` }, 'a page of a proxy')
})

t.test('a watch that is forbidden names its own verb', async (t) => {
  const { server, client } = await start(t)
  const response = client.request('/apis/apps/v1/replicasets', { query: { watch: 1 }, signal: never })
  const asked = await server.next()
  asked.refuse(403, { reason: 'Forbidden' })
  await t.rejects(response, /\{apiGroups: \["apps"\], resources: \["replicasets"\], verbs: \["watch"\]\}/)
})

t.test('a refused token is renewed once, and the request sent again', async (t) => {
  const { server, client } = await start(t, { token: tokens('old', 'new') })
  const response = client.request(PODS, { method: 'POST', body: { a: 1 }, signal: never })
  const first = await server.next()
  t.equal(first.headers.authorization, 'Bearer old')
  first.refuse(401)
  const second = await server.next()
  t.match({ ...second }, { body: '{"a":1}', headers: { authorization: 'Bearer new' } })
  second.json({})
  t.equal((await response).status, 200)
  const again = client.request(PODS, { signal: never })
  const third = await server.next()
  third.refuse(401)
  await t.rejects(again, { name: 'KubeError', status: 401 }, 'not for ever')
})

t.test('connections are kept, and bounded', async (t) => {
  const { server, client } = await start(t, { connections: 3 })
  for (let times = 0; times < 9; times++) {
    const answer = readJson(client, PODS, { signal: never })
    const asked = await server.next()
    asked.json({ times })
    t.strictSame(await answer, { times })
  }
  // A connection is free again a turn after its answer, so that two take turns.
  t.ok(server.connections <= 2, 'one after the other')
  const warnings: Error[] = []
  const warn = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const { signal } = new AbortController()
  const answers = Array.from({ length: 20 }, () => readJson(client, PODS, { signal }))
  for (let times = 0; times < 20; times++) {
    const asked = await server.next()
    asked.json({})
  }
  await Promise.all(answers)
  t.equal(server.connections, 3, 'together: no more than allowed')
  t.strictSame(warnings, [], 'and nobody takes many requests for a leak')
})

t.test('no headers, no bytes', async (t) => {
  const { server, client, clock } = await start(t)
  const hanging = client.request(PODS, { signal: never })
  const asked = await server.next()
  await clock.untilSleeping(65_000)
  clock.advance(65_000)
  await t.rejects(hanging, { status: 0, message: `GET ${server.url}${PODS}: nothing came for 65 s, so it was given up` })
  await asked.closed

  const response = client.request(PODS, { idleMs: 20_000, signal: never })
  const second = await server.next()
  second.open()
  const { body } = await response
  const pieces = body[Symbol.asyncIterator]()
  await second.write('one')
  t.equal(String((await pieces.next()).value), 'one')
  clock.advance(15_000)
  await second.write('two')
  t.equal(String((await pieces.next()).value), 'two', 'slow bytes are bytes')
  clock.advance(15_000)
  const next = pieces.next()
  await clock.untilSleeping(5000)
  t.equal(clock.sleeping.length, 1, 'the time began anew with the last bytes')
  clock.advance(5000)
  await t.rejects(next, { status: 0, message: `GET ${server.url}${PODS}: nothing came for 20 s, so it was given up` })
  await second.closed
  t.strictSame(clock.sleeping, [], 'nobody watches any more')
})

t.test('a request that waits for a connection is given up in time as well', async (t) => {
  const { server, client, clock } = await start(t, { connections: 1 })
  const first = client.request(PODS, { signal: never })
  const asked = await server.next()
  asked.open()
  const { body } = await first
  const stopping = new AbortController()
  const waiting = client.request(PODS, { signal: stopping.signal })
  const other = client.request(PODS, { signal: never })
  await clock.untilSleeping(65_000)
  stopping.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  clock.advance(65_000)
  await t.rejects(other, /nothing came for 65 s/)
  asked.end()
  t.equal(await textOf(body), '', 'the one in front goes on')
})

t.test('an abort ends a request with its reason, wherever it is', async (t) => {
  const { server, client, clock } = await start(t)
  const reason = new Error('stopped')
  const endsBy = async (promise: Promise<unknown>, when: string): Promise<void> => {
    t.equal(await promise.catch((error: unknown) => error), reason, when)
  }
  await endsBy(client.request(PODS, { signal: AbortSignal.abort(reason) }), 'before')
  const stopping = new AbortController()
  const response = client.request(PODS, { signal: stopping.signal })
  const asked = await server.next()
  stopping.abort(reason)
  await endsBy(response, 'before the headers')
  await asked.closed

  const later = new AbortController()
  const answer = client.request(PODS, { signal: later.signal })
  const second = await server.next()
  second.open()
  const { body } = await answer
  const text = textOf(body)
  later.abort(reason)
  await endsBy(text, 'within the body')
  await second.closed
  t.strictSame(clock.sleeping, [], 'nobody watches any more')
})

t.test('leaving a body early ends its connection', async (t) => {
  const { server, client } = await start(t)
  const response = client.request(PODS, { signal: never })
  const asked = await server.next()
  asked.open()
  await asked.write('one')
  for await (const piece of (await response).body) {
    t.equal(String(piece), 'one')
    break
  }
  await asked.closed
})

t.test('an answer that breaks off', async (t) => {
  const { server, client } = await start(t)
  const response = client.request(PODS, { signal: never })
  const asked = await server.next()
  asked.open()
  await asked.write('one')
  const text = textOf((await response).body)
  asked.drop()
  await t.rejects(text, { name: 'KubeError', status: 0, message: new RegExp(`^GET ${server.url}${PODS}: `) })
  const again = readJson(client, PODS, { signal: never })
  const second = await server.next()
  second.open()
  await second.write('{"a":')
  second.end()
  await t.rejects(again, { message: `GET ${server.url}${PODS}: the answer is no JSON` })
})

t.test('where there is no server', async (t) => {
  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  const client = createClient(t, { server: `http://127.0.0.1:${port}` })
  const message = `GET http://127.0.0.1:${port}${PODS}: connect ECONNREFUSED 127.0.0.1:${port} (nothing listens there; is the API server up?)`
  await t.rejects(client.request(PODS, { signal: never }), { status: 0, reason: 'ECONNREFUSED', message })
})

t.test('an IPv6 server', async (t) => {
  const server = await createFaultyServer(t, { host: '::1' })
  const client = createClient(t, { server: server.url })
  const answer = readJson(client, PODS, { signal: never })
  const asked = await server.next()
  asked.json({ v: 6 })
  t.strictSame(await answer, { v: 6 })
})

t.test('TLS', async (t) => {
  const folder = t.testdir()
  const authority = createAuthority(folder, 'authority')
  const stranger = createAuthority(folder, 'stranger')
  const { cert, key } = createCertificate(folder, 'server', authority)
  const own = createCertificate(folder, 'client', authority)
  const clientCertificate = { certificate: own.cert, key: own.key }
  const server = await createFaultyServer(t, { tls: { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true } })
  const parts = { server: server.url, ca: authority.cert, clientCertificate }

  const good = [
    { name: 'the right authority', options: parts },
    { name: 'any certificate', options: { ...parts, ca: stranger.cert, insecure: true } },
  ]
  for (const { name, options } of good) {
    const answer = readJson(createClient(t, options), PODS, { signal: never })
    const asked = await server.next()
    asked.json({})
    t.strictSame(await answer, {}, name)
  }
  const bad = [
    { name: 'another authority', options: { ...parts, ca: stranger.cert }, message: /not signed by the authority that was given/ },
    { name: 'another name', options: { ...parts, serverName: 'kubernetes' }, message: /certificate is for other names/ },
    {
      name: 'no client certificate',
      options: { ...parts, clientCertificate: undefined },
      message: /alert|certificate required|ECONNRESET|other side closed/i,
    },
  ]
  for (const { name, options, message } of bad) {
    await t.rejects(createClient(t, options).request(PODS, { signal: never }), { status: 0, message }, name)
  }
})

t.test('what cannot be used is said at once', async (t) => {
  const folder = t.testdir()
  const one = createAuthority(folder, 'one')
  const two = createAuthority(folder, 'two')
  const server = 'https://127.0.0.1:6443'
  const cases: { name: string; options: ClientOptions; message: RegExp }[] = [
    { name: 'no URL', options: { server: '10.0.0.1' }, message: /^the API server "10.0.0.1" is no URL; expected https:\/\/HOST:PORT$/ },
    { name: 'another scheme', options: { server: 'ftp://10.0.0.1' }, message: /is no URL/ },
    { name: 'a password in the URL', options: { server: 'https://a:b@10.0.0.1' }, message: /is no URL/ },
    { name: 'no PEM', options: { server, ca: 'nonsense' }, message: /^the certificate authority cannot be used: .*expected PEM$/ },
    {
      name: 'the key of another',
      options: { server, clientCertificate: { certificate: one.cert, key: two.key } },
      message: /^the client certificate/,
    },
  ]
  for (const { name, options, message } of cases) {
    t.throws(() => createKubeClient(options, { clock: createHandClock() }), { name: 'AccessError', message }, name)
  }
})
