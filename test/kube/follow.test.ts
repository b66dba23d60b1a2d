import t, { type Test } from 'tap'
import { createKubeClient } from '../../src/kube/client.js'
import { type FollowOptions, followObjects } from '../../src/kube/follow.js'
import { METADATA_ONLY } from '../../src/kube/metadata.js'
import type { ReadToken } from '../../src/kube/token.js'
import { createHandPulse, type HandPulse } from '../hand-pulse.js'
import { type Asked, createFaultyServer, type FaultyServer } from './faulty-server.js'
import { createHandClock, type HandClock } from './hand-clock.js'
import { createKeptLog } from './kept-log.js'
import { createSeen, list, pruneThing, type Seen, type Thing, thing } from './objects.js'

const PATH = '/apis/example.com/v1/things'
const LEAST = '00000000-0000-4000-8000-000000000000'
/** The waits after one, two, three failures when chance says the least. */
const WAITS_MS = [500, 1000, 2000] as const

interface Here {
  readonly server: FaultyServer
  readonly seen: Seen
  readonly clock: HandClock
  readonly pulse: HandPulse
  readonly lines: readonly string[]
  readonly done: Promise<void>
  stop(): void
}

async function start(t: Test, { token, ...options }: Partial<FollowOptions<Thing>> & { token?: ReadToken } = {}): Promise<Here> {
  const server = await createFaultyServer(t)
  const pulse = createHandPulse()
  const clock = Object.assign(createHandClock(), { pulse })
  const client = createKubeClient({ server: server.url, token }, { clock })
  const stopping = new AbortController()
  const seen = createSeen()
  const log = createKeptLog()
  const parts = { client, path: PATH, prune: pruneThing, ...options }
  const done = followObjects(parts, { clock, log, random: () => LEAST }, seen, stopping.signal)
  const stop = (): void => stopping.abort(new Error('stopped'))
  t.teardown(async () => {
    stop()
    await done
    await client.close()
  })
  return { server, seen, clock, pulse, lines: log.lines, done, stop }
}

/** Answers the next request, a list, and returns the request behind it, a watch that is open. */
async function listed(server: FaultyServer, items: readonly unknown[], resourceVersion = '10'): Promise<Asked> {
  const asked = await server.next()
  asked.json(list(items, { resourceVersion }))
  return opened(server)
}

async function opened(server: FaultyServer): Promise<Asked> {
  const watch = await server.next()
  watch.open()
  return watch
}

async function waited({ clock }: Here, ms: number): Promise<void> {
  await clock.untilSleeping(ms)
  clock.advance(ms)
}

const bookmark = (resourceVersion: string): unknown => ({ kind: 'Thing', metadata: { resourceVersion } })

t.test('a list, and what changes after it', async (t) => {
  const { server, seen } = await start(t, { query: { labelSelector: 'a=b' } })
  const watch = await listed(server, [thing('a', '1'), thing('b', '1')])
  t.strictSame(watch.query, { labelSelector: 'a=b', watch: '1', allowWatchBookmarks: '1', resourceVersion: '10', timeoutSeconds: '290' })
  t.strictSame(seen.calls, ['put shop/a=1', 'put shop/b=1', 'synced'])
  await watch.event('ADDED', thing('c', '1', '11'))
  await watch.event('MODIFIED', thing('a', '2', '12'))
  await watch.event('BOOKMARK', bookmark('13'))
  await watch.event('DELETED', thing('b', '1', '14'))
  await seen.until('remove shop/b')
  t.strictSame(seen.calls.slice(3), ['put shop/c=1', 'put shop/a=2', 'remove shop/b'])
})

t.test('keys', async (t) => {
  const { server, seen } = await start(t)
  const clusterScoped = { metadata: { name: 'n1' }, spec: { value: '1' } }
  await listed(server, [thing('a', '1'), clusterScoped])
  t.strictSame(seen.known, ['n1=1', 'shop/a=1'])
})

t.test('a watch that the server ends in time goes on at once, from the last bookmark', async (t) => {
  const { server, seen, clock, lines } = await start(t)
  const watch = await listed(server, [thing('a', '1')])
  await watch.event('ADDED', thing('b', '1', '11'))
  await watch.event('BOOKMARK', bookmark('20'))
  await watch.event('DELETED', thing('b', '1', '21'))
  await watch.event('BOOKMARK', bookmark('22'))
  await seen.until('remove shop/b')
  for (let times = 0; times < 4; times++) {
    clock.advance(72_400)
    await watch.event('ADDED', thing('d', `${times}`, `3${times}`))
    await seen.until(`put shop/d=${times}`)
  }
  watch.end()
  const next = await opened(server)
  t.equal(next.query['resourceVersion'], '33')
  await next.event('ADDED', thing('c', '1', '23'))
  await seen.until('put shop/c=1')
  t.strictSame(lines, [], 'which is nothing to speak of')
})

t.test('a watch that ends before its time waits, so that all who lost it do not come at once', async (t) => {
  const here = await start(t)
  const { server, seen, lines } = here
  const watch = await listed(server, [thing('a', '1')])
  watch.end()
  await waited(here, WAITS_MS[0])
  const second = await opened(server)
  t.equal(second.query['resourceVersion'], '10')
  second.end()
  await waited(here, WAITS_MS[1])
  const third = await opened(server)
  await third.event('ADDED', thing('b', '1', '11'))
  await seen.until('put shop/b=1')
  t.strictSame(lines, [])
})

const breaks = [
  {
    name: 'a connection dropped within a line',
    cut: (watch: Asked, line: string) => watch.write(line.slice(0, 40)).then(() => watch.drop()),
    list: false,
  },
  {
    name: 'half a line and an end',
    cut: (watch: Asked, line: string) => watch.write(line.slice(0, 40)).then(() => watch.end()),
    list: false,
  },
  { name: 'a connection dropped between lines', cut: async (watch: Asked) => watch.drop(), list: false },
  { name: 'a line of garbage', cut: (watch: Asked) => watch.write('{"type":"ADDED","obj\n'), list: true },
  { name: 'a line that is no event', cut: (watch: Asked) => watch.write('{"type":"ADDED"}\n'), list: true },
  {
    name: 'a line without an end',
    cut: async (watch: Asked) => void watch.write('x'.repeat(17 << 20)),
    list: true,
  },
  {
    name: 'an error of the server',
    cut: (watch: Asked) => watch.event('ERROR', { kind: 'Status', code: 500, message: 'oops' }),
    list: true,
  },
]

for (const { name, cut, list: isListed } of breaks) {
  t.test(`${name} loses nothing`, async (t) => {
    const here = await start(t)
    const { server, seen, lines, clock } = here
    const watch = await listed(server, [thing('a', '1')])
    await watch.event('MODIFIED', thing('a', '2', '11'))
    await cut(watch, `${JSON.stringify({ type: 'ADDED', object: thing('b', '1', '12') })}\n`)
    await seen.until(/^failed /)
    await waited(here, WAITS_MS[0])
    if (isListed) {
      const again = await server.next()
      t.strictSame(again.query, { resourceVersion: '11' }, 'a new list, not older')
      again.json(list([thing('a', '2', '11')], { resourceVersion: '11' }))
    }
    const next = await opened(server)
    t.equal(next.query['resourceVersion'], '11', 'from where it broke off')
    await next.event('ADDED', thing('b', '1', '12'))
    await seen.until('put shop/b=1')
    t.strictSame(seen.known, ['shop/a=2', 'shop/b=1'])
    t.equal(lines.length, 1)
    await clock.untilSleeping(10_000)
    const isSynced = (): boolean => seen.calls.slice(seen.calls.findIndex((call) => call.startsWith('failed'))).includes('synced')
    t.equal(isSynced(), isListed, 'a watch is not believed at once')
    clock.advance(10_000)
    await new Promise((resolve) => setImmediate(resolve))
    t.ok(isSynced())
    t.match(lines[1], /^info following the API server again \{"path":"\/apis\/example.com\/v1\/things","after_s":1[01]\}$/)
  })
}

t.test('events cut anywhere, byte by byte', async (t) => {
  const { server, seen } = await start(t)
  const watch = await listed(server, [])
  for (const byte of Buffer.from(`${JSON.stringify({ type: 'ADDED', object: thing('ü', '€😀\\"\n', '11') })}\n`)) {
    await watch.write(Buffer.of(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await seen.until(/put/)
  t.strictSame(seen.known, ['shop/ü=€😀\\"\n'])
})

const expiries = [
  { name: 'as its status', expire: (watch: Asked) => watch.refuse(410, { reason: 'Expired' }) },
  {
    name: 'as an event',
    expire: (watch: Asked) => {
      watch.open()
      void watch.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' })
    },
  },
]

for (const { name, expire } of expiries) {
  t.test(`a watch that has expired, ${name}: nothing is forgotten until the new list is whole`, async (t) => {
    const here = await start(t, { limit: 1 })
    const { server, seen, lines } = here
    const first = await listed(server, [thing('a', '1'), thing('b', '1'), thing('c', '1')])
    first.end()
    await waited(here, WAITS_MS[0])
    expire(await server.next())
    await waited(here, WAITS_MS[1])
    const again = await server.next()
    t.strictSame(again.query, { resourceVersion: '10' })
    again.open()
    await again.write('{"metadata":{"resourceVersion":"20"},"items":[')
    await again.write(JSON.stringify(thing('c', '2')))
    await again.write(',')
    await seen.until('put shop/c=2')
    t.strictSame(seen.known, ['shop/a=1', 'shop/b=1', 'shop/c=2'], 'all is known meanwhile')
    again.drop()
    await seen.until(/^failed /)
    t.strictSame(seen.known, ['shop/a=1', 'shop/b=1', 'shop/c=2'], 'also when the list breaks off')
    await waited(here, WAITS_MS[2])
    const whole = await server.next()
    whole.json(list([thing('a', '1'), thing('d', '1')], { resourceVersion: '21' }))
    await seen.until('synced')
    t.strictSame(seen.known, ['shop/a=1', 'shop/d=1'], 'then what it lacks is gone')
    t.equal((await opened(server)).query['resourceVersion'], '21')
    t.strictSame(
      lines.map((line) => line.split(' {')[0]),
      ['debug a watch has expired, listing again', 'warn cannot follow the API server, trying again'],
    )
  })
}

t.test('a watch that expires again and again is a failure', async (t) => {
  const here = await start(t)
  const { server, seen, lines } = here
  ;(await server.next()).json(list([], { resourceVersion: '1' }))
  for (const waitMs of WAITS_MS.slice(0, 2)) {
    ;(await server.next()).refuse(410, { reason: 'Expired' })
    await waited(here, waitMs)
    ;(await server.next()).json(list([], { resourceVersion: '2' }))
  }
  await seen.until(/^failed .*410 Expired/)
  t.match(lines[1], /^warn cannot follow/)
})

t.test('where the server pages, a later list comes in pages as well', async (t) => {
  const here = await start(t, { limit: 1 })
  const { server } = here
  ;(await server.next()).json(list([thing('a', '1')], { resourceVersion: '10', continue: 'c' }))
  const watch = await listed(server, [thing('b', '1')])
  await watch.event('ERROR', { code: 410 })
  await waited(here, WAITS_MS[0])
  const later = await server.next()
  t.strictSame(later.query, { limit: '1' })
  later.json(list([thing('c', '1')], { resourceVersion: '20' }))
  const next = await opened(server)
  await next.event('ERROR', { code: 410 })
  await waited(here, WAITS_MS[1])
  t.strictSame((await server.next()).query, { limit: '1' }, 'and so on')
})

t.test('errors are said once when they begin and once when they end, however often it is tried', async (t) => {
  const here = await start(t)
  const { server, seen, lines, clock } = here
  for (const waitMs of [500, 1000, 2000, 4000, 7500, 7500, 7500]) {
    ;(await server.next()).refuse(500, { reason: 'InternalError', message: 'etcd is away' })
    await seen.until(/^failed /)
    await waited(here, waitMs)
  }
  t.strictSame(lines, [
    `warn cannot follow the API server, trying again {"path":"${PATH}","error":"GET ${server.url}${PATH}: 500 InternalError: etcd is away"}`,
  ])
  ;(await server.next()).refuse(403, { reason: 'Forbidden' })
  await waited(here, 7500)
  t.match(lines[1], /403 Forbidden; allow it with the RBAC rule/, 'an error of another kind is news')
  ;(await server.next()).refuse(500)
  await waited(here, 7500)
  const watch = await listed(server, [])
  t.equal(lines.length, 3, 'not yet: it has to stand first')
  await clock.untilSleeping(10_000)
  clock.advance(10_000)
  await watch.event('ADDED', thing('a', '1', '11'))
  await seen.until('put shop/a=1')
  t.match(lines[3], /^info following the API server again/)
  watch.end()
  await waited(here, 500)
  ;(await server.next()).refuse(500)
  await waited(here, 1000)
  t.match(lines[4], /^warn cannot follow/, 'a new time of failures, and the waits begin anew')
  const short = await opened(server)
  await clock.untilSleeping(10_000)
  short.drop()
  await waited(here, 2000)
  clock.advance(10_000)
  ;(await server.next()).refuse(500)
  await waited(here, 4000)
  t.equal(lines.filter((line) => line.startsWith('info')).length, 1, 'a watch that is gone ends nothing')
})

t.test('the server says how long to wait', async (t) => {
  const here = await start(t)
  ;(await here.server.next()).refuse(429, { reason: 'TooManyRequests', retryAfter: '17' })
  await waited(here, 17_500)
  const watch = await listed(here.server, [])
  await watch.event('ERROR', { code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 3 } })
  await waited(here, 4000)
  t.equal((await here.server.next()).query['resourceVersion'], '10')
})

t.test('a server that falls silent', async (t) => {
  const here = await start(t)
  const { server, seen, clock } = here
  const hanging = await server.next()
  await clock.untilSleeping(65_000)
  clock.advance(65_000)
  await seen.until(/^failed .*nothing came for 65 s/)
  await hanging.closed
  await waited(here, WAITS_MS[0])
  const slow = await server.next()
  slow.open()
  await slow.write('{"items":[')
  await clock.untilSleeping(30_000)
  clock.advance(30_000)
  await seen.until(/^failed .*nothing came for 30 s/)
  await waited(here, WAITS_MS[1])
  const watch = await listed(server, [])
  await clock.untilSleeping(90_000)
  clock.advance(89_999)
  await watch.event('BOOKMARK', bookmark('15'))
  await watch.event('ADDED', thing('a', '1', '16'))
  await seen.until('put shop/a=1')
  clock.advance(1)
  await clock.untilSleeping(89_999)
  clock.advance(89_999)
  await seen.until(/^failed .*nothing came for 90 s/)
  await watch.closed
  await waited(here, WAITS_MS[0])
  const next = await opened(server)
  t.equal(next.query['resourceVersion'], '16')
})

t.test('nothing heard between two watches: said when it lasts', async (t) => {
  const here = await start(t)
  const { server, seen, clock } = here
  const watch = await listed(server, [])
  await seen.until('synced')
  await waited(here, 10_000)
  watch.end()
  await waited(here, WAITS_MS[0])
  const hanging = await server.next()
  clock.advance(7_499)
  t.strictSame(seen.calls, ['synced'])
  clock.advance(1)
  await seen.until(/^failed .*has not begun to tell of changes .* for 8 s/)
  hanging.open()
  await waited(here, 10_000)
  await seen.until('synced')
})

t.test('a process that stood still: what waited to be read says nothing of now', async (t) => {
  const here = await start(t)
  const { server, seen, clock, pulse, lines } = here
  const watch = await listed(server, [thing('a', '1')])
  await seen.until('synced')
  await waited(here, 10_000)
  pulse.standStill()
  await watch.write(
    [thing('b', '1', '11'), thing('c', '1', '12')].map((object) => `${JSON.stringify({ type: 'ADDED', object })}\n`).join(''),
  )
  await seen.until(/^failed .*stood still for 17 s/)
  await watch.closed
  t.strictSame(seen.known, ['shop/a=1', 'shop/b=1'], 'it goes on behind the last one that was read')
  const next = await opened(server)
  t.equal(next.query['resourceVersion'], '11')
  await next.event('BOOKMARK', bookmark('13'))
  await clock.untilSleeping(10_000)
  t.strictSame(seen.calls.filter((call) => call === 'synced').length, 1, 'which may not have brought all of it yet')
  clock.advance(10_000)
  await seen.until('synced')
  t.strictSame(lines, [], 'which is no failure of the API server')
})

t.test('a process that stood still, wherever it was', async (t) => {
  const stoodStill = /^failed .*stood still/
  const states: { name: string; reach(here: Here): Promise<unknown>; goOn(here: Here): Promise<string | undefined> }[] = [
    {
      name: 'a list that waited to be read is asked for anew',
      reach: async ({ server, pulse }) => {
        const asked = await server.next()
        pulse.standStill()
        asked.json(list([thing('old', '1')], { resourceVersion: '10' }))
      },
      async goOn(here) {
        await waited(here, WAITS_MS[0])
        const asked = await here.server.next()
        asked.json(list([], { resourceVersion: '20' }))
        return asked.query['resourceVersion']
      },
    },
    {
      name: 'a watch that was about to be believed is not',
      reach: async ({ server, seen, clock, pulse }) => {
        await listed(server, [])
        await seen.until('synced')
        await clock.untilSleeping(10_000)
        pulse.standStill()
        clock.advance(10_000)
      },
      goOn: async ({ server }) => (await opened(server)).query['resourceVersion'],
    },
    {
      name: 'between two watches',
      reach: async (here) => {
        const watch = await listed(here.server, [])
        await here.seen.until('synced')
        watch.end()
        await here.clock.untilSleeping(WAITS_MS[0])
        here.pulse.standStill()
        here.pulse.look()
      },
      async goOn(here) {
        await waited(here, WAITS_MS[0])
        return (await opened(here.server)).query['resourceVersion']
      },
    },
  ]
  for (const { name, reach, goOn } of states) {
    const here = await start(t)
    await reach(here)
    await here.seen.until(stoodStill)
    t.match(here.seen.calls.at(-1), stoodStill, name)
    t.equal(await goOn(here), name.startsWith('a list') ? '0' : '10', name)
    if (!name.startsWith('a list')) await waited(here, 10_000)
    await here.seen.until('synced')
    t.strictSame(here.seen.known, [], name)
  }
})

t.test('a process that stands still in each list asks for the next one later and later', async (t) => {
  const here = await start(t)
  const { server, pulse } = here
  for (const waitMs of WAITS_MS) {
    const asked = await server.next()
    pulse.standStill()
    asked.json(list([], { resourceVersion: '10' }))
    await waited(here, waitMs)
  }
  await listed(server, [])
  await here.seen.until('synced')
})

t.test('an object that is not understood costs one object, and is counted', async (t) => {
  const { server, seen, lines } = await start(t)
  const broken = { metadata: { name: 'b', namespace: 'shop', resourceVersion: '3' }, spec: null }
  const unknown = { metadata: { name: 'c', namespace: 'shop' } }
  const watch = await listed(server, [thing('a', '1'), broken, unknown, { metadata: {} }, null, thing('d', '1')])
  await seen.until('synced')
  t.strictSame(seen.known, ['shop/a=1', 'shop/d=1'])
  const rejected = (): string[] => seen.calls.filter((call) => call.startsWith('rejected'))
  t.strictSame(rejected(), [
    'rejected shop/b: not understood',
    'rejected shop/c: not understood',
    'rejected an object without a name',
    'rejected an object without a name',
  ])
  await watch.event('MODIFIED', { metadata: { name: 'd', namespace: 'shop', resourceVersion: '12' } })
  await watch.event('DELETED', { metadata: {} })
  await watch.event('ADDED', thing('e', '1', '13'))
  await seen.until('put shop/e=1')
  t.strictSame(seen.known, ['shop/a=1', 'shop/e=1'], 'what was known of it is gone')
  t.equal(rejected().length, 6)
  t.equal(lines.length, 1, 'and said once')
})

t.test('a token that was replaced', async (t) => {
  let current = 'old'
  const here = await start(t, { token: async () => current })
  const { server, seen, lines } = here
  const watch = await listed(server, [thing('a', '1')])
  t.equal(watch.headers.authorization, 'Bearer old')
  watch.end()
  await waited(here, WAITS_MS[0])
  const refused = await server.next()
  current = 'new'
  refused.refuse(401, { reason: 'Unauthorized' })
  const next = await opened(server)
  t.match({ ...next }, { headers: { authorization: 'Bearer new' }, query: { resourceVersion: '10' } })
  await next.event('ADDED', thing('b', '1', '11'))
  await seen.until('put shop/b=1')
  t.strictSame(lines, [], 'is nothing to speak of')
})

t.test('metadata only', async (t) => {
  const { server } = await start(t, { accept: METADATA_ONLY })
  const asked = await server.next()
  t.match(asked.headers.accept, /as=PartialObjectMetadataList;/)
  asked.json(list([], { resourceVersion: '1' }))
  t.match((await opened(server)).headers.accept, /as=PartialObjectMetadata;/)
})

t.test('it ends when it is aborted, wherever it is, and says nothing more', async (t) => {
  const states: { name: string; reach(here: Here): Promise<unknown> }[] = [
    { name: 'before an answer', reach: ({ server }) => server.next() },
    { name: 'within a list', reach: async ({ server }) => (await server.next()).open() },
    {
      name: 'within a watch',
      reach: async ({ server, clock }) => {
        await listed(server, [])
        await clock.untilSleeping(10_000)
      },
    },
    {
      name: 'waiting',
      reach: async ({ server, clock }) => {
        ;(await server.next()).refuse(500)
        await clock.untilSleeping(WAITS_MS[0])
      },
    },
  ]
  for (const { name, reach } of states) {
    const here = await start(t)
    await reach(here)
    const { length } = here.seen.calls
    const lines = here.lines.length
    here.stop()
    await here.done
    t.equal(here.seen.calls.length, length, name)
    t.equal(here.lines.length, lines, `${name}: no line`)
    t.strictSame(here.clock.sleeping, [], `${name}: nobody sleeps any more`)
  }
})

t.test('nothing is put after an abort, though it has come already', async (t) => {
  for (const isWatch of [false, true]) {
    const here = await start(t)
    const { seen, server } = here
    const put = seen.put
    Object.assign(seen, {
      put(key: string, object: Thing) {
        put(key, object)
        here.stop()
      },
    })
    const asked = await server.next()
    asked.json(list(isWatch ? [] : [thing('a', '1'), thing('b', '1')], { resourceVersion: '1' }))
    if (isWatch) {
      const watch = await opened(server)
      await watch.write([thing('a', '1'), thing('b', '1')].map((object) => `${JSON.stringify({ type: 'ADDED', object })}\n`).join(''))
    }
    await here.done
    t.strictSame(seen.known, ['shop/a=1'], isWatch ? 'by a watch' : 'by a list')
  }
})

t.test('what may have come and gone unheard of', { timeout: 20_000 }, async (t) => {
  const here = await start(t)
  const { server, seen, clock } = here
  const watch = await listed(server, [thing('a', '1'), thing('b', '1')])
  t.same(seen.unheard, [], 'before the first list nothing was known')
  const listedMs = clock.now()
  watch.end()
  await waited(here, WAITS_MS[0])
  t.same(seen.unheard, [], 'a watch that goes on tells all that was missed')
  ;(await server.next()).refuse(410, { reason: 'Expired' })
  await waited(here, WAITS_MS[1])
  ;(await server.next()).json(list([thing('b', '1')], { resourceVersion: '20' }))
  await seen.until('remove shop/a')
  await opened(server)
  t.same(seen.unheard.at(-1), { fromMs: listedMs, toMs: clock.now() }, 'a new list does not')
})

const expired = (watch: Asked): Promise<void> => watch.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })

t.test('since when nothing was heard', { timeout: 20_000 }, async (t) => {
  const cases: readonly {
    readonly name: string
    /** Of a watch that stands. Resolves with the time up to which all changes are known. */
    fail(here: Here, watch: Asked): Promise<number>
  }[] = [
    {
      name: 'a watch that is taken, and ends before it has told anything, has heard nothing',
      async fail(here, watch) {
        const { server, clock } = here
        const brokenMs = clock.now()
        watch.drop()
        await waited(here, WAITS_MS[0])
        ;(await server.next()).refuse(500)
        clock.advance(600_000)
        await waited(here, WAITS_MS[1])
        await expired(await opened(server))
        await waited(here, WAITS_MS[2])
        return brokenMs
      },
    },
    {
      name: 'nor has one that ends before it has told all',
      async fail(here, watch) {
        const { server, seen, clock } = here
        const brokenMs = clock.now()
        watch.drop()
        clock.advance(600_000)
        await waited(here, WAITS_MS[0])
        const next = await opened(server)
        await next.event('ADDED', thing('b', '1', '12'))
        await seen.until('put shop/b=1')
        next.drop()
        await waited(here, WAITS_MS[1])
        await expired(await opened(server))
        await waited(here, WAITS_MS[2])
        return brokenMs
      },
    },
    {
      name: 'a clock that was set back meanwhile says it by its own time',
      async fail(here, watch) {
        const { server, clock } = here
        clock.set(-3_600_000)
        const brokenMs = clock.now()
        watch.drop()
        clock.advance(600_000)
        await waited(here, WAITS_MS[0])
        await expired(await opened(server))
        await waited(here, WAITS_MS[1])
        return brokenMs
      },
    },
    {
      name: 'one that falls silent has heard all up to its last word',
      async fail(here, watch) {
        const { server, seen, clock } = here
        await clock.untilSleeping(90_000)
        clock.advance(60_000)
        await watch.event('ADDED', thing('b', '1', '12'))
        await seen.until('put shop/b=1')
        const heardMs = clock.now()
        clock.advance(30_000)
        await clock.untilSleeping(60_000)
        clock.advance(60_000)
        await seen.until(/^failed .*nothing came for 90 s/)
        await waited(here, WAITS_MS[0])
        await expired(await opened(server))
        await waited(here, WAITS_MS[1])
        return heardMs
      },
    },
  ]
  for (const { name, fail } of cases) {
    const here = await start(t)
    const { server, seen, clock } = here
    const watch = await listed(server, [thing('a', '1')])
    await waited(here, 10_000)
    clock.advance(30_000)
    await watch.event('MODIFIED', thing('a', '2', '11'))
    await seen.until('put shop/a=2')
    const certainMs = await fail(here, watch)
    ;(await server.next()).json(list([], { resourceVersion: '20' }))
    await seen.until('remove shop/a')
    const { fromMs = 0, toMs } = seen.unheard.at(-1) ?? {}
    t.ok(fromMs <= certainMs && fromMs >= certainMs - 20_000, `${name}: ${fromMs - certainMs}`)
    t.equal(toMs, clock.now(), name)
  }
})

t.test('that something may have come and gone is said before what a new list brings', { timeout: 20_000 }, async (t) => {
  const here = await start(t)
  const { server, seen, clock } = here
  const watch = await listed(server, [thing('a', '1')])
  const listedMs = clock.now()
  await expired(watch)
  await waited(here, WAITS_MS[0])
  const again = await server.next()
  again.open()
  await again.write('{"metadata":{"resourceVersion":"20"},"items":[')
  await again.write(JSON.stringify(thing('c', '1')))
  await again.write(',')
  await seen.until('put shop/c=1')
  t.same(seen.unheard, [{ fromMs: listedMs, toMs: clock.now() }])
})
