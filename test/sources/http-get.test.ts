import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createHttpGet } from '../../src/sources/http-get.js'
import { type Asked, createFaultyServer } from '../kube/faulty-server.js'
import { createHandClock } from '../kube/hand-clock.js'

const never = new AbortController().signal
const DEADLINE_MS = 3_000
const MAX_BYTES = 1 << 20

async function start(t: Test) {
  const server = await createFaultyServer(t)
  const clock = createHandClock()
  const http = createHttpGet({ deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES }, { clock })
  t.teardown(() => http.close())
  return { server, clock, http }
}

const failureOf = (asked: Promise<string>): Promise<string> =>
  asked.then(
    () => 'answered',
    ({ message }: Error) => message,
  )

t.test('a whole answer, by one connection', async (t) => {
  const { server, http } = await start(t)
  for (const text of ['a 1\n', 'b{c="é"} 2\n', '']) {
    const got = http.get(`${server.url}/stats/prometheus?filter=^a`, never)
    const asked = await server.next()
    t.match(asked, { method: 'GET', path: '/stats/prometheus', query: { filter: '^a' }, headers: { 'accept-encoding': undefined } })
    asked.page(200, text)
    t.equal(await got, text)
  }
  t.equal(server.connections, 1)
})

const openWith = (asked: Asked, body: Uint8Array): void => {
  asked.raw.writeHead(200, { 'content-encoding': 'gzip' }).end(body)
}

t.test('one whose last answer was long packs the next', async (t) => {
  const { server, http } = await start(t)
  const cases = [
    { text: 'x'.repeat(65_536), accepts: undefined },
    { text: 'y'.repeat(65_536), accepts: 'gzip' },
    { text: 'a 1\n', accepts: 'gzip' },
    { text: 'a 2\n', accepts: undefined },
  ]
  for (const { text, accepts } of cases) {
    const got = http.get(server.url, never)
    const asked = await server.next()
    t.equal(asked.headers['accept-encoding'], accepts)
    if (accepts) openWith(asked, gzipSync(text))
    else asked.page(200, text)
    t.equal(await got, text)
  }
})

t.test('who shows a token, and who does not', async (t) => {
  const { server, http } = await start(t)
  const gather = async (pieces: AsyncIterable<string>): Promise<string> => {
    let text = ''
    for await (const piece of pieces) text += piece
    return text
  }
  for (const token of ['secret', undefined]) {
    const got = http.read(server.url, gather, never, { token })
    const asked = await server.next()
    t.equal(asked.headers.authorization, token && `Bearer ${token}`)
    asked.page(200, 'a')
    t.equal(await got, 'a')
  }
})

t.test('an answer in pieces, of which none is kept', async (t) => {
  const { server, http } = await start(t)
  const gather = async (pieces: AsyncIterable<string>): Promise<string[]> => {
    const all: string[] = []
    for await (const piece of pieces) all.push(piece)
    return all
  }
  const got = http.read(server.url, gather, never)
  const { raw } = await server.next()
  const [head = Buffer.alloc(0), tail] = [Buffer.from('a{b="é"} 1\n').subarray(0, 6), Buffer.from('a{b="é"} 1\n').subarray(6)]
  raw.writeHead(200).write(head)
  await new Promise((resolve) => setTimeout(resolve, 20))
  raw.end(tail)
  t.equal((await got).join(''), 'a{b="é"} 1\n', 'a letter may be cut')
  const cases = [
    { name: 'too long', answer: 'x'.repeat(MAX_BYTES + 1), read: gather, says: 'its answer is larger than 1 MiB' },
    {
      name: 'not what was asked for',
      answer: 'a 1\n',
      read: async () => Promise.reject(new Error('it is another')),
      says: 'it is another',
    },
  ]
  for (const { name, answer, read, says } of cases) {
    const failed = http.read<unknown>(server.url, read, never).catch(({ message }: Error) => message)
    ;(await server.next()).page(200, answer)
    t.equal(await failed, says, name)
  }
  const abort = new AbortController()
  const reason = new Error('over')
  const aborted = http.read(server.url, gather, abort.signal).catch((error: unknown) => error)
  const asked = await server.next()
  asked.raw.writeHead(200).write('a 1\n')
  abort.abort(reason)
  t.equal(await aborted, reason)
})

t.test('what is no answer, in words that are the same for all', async (t) => {
  const cases: { name: string; answer: (asked: Asked) => unknown; says: string }[] = [
    { name: 'refused', answer: (asked) => asked.page(403, 'Forbidden'), says: 'it answers 403' },
    {
      name: 'sent elsewhere',
      answer: (asked) => asked.raw.writeHead(302, { location: 'http://127.0.0.1:1' }).end(),
      says: 'it answers 302',
    },
    { name: 'hangs up', answer: (asked) => asked.drop(), says: 'it hung up' },
    {
      name: 'breaks off',
      async answer(asked) {
        asked.open()
        await asked.write('a 1\n')
        asked.drop()
      },
      says: 'it hung up',
    },
    { name: 'never ends', answer: (asked) => asked.page(200, 'x'.repeat(MAX_BYTES + 1)), says: 'its answer is larger than 1 MiB' },
    { name: 'grows', answer: (asked) => openWith(asked, gzipSync('x'.repeat(MAX_BYTES + 1))), says: 'its answer is larger than 1 MiB' },
    { name: 'no gzip', answer: (asked) => openWith(asked, Buffer.from('a 1\n')), says: 'its answer is no whole gzip' },
    { name: 'torn gzip', answer: (asked) => openWith(asked, gzipSync('a 1\n').subarray(0, 12)), says: 'its answer is no whole gzip' },
  ]
  for (const { name, answer, says } of cases) {
    const { server, http } = await start(t)
    const got = failureOf(http.get(server.url, never))
    answer(await server.next())
    t.equal(await got, says, name)
  }
})

t.test('after a failure the next begins with a connection of its own', async (t) => {
  const { server, http } = await start(t)
  for (const status of [500, 200]) {
    const got = failureOf(http.get(server.url, never))
    ;(await server.next()).page(status, '')
    t.equal(await got, status === 200 ? 'answered' : 'it answers 500')
  }
  t.equal(server.connections, 2)
})

t.test('one that fails costs another at the same server nothing', async (t) => {
  const { server, http } = await start(t)
  const [good, bad] = [http.get(`${server.url}/a`, never), failureOf(http.get(`${server.url}/b`, never))]
  const asked = [await server.next(), await server.next()]
  asked.find(({ path }) => path === '/b')?.page(500, '')
  t.equal(await bad, 'it answers 500')
  asked.find(({ path }) => path === '/a')?.page(200, 'a 1\n')
  t.equal(await good, 'a 1\n')
})

t.test('nobody listens', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  server.close()
  const { http } = await start(t)
  t.equal(await failureOf(http.get(`http://127.0.0.1:${port}`, never)), 'nobody listens there')
})

t.test('one that is slow', async (t) => {
  const { server, http, clock } = await start(t)
  const got = failureOf(http.get(server.url, never))
  const asked = await server.next()
  asked.open()
  await asked.write('a')
  clock.advance(DEADLINE_MS)
  t.equal(await got, 'it does not answer within 3 s')
  await asked.closed
})

t.test('many by one signal are no leak', async (t) => {
  const { server, http } = await start(t)
  const warnings: Error[] = []
  const keep = (warning: Error): void => void warnings.push(warning)
  process.on('warning', keep)
  t.teardown(() => process.off('warning', keep))
  const { signal } = new AbortController()
  const all = Array.from({ length: 20 }, (_, id) => http.get(`${server.url}/${id}`, signal))
  for (let id = 0; id < 20; id++) (await server.next()).page(200, '')
  await Promise.all(all)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warnings, [])
})

t.test('aborted while it waits', async (t) => {
  const { server, http } = await start(t)
  const abort = new AbortController()
  const got = http.get(server.url, abort.signal)
  await server.next()
  abort.abort(new Error('the agent stops'))
  await t.rejects(got, { message: 'the agent stops' })
})
