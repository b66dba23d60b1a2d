import t, { type Test } from 'tap'
import { createKubeClient } from '../../src/kube/client.js'
import { followCustom } from '../../src/kube/follow-custom.js'
import { type Asked, createFaultyServer, type FaultyServer } from './faulty-server.js'
import { createHandClock, type HandClock } from './hand-clock.js'
import { createKeptLog } from './kept-log.js'
import { createSeen, list, pruneThing, type Seen, thing } from './objects.js'

const RESOURCE = { group: 'example.com', versions: ['v1', 'v1beta1'], resource: 'things' }
const LEAST = '00000000-0000-4000-8000-000000000000'
const LOOK_MS = 400_000
const FIRST_WAIT_MS = 500
const [V1, BETA] = ['/apis/example.com/v1', '/apis/example.com/v1beta1']

interface Here {
  readonly server: FaultyServer
  readonly seen: Seen
  readonly clock: HandClock
  readonly absent: () => number
}

async function start(t: Test): Promise<Here> {
  const server = await createFaultyServer(t)
  const clock = createHandClock()
  const client = createKubeClient({ server: server.url }, { clock })
  const stopping = new AbortController()
  const seen = createSeen()
  let times = 0
  const into = { ...seen, absent: () => void times++ }
  const deps = { clock, log: createKeptLog(), random: () => LEAST }
  const done = followCustom({ client, resource: RESOURCE, prune: pruneThing }, deps, into, stopping.signal)
  t.teardown(async () => {
    stopping.abort(new Error('stopped'))
    await done
    await client.close()
  })
  return { server, seen, clock, absent: () => times }
}

const has = (...names: readonly string[]): object => ({ kind: 'APIResourceList', resources: names.map((name) => ({ name })) })

async function next({ server }: Here, path: string): Promise<Asked> {
  const asked = await server.next()
  t.equal(asked.path, path)
  return asked
}

async function waited({ clock }: Here, ms: number): Promise<void> {
  await clock.untilSleeping(ms)
  clock.advance(ms)
}

async function isNotThere(here: Here): Promise<void> {
  for (const path of [V1, BETA]) (await next(here, path)).page(404, '404 page not found')
}

/** Answers with a list of `a`, and returns the watch behind it, which is open. */
async function listed(here: Here, at = V1): Promise<Asked> {
  ;(await next(here, `${at}/things`)).json(list([thing('a', '1')], { resourceVersion: '10' }))
  const watch = await next(here, `${at}/things`)
  watch.open()
  await here.seen.until('put shop/a=1')
  return watch
}

t.test('what is installed later is found', async (t) => {
  const here = await start(t)
  await isNotThere(here)
  await waited(here, LOOK_MS)
  t.same([here.absent(), here.seen.calls], [1, []], 'nothing is wrong without it')
  ;(await next(here, V1)).json(has('others'))
  ;(await next(here, BETA)).page(404, '404 page not found')
  await waited(here, LOOK_MS)
  ;(await next(here, V1)).json(has('others', 'things'))
  const watch = await listed(here)
  t.same(here.seen.known, ['shop/a=1'])
  await watch.event('ADDED', thing('b', '2', '11'))
  await here.seen.until('put shop/b=2')
})

t.test('an older version is taken where there is no newer one', async (t) => {
  const here = await start(t)
  ;(await next(here, V1)).page(404, '404 page not found')
  ;(await next(here, BETA)).json(has('things'))
  await listed(here, BETA)
})

t.test('what goes takes all of its objects with it, and may come again', async (t) => {
  const here = await start(t)
  ;(await next(here, V1)).json(has('things'))
  ;(await listed(here)).end()
  await waited(here, FIRST_WAIT_MS)
  ;(await next(here, `${V1}/things`)).refuse(404)
  await here.seen.until('remove shop/a')
  t.same(here.seen.known, [])
  await waited(here, FIRST_WAIT_MS)
  ;(await next(here, V1)).page(404, '404 page not found')
  ;(await next(here, BETA)).json(has('things'))
  await listed(here, BETA)
})

t.test('who may not see it is told so, and what was put stands', async (t) => {
  const here = await start(t)
  ;(await next(here, V1)).json(has('things'))
  ;(await next(here, `${V1}/things`)).refuse(403, { reason: 'Forbidden' })
  await here.seen.until(/failed .*allow it with the RBAC rule \{apiGroups: \["example.com"\], resources: \["things"\], verbs: \["list"\]\}/)
  await waited(here, FIRST_WAIT_MS)
  const watch = await listed(here)
  watch.end()
  await waited(here, 2 * FIRST_WAIT_MS)
  ;(await next(here, `${V1}/things`)).refuse(403, { reason: 'Forbidden' })
  await here.seen.until(/failed .*"watch"/)
  t.same(here.seen.known, ['shop/a=1'])
})

t.test('a server that does not answer is asked again soon', async (t) => {
  const here = await start(t)
  ;(await next(here, V1)).drop()
  await here.seen.until(/failed/)
  await waited(here, FIRST_WAIT_MS)
  ;(await next(here, V1)).refuse(503)
  await here.seen.until(/failed .*503/)
  await waited(here, 2 * FIRST_WAIT_MS)
  await isNotThere(here)
  t.equal(here.absent(), 0)
  await waited(here, LOOK_MS)
  t.equal(here.absent(), 1)
})

t.test('it ends although it is told to just when all is found', { timeout: 5_000 }, async (t) => {
  const stopping = new AbortController()
  const asked: string[] = []
  async function* found() {
    yield Buffer.from(JSON.stringify(has('things')))
    stopping.abort(new Error('stopped'))
  }
  const client = {
    server: 'http://server',
    async request(path: string) {
      asked.push(path)
      return { status: 200, headers: {}, body: found() }
    },
    close: () => Promise.resolve(),
  }
  const into = { ...createSeen(), absent: () => undefined }
  const deps = { clock: createHandClock(), log: createKeptLog(), random: () => LEAST }
  await followCustom({ client, resource: RESOURCE, prune: pruneThing }, deps, into, stopping.signal)
  t.same(asked, [V1])
})
