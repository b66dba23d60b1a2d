// The agent's end of docs/directory.md, against a server that does as the test says.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createDirectoryWatch } from '../../src/agent/directory-watch.js'
import { createHandPulse } from '../hand-pulse.js'
import { createKeptLog } from '../kube/kept-log.js'
import { eventually } from '../lab/world.js'
import { CLOCK } from '../sources/flows/small-node.js'

type Body = Readonly<Record<string, unknown>>

interface Asked {
  readonly body: Body
  readonly say: (line: object) => void
  readonly end: () => void
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  let text = ''
  for await (const piece of request) text += String(piece)
  return JSON.parse(text) as Body
}

interface Options {
  /** So many connections lead to a replica that does not know the session. */
  readonly strangers?: number
  readonly leftOff?: { readonly addresses: readonly string[] }
}

async function setUp(t: Test, { strangers = 0, leftOff }: Options = {}) {
  const watches: Asked[] = []
  const wishes: Body[] = []
  const refused = new Set<object>()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    if (request.url === '/v1/watch') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders()
      watches.push({ body, say: (line) => void response.write(`${JSON.stringify(line)}\n`), end: () => void response.end() })
      return
    }
    if (refused.has(request.socket) || refused.size < strangers) {
      refused.add(request.socket)
      response.writeHead(404).end()
      return
    }
    wishes.push(body)
    response.writeHead(204).end()
  }
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stopping = new AbortController()
  t.teardown(() => {
    stopping.abort(new Error('stopped'))
    server.closeAllConnections()
    server.close()
  })
  const { signal } = stopping
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const directory = { url, caFile: null, insecure: true, tokenFile: '/token' }
  let mayGoOn = Promise.resolve()
  // Waits are a hundredth of what they are, and those after a failure last as long as the test wants.
  let aheadMs = 0
  const clock = {
    ...CLOCK,
    pulse: createHandPulse(),
    now: () => CLOCK.now() + aheadMs,
    monotonic: () => CLOCK.monotonic() + aheadMs,
    advance(ms: number) {
      aheadMs += ms
    },
    async sleep(ms: number, until?: AbortSignal) {
      await CLOCK.sleep(ms / 100, until)
      await mayGoOn
    },
  }
  const pause = (): (() => void) => {
    let goOn = (): void => undefined
    mayGoOn = new Promise((resolve) => {
      goOn = resolve
    })
    return goOn
  }
  const deps = { clock, log: createKeptLog(), random: () => crypto.randomUUID(), readFile: async () => 'secret' }
  const watch = await createDirectoryWatch({ node: 'n1', directory, leftOff }, deps, signal)
  const nextWatch = (count: number): Promise<Asked> => eventually(`watch ${count}`, () => watches[count - 1])
  return { watch, wishes, nextWatch, signal, refused, pause, clock }
}

const tenancy = (address: string) => ({
  address,
  key: address,
  node: 'n2',
  coverage: 'node',
  zone: 'b',
  region: 'r',
  namespace: 'shop',
  kind: 'Deployment',
  name: 'stock',
  fromMs: 1_000,
  untilMs: null,
})
const isUp = (watch: { readonly trouble: string }) => eventually('no trouble', () => (watch.trouble === '' ? true : undefined))

t.test('what was seen is asked for, and told', async (t) => {
  const { watch, wishes, nextWatch, signal } = await setUp(t)
  t.match(watch.trouble, /has not answered yet/)
  await watch.ask(new Set(['10.1.2.1']), signal)
  void watch.run(signal)
  const { body, say } = await nextWatch(1)
  t.same(body, { node: 'n1', addresses: ['10.1.2.1'], instance: '', revision: 0 })
  say({ session: 's1', instance: 'i1', revision: 0 })
  say({ nodes: [{ name: 'n2', covers: true }] })
  say({ tenancies: [tenancy('10.1.2.1')] })
  t.equal(watch.covers, undefined, 'not before all is told')
  say({ revision: 7 })
  await isUp(watch)
  t.same([...(watch.covers ?? [])], [['n2', true]])
  t.same(
    watch.take().tenancies.map(({ address }) => address),
    ['10.1.2.1'],
  )
  await watch.ask(new Set(['10.1.2.1', '10.1.2.2']), signal)
  t.same(wishes, [{ session: 's1', add: ['10.1.2.2'], drop: [] }], 'only what is new')
})

t.test('another replica does not know the session: the one that does is found', async (t) => {
  const { watch, wishes, nextWatch, signal, refused } = await setUp(t, { strangers: 3 })
  void watch.run(signal)
  const { say } = await nextWatch(1)
  say({ session: 's1', instance: 'i1', revision: 0 })
  say({ revision: 1 })
  await isUp(watch)
  await watch.ask(new Set(['10.1.2.1']), signal)
  t.equal(refused.size, 3)
  t.same(wishes, [{ session: 's1', add: ['10.1.2.1'], drop: [] }])
})

t.test(
  'a watch that breaks goes on from where it was; with more to ask for it begins anew, and what is not told again is over',
  async (t) => {
    const { watch, nextWatch, signal, pause } = await setUp(t)
    await watch.ask(new Set(['10.1.2.1', '10.1.2.2']), signal)
    void watch.run(signal)
    const first = await nextWatch(1)
    first.say({ session: 's1', instance: 'i1', revision: 0 })
    first.say({ tenancies: [tenancy('10.1.2.1'), tenancy('10.1.2.2')] })
    first.say({ revision: 7 })
    await isUp(watch)
    watch.take()
    first.end()
    const second = await nextWatch(2)
    t.match(second.body, { instance: 'i1', revision: 7 })
    t.match(watch.trouble, /the directory ended the watch/)
    second.say({ session: 's2', instance: 'i1', revision: 7 })
    second.say({ revision: 7 })
    await isUp(watch)
    t.same(watch.take().tenancies, [], 'nothing has changed')

    const goOn = pause()
    second.end()
    await eventually('trouble', () => (watch.trouble === '' ? undefined : true))
    await watch.ask(new Set(['10.1.2.1', '10.1.2.2', '10.1.2.3']), signal)
    goOn()
    const third = await nextWatch(3)
    t.same(third.body, { node: 'n1', addresses: ['10.1.2.1', '10.1.2.2', '10.1.2.3'], instance: 'i1', revision: 0 })
    third.say({ session: 's3', instance: 'i1', revision: 0 })
    third.say({ tenancies: [tenancy('10.1.2.1')] })
    third.say({ revision: 9 })
    await isUp(watch)
    const told = watch.take().tenancies.map(({ address, untilMs }) => [address, Number.isFinite(untilMs)])
    t.same(told, [
      ['10.1.2.1', false],
      ['10.1.2.2', true],
    ])
  },
)

t.test('what it could not be asked for is not known to be nobody', async (t) => {
  const { watch, wishes, nextWatch, signal } = await setUp(t, { strangers: 12 })
  void watch.run(signal)
  const { say } = await nextWatch(1)
  say({ session: 's1', instance: 'i1', revision: 0 })
  say({ revision: 1 })
  await isUp(watch)
  const { isAsked } = watch
  t.notOk(isAsked('10.1.2.1'), 'not seen yet')
  await t.rejects(watch.ask(new Set(['10.1.2.1']), signal), /404/, 'it was led to the other replica each time')
  t.notOk(isAsked('10.1.2.1'))
  t.equal(watch.isAsked, isAsked)
  await watch.ask(new Set(['10.1.2.1']), signal)
  t.same(wishes, [{ session: 's1', add: ['10.1.2.1'], drop: [] }])
  t.ok(watch.isAsked('10.1.2.1'))
  t.not(watch.isAsked, isAsked, 'which is news')
  const again = watch.isAsked
  await watch.ask(new Set(['10.1.2.1']), signal)
  t.equal(watch.isAsked, again, 'once')
})

t.test('what is seen while a watch opens is asked for when it has', async (t) => {
  const { watch, wishes, nextWatch, signal } = await setUp(t)
  void watch.run(signal)
  const { body, say } = await nextWatch(1)
  await watch.ask(new Set(['10.1.2.1']), signal)
  t.same([body['addresses'], wishes], [[], []])
  say({ session: 's1', instance: 'i1', revision: 0 })
  say({ revision: 1 })
  await isUp(watch)
  await watch.ask(new Set(['10.1.2.1']), signal)
  t.same(wishes, [{ session: 's1', add: ['10.1.2.1'], drop: [] }])
})

t.test('what a directory has missed is of interest as far as nobody told of it', async (t) => {
  const { watch, nextWatch, signal } = await setUp(t)
  void watch.run(signal)
  const first = await nextWatch(1)
  const isHeard = () => isUp(watch).then(() => watch.take().unheard)
  const begunMs = Date.now()
  first.say({ session: 's1', instance: 'i1', revision: 0, unheard: [{ fromMs: 0, toMs: begunMs - 60_000 }] })
  first.say({ revision: 1 })
  t.same(await isHeard(), [{ fromMs: 0, toMs: begunMs - 60_000 }], 'the table may be older than the directory')
  first.say({ unheard: [{ fromMs: 5_000, toMs: 9_000 }] })
  first.say({ revision: 2 })
  t.same(await eventually('word of it', async () => (await isHeard())[0]), { fromMs: 5_000, toMs: 9_000 })
  first.end()
  const second = await nextWatch(2)
  const toMs = Date.now() + 1_000
  second.say({
    session: 's2',
    instance: 'i2',
    revision: 0,
    unheard: [
      { fromMs: 0, toMs: begunMs - 60_000 },
      { fromMs: 0, toMs },
    ],
  })
  second.say({ revision: 1 })
  const [unheard, ...others] = await eventually('word of it', async () => {
    const all = await isHeard()
    return all.length > 0 ? all : undefined
  })
  t.equal(unheard?.toMs, toMs)
  t.ok(
    (unheard?.fromMs ?? 0) > begunMs - 16_000 && (unheard?.fromMs ?? 0) < begunMs,
    'what was told before is certain but for the last 15 s',
  )
  t.same(others, [], 'and what ended before that is of no interest')
  second.end()
  const third = await nextWatch(3)
  third.say({ session: 's3', instance: 'i3', revision: 0 })
  third.say({ revision: 1 })
  const missed = await eventually('word of it', async () => ((await isHeard()).length > 0 ? true : undefined))
  t.ok(missed, 'one that does not say what it missed')
})

t.test('what the process before had seen is asked for at once, and all that was missed is of interest', async (t) => {
  const { watch, nextWatch, signal } = await setUp(t, { leftOff: { addresses: ['10.1.2.1'] } })
  void watch.run(signal)
  const first = await nextWatch(1)
  t.same(first.body['addresses'], ['10.1.2.1'])
  const missed = [9_000, 20_000].map((toMs) => ({ fromMs: 0, toMs: Date.now() - 60_000 + toMs }))
  first.say({ session: 's1', instance: 'i1', revision: 0, unheard: missed.slice(0, 1) })
  first.end()
  const second = await nextWatch(2)
  second.say({ session: 's2', instance: 'i2', revision: 0, unheard: missed.slice(1) })
  second.say({ revision: 1 })
  await watch.told
  t.same(watch.take().unheard, missed, 'a watch that ends too soon has told nothing')
})

t.test('a watch that has not told all by its end has told nothing', async (t) => {
  const { watch, nextWatch, signal, clock } = await setUp(t)
  await watch.ask(new Set(['10.1.2.1']), signal)
  void watch.run(signal)
  const first = await nextWatch(1)
  first.say({ session: 's1', instance: 'i1', revision: 0 })
  first.say({ tenancies: [tenancy('10.1.2.1')] })
  first.say({ revision: 1 })
  await isUp(watch)
  watch.take()
  const heardMs = clock.now()
  first.end()
  const second = await nextWatch(2)
  clock.advance(600_000)
  second.say({ session: 's2', instance: 'i2', revision: 0, unheard: [] })
  second.end()
  const third = await nextWatch(3)
  clock.advance(30_000)
  const beganMs = clock.now() - 60_000
  third.say({ session: 's3', instance: 'i3', revision: 0, unheard: [{ fromMs: 0, toMs: beganMs }] })
  third.say({ revision: 1 })
  await isUp(watch)
  const { tenancies, unheard } = watch.take()
  t.match(unheard, [{ toMs: beganMs }])
  for (const atMs of [unheard[0]?.fromMs ?? 0, tenancies[0]?.untilMs ?? 0])
    t.ok(atMs > heardMs - 20_000 && atMs <= heardMs, `${atMs - heardMs}`)
})

t.test('a directory that does not say that all is told may have missed something', async (t) => {
  const { watch, nextWatch, signal, clock } = await setUp(t)
  await watch.ask(new Set(['10.1.2.1', '10.1.2.2']), signal)
  void watch.run(signal)
  const { say } = await nextWatch(1)
  say({ session: 's1', instance: 'i1', revision: 0 })
  say({ tenancies: [tenancy('10.1.2.1')] })
  say({ revision: 1 })
  await isUp(watch)
  watch.take()
  clock.advance(13_000)
  say({ tenancies: [tenancy('10.1.2.2')] })
  await eventually('a change', () => watch.take().tenancies[0])
  t.match(watch.trouble, /has not said for 12 s that it knows of all changes/)
  say({ revision: 2 })
  await isUp(watch)
})

t.test('a first watch that ends before it has told all, and the next one knows less', async (t) => {
  const { watch, nextWatch, signal, clock } = await setUp(t)
  await watch.ask(new Set(['10.1.2.1']), signal)
  void watch.run(signal)
  const first = await nextWatch(1)
  const beganMs = clock.now()
  first.say({ session: 's1', instance: 'i1', revision: 0 })
  first.say({ tenancies: [tenancy('10.1.2.1')] })
  await eventually('a pod', () => watch.take().tenancies[0])
  first.end()
  const second = await nextWatch(2)
  clock.advance(600_000)
  second.say({ session: 's2', instance: 'i2', revision: 0 })
  second.say({ revision: 1 })
  await isUp(watch)
  const [{ untilMs = 0 } = {}] = watch.take().tenancies
  t.ok(untilMs > beganMs - 20_000 && untilMs < beganMs, `${untilMs - beganMs}`)
})

t.test('lines that waited while this process stood still say nothing of now', async (t) => {
  const { watch, nextWatch, signal, clock } = await setUp(t)
  await watch.ask(new Set(['10.1.2.1']), signal)
  void watch.run(signal)
  const first = await nextWatch(1)
  for (const line of [{ session: 's1', instance: 'i1', revision: 0 }, { revision: 7 }]) first.say(line)
  await isUp(watch)
  clock.pulse.standStill()
  first.say({ tenancies: [tenancy('10.1.2.1')] })
  first.say({ revision: 8 })
  const second = await nextWatch(2)
  t.match(watch.trouble, /stood still for 17 s/)
  t.same(second.body, { node: 'n1', addresses: ['10.1.2.1'], instance: 'i1', revision: 7 }, 'what came after the last one that was read')
  t.same(watch.take().tenancies, [])
  second.say({ session: 's2', instance: 'i1', revision: 7 })
  await CLOCK.sleep(20)
  t.match(watch.trouble, /stood still/, 'not before all is told')
  second.say({ tenancies: [tenancy('10.1.2.1')] })
  second.say({ revision: 8 })
  await isUp(watch)
  t.equal(watch.take().tenancies.length, 1)
})

t.test('who stands still between two watches has heard nothing either', async (t) => {
  const { watch, nextWatch, signal, clock } = await setUp(t)
  void watch.run(signal)
  const first = await nextWatch(1)
  for (const line of [{ session: 's1', instance: 'i1', revision: 0 }, { revision: 7 }]) first.say(line)
  await isUp(watch)
  clock.pulse.standStill()
  clock.pulse.look()
  t.match(watch.trouble, /stood still/, 'at once')
})
