import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { createHttpGet } from '../../src/sources/http-get.js'
import { serve } from '../http/serving.js'
import { type Asked, createFaultyServer } from '../kube/faulty-server.js'
import { createHandClock } from '../kube/hand-clock.js'

const never = new AbortController().signal
const DEADLINE_MS = 3_000
const MAX_BYTES = 1 << 20

const textOf = async (pieces: AsyncIterable<string>): Promise<string> => {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

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
    const got = http.read(`${server.url}/stats/prometheus?filter=^a`, textOf, never)
    const asked = await server.next()
    t.match(asked, { method: 'GET', path: '/stats/prometheus', query: { filter: '^a' }, headers: { 'accept-encoding': undefined } })
    asked.page(200, text)
    t.equal(await got, text)
  }
  t.equal(server.connections, 1)
})

t.test('who shows a token, and who does not', async (t) => {
  const { server, http } = await start(t)
  for (const token of ['secret', undefined]) {
    const got = http.read(server.url, textOf, never, { token })
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

t.test('of many at once one piece comes in a turn of the loop', async (t) => {
  const { server, http } = await start(t)
  let turn = 0
  const counting = setInterval(() => undefined, 1_000)
  let isOver = false
  const count = (): void => {
    turn++
    if (!isOver) setImmediate(count)
  }
  count()
  t.teardown(() => clearInterval(counting))
  const turns: number[] = []
  const note = async (pieces: AsyncIterable<string>): Promise<void> => {
    for await (const _ of pieces) turns.push(turn)
  }
  const all = Array.from({ length: 8 }, (_, id) => http.read(`${server.url}/${id}`, note, never))
  const asked: Asked[] = []
  for (let id = 0; id < 8; id++) asked.push(await server.next())
  for (const one of asked) one.page(200, 'x'.repeat(MAX_BYTES / 2))
  await Promise.all(all)
  isOver = true
  t.ok(turns.length > 8, 'they come in pieces')
  t.equal(new Set(turns).size, turns.length)
})

const memory = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

t.test('many long answers at once take little memory', async (t) => {
  const LONG = 8 << 20
  const piece = Buffer.alloc(64 << 10, 'a 1\n')
  let [most, complete] = [0, 0]
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  async function* body(): AsyncGenerator<Buffer> {
    for (let sent = 0; sent < LONG; sent += piece.length) yield piece
    most = Math.max(most, memory())
    if (++complete === MANY) end()
    await ended
  }
  const MANY = 32
  const origin = await serve(t, (_, response) => Readable.from(body()).pipe(response))
  const http = createHttpGet({ deadlineMs: DEADLINE_MS, maxBytes: LONG }, { clock: createHandClock() })
  t.teardown(() => http.close())
  const lengthOf = async (pieces: AsyncIterable<string>): Promise<number> => {
    let length = 0
    for await (const one of pieces) length += one.length
    return length
  }
  const before = memory()
  const lengths = await Promise.all(Array.from({ length: MANY }, (_, id) => http.read(`${origin}/${id}`, lengthOf, never)))
  t.same(new Set(lengths), new Set([LONG]))
  t.ok(most - before < 100e6, `${Math.round((most - before) / 1e6)} MB of ${(MANY * LONG) / 1e6}`)
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
  ]
  for (const { name, answer, says } of cases) {
    const { server, http } = await start(t)
    const got = failureOf(http.read(server.url, textOf, never))
    answer(await server.next())
    t.equal(await got, says, name)
  }
})

t.test('after a failure the next begins with a connection of its own', async (t) => {
  const { server, http } = await start(t)
  for (const status of [500, 200]) {
    const got = failureOf(http.read(server.url, textOf, never))
    ;(await server.next()).page(status, '')
    t.equal(await got, status === 200 ? 'answered' : 'it answers 500')
  }
  t.equal(server.connections, 2)
})

t.test('one that fails costs another at the same server nothing', async (t) => {
  const { server, http } = await start(t)
  const [good, bad] = [http.read(`${server.url}/a`, textOf, never), failureOf(http.read(`${server.url}/b`, textOf, never))]
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
  t.equal(await failureOf(http.read(`http://127.0.0.1:${port}`, textOf, never)), 'nobody listens there')
})

t.test('one that is slow', async (t) => {
  const { server, http, clock } = await start(t)
  const got = failureOf(http.read(server.url, textOf, never))
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
  const all = Array.from({ length: 20 }, (_, id) => http.read(`${server.url}/${id}`, textOf, signal))
  for (let id = 0; id < 20; id++) (await server.next()).page(200, '')
  await Promise.all(all)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warnings, [])
})

t.test('aborted while it waits', async (t) => {
  const { server, http } = await start(t)
  const abort = new AbortController()
  const got = http.read(server.url, textOf, abort.signal)
  await server.next()
  abort.abort(new Error('the agent stops'))
  await t.rejects(got, { message: 'the agent stops' })
})
