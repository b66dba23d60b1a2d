import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { PodFacts } from '../../src/identity/objects/pod.js'
import type { Tenancies } from '../../src/identity/tenancies.js'
import { ask } from '../http/client.js'
import { pod } from '../identity/objects/fixture.js'
import { type Listener, listen, post } from './listener.js'
import { serveDirectory, TOKEN } from './served.js'

const CART: PodFacts = { ...pod('pod-deployment'), node: 'n2' }
const OWNER = { kind: 'Deployment', name: 'cart' }
const MANY = 60_000
const addressOf = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
const ALL = Array.from({ length: MANY }, (_, index) => addressOf(index))
const body = (addresses: readonly string[]) => ({ node: 'n1', addresses })

const putPod = (tenancies: Tenancies, index: number, uid: string, startedMs: number): void =>
  tenancies.putPod(`shop/${index}`, { ...CART, uid, addresses: [addressOf(index)], startedMs }, OWNER)

t.test('until all is known', async (t) => {
  let isTold: () => void = () => undefined
  const { url, allTold, tenancies } = await serveDirectory(t, {
    tell: () =>
      new Promise((resolve) => {
        isTold = resolve
      }),
  })
  const why = 'the API server has not told all of it yet'
  t.match(await ask(url, { path: '/readyz' }), { status: 503, text: `not ready: ${why}\n` })
  t.match(await ask(url, { path: '/livez' }), { status: 200 })
  const early = await post({ url }, '/v1/watch', { token: TOKEN, body: body([]) })
  t.match(early, { status: 503, headers: { 'retry-after': '2' }, text: `${why}.\n` })
  putPod(tenancies, 7, 'u7', 1_000)
  isTold()
  await allTold
  const asked = { token: TOKEN, body: body([addressOf(7)]) }
  const tryAgain = (): Promise<Listener> => listen({ url }, asked).catch(tryAgain)
  const listener = await tryAgain()
  t.match(await ask(url, { path: '/readyz' }), { status: 200, text: 'ready\n' })
  await listener.until('all', ({ lines }) => lines.some(({ session, revision }) => session === undefined && revision !== undefined))
  t.ok(listener.tenancies.has(`${addressOf(7)} u7`), 'its first answer is whole')
  listener.close()
})

t.test('while changes are not heard of nobody is told that all is known', async (t) => {
  let trouble = ''
  const { url, allTold, tenancies } = await serveDirectory(t, { trouble: () => trouble })
  await allTold
  const tryAgain = (): Promise<Listener> => listen({ url }, { token: TOKEN, body: body([addressOf(7)]) }).catch(tryAgain)
  const listener = await tryAgain()
  await listener.until('all', ({ lines }) => lines.length > 2)
  const { revision } = listener
  trouble = 'away'
  putPod(tenancies, 7, 'u7', 1_000)
  await listener.until('a pod', (all) => all.tenancies.size > 0)
  await sleep(200)
  t.equal(listener.revision, revision)
  trouble = ''
  await listener.until('all', (all) => all.revision > revision)
  listener.close()
})

t.test('while the API server cannot be asked whose a token is', async (t) => {
  let isAway = true
  const { url, log } = await serveDirectory(t, {
    review: async (token) => {
      if (isAway) throw new Error('POST tokenreviews: 403 Forbidden')
      return token
    },
  })
  await sleep(200)
  for (let times = 0; times < 3; times++) {
    const answer = await post({ url }, '/v1/addresses', { token: 'secret', body: {} })
    t.match(answer, { status: 503, headers: { 'retry-after': '2' }, text: 'The API server cannot be asked whose token this is.\n' })
  }
  const warnings = log.filter((line) => line.startsWith('warn'))
  t.same(warnings, ['warn agents wait: their tokens cannot be judged {"error":"POST tokenreviews: 403 Forbidden"}'], 'said once')
  isAway = false
  t.match(await post({ url }, '/v1/addresses', { token: TOKEN, body: { session: 'x' } }), { status: 404 })
  t.match(await post({ url }, '/v1/addresses', { token: 'secret', body: {} }), {
    status: 403,
    text: 'This token is of somebody who may not ask; directory.agents names the ServiceAccounts that may.\n',
  })
  t.notMatch(log.join('\n'), 'secret')
})

t.test('paths and methods', async (t) => {
  const { url } = await serveDirectory(t)
  t.match(await ask(url, { path: '/v1/watch' }), { status: 405, headers: { allow: 'POST' } })
  t.match(await ask(url, { path: '/' }), { status: 404, text: /There is:\n\/v1\/watch\n\/v1\/addresses\n\/metrics\n/ })
})

t.test('who does not read costs little, holds up nobody, and is told the latest when it reads again', async (t) => {
  const { url, tenancies } = await serveDirectory(t, {
    tell(tenancies) {
      for (let index = 0; index < MANY; index++) putPod(tenancies, index, `a${index}`, 1_000)
    },
  })
  await sleep(1_500)
  const slow = await listen({ url }, { token: TOKEN, body: body(ALL) })
  slow.pause()
  await sleep(1_000)
  const linesOf = async (): Promise<number> => Number(/lines_total (\d+)/.exec((await ask(url, { path: '/metrics' })).text)?.[1])
  const stalledAt = await linesOf()
  t.ok(stalledAt < (MANY / 40) * (2 / 3), `${stalledAt} lines are on their way, of more than ${MANY / 40}`)
  const quick = await listen({ url }, { token: TOKEN, body: body(ALL) })
  await quick.until('all', ({ revision }) => revision > 0)
  t.equal(quick.tenancies.size, MANY, 'the other is told everything')
  const before = await linesOf()
  for (const [round, uid] of ['b', 'c', 'd'].entries()) {
    for (let index = MANY - 1_000; index < MANY; index++) putPod(tenancies, index, `${uid}${index}`, 2_000 + round)
    await sleep(200)
  }
  const last = `${addressOf(MANY - 1)} d${MANY - 1}`
  await quick.until('the last', ({ tenancies }) => tenancies.has(last))
  t.ok((await linesOf()) - before >= 30, 'all three rounds')
  slow.goOn()
  await slow.until('the last', ({ tenancies, revision }) => tenancies.has(last) && revision > 0)
  t.equal(new Set([...slow.tenancies.values()].filter(({ untilMs }) => untilMs === null).map(({ address }) => address)).size, MANY)
  t.notOk(
    [...slow.tenancies.values()].some(
      ({ key, untilMs }) => key.startsWith('a') && untilMs === null && Number(key.slice(1)) >= MANY - 1_000,
    ),
  )
  for (const listener of [slow, quick]) listener.close()
})

t.test('whoever comes while it stops is told so', async (t) => {
  const { url, stop } = await serveDirectory(t)
  await sleep(200)
  const listener = await listen({ url }, { token: TOKEN, body: body([]) })
  await stop()
  t.equal(await listener.ended, 'ended')
})
