import t from 'tap'
import { reviewedUserOf } from '../../src/directory/api-server.js'
import { createWhoAsks, TooManyReviews, type Verdict } from '../../src/directory/who-asks.js'

const AGENT = 'system:serviceaccount:meshtoll:meshtoll-agent'
const OTHER = 'system:serviceaccount:shop:cart'

/** Tokens are the users whose they are. */
function start({ fails = false } = {}) {
  const asked: string[] = []
  let nowMs = 0
  let isBroken = fails
  const { judge } = createWhoAsks({
    agents: ['meshtoll/meshtoll-agent'],
    monotonic: () => nowMs,
    review: async (token) => {
      asked.push(token)
      if (isBroken) throw new Error('no way to it')
      return token === 'garbage' ? '' : token
    },
  })
  return {
    asked,
    judge: (token: string) => judge(`Bearer ${token}`),
    judgeHeader: judge,
    pass(ms: number) {
      nowMs += ms
    },
    mend() {
      isBroken = false
    },
  }
}

t.test('headers', async (t) => {
  const cases: { name: string; header: string | undefined; verdict: Verdict }[] = [
    { name: 'an agent', header: `Bearer ${AGENT}`, verdict: 'admitted' },
    { name: 'in small letters', header: `bearer ${AGENT}`, verdict: 'admitted' },
    { name: 'somebody else', header: `Bearer ${OTHER}`, verdict: 'stranger' },
    { name: 'of another namespace', header: 'Bearer system:serviceaccount:shop:meshtoll-agent', verdict: 'stranger' },
    { name: 'garbage', header: 'Bearer garbage', verdict: 'nobody' },
    { name: 'none', header: undefined, verdict: 'nobody' },
    { name: 'a password', header: 'Basic YTpi', verdict: 'nobody' },
    { name: 'two words', header: `Bearer ${AGENT} ${AGENT}`, verdict: 'nobody' },
  ]
  for (const { name, header, verdict } of cases) t.equal(await start().judgeHeader(header), verdict, name)
})

t.test('a token is judged once a minute', async (t) => {
  for (const token of [AGENT, OTHER, 'garbage']) {
    const { judge, asked, pass } = start()
    const verdict = await judge(token)
    pass(59_999)
    t.equal(await judge(token), verdict)
    t.equal(asked.length, 1, `${token}: remembered`)
    pass(1)
    await judge(token)
    t.equal(asked.length, 2, `${token}: not for longer`)
  }
})

t.test('a token is judged by one question at a time', async (t) => {
  const { judge, asked } = start()
  t.same(await Promise.all([judge(AGENT), judge(AGENT), judge(AGENT)]), ['admitted', 'admitted', 'admitted'])
  t.equal(asked.length, 1)
})

t.test('what could not be found out is not remembered', async (t) => {
  const { judge, mend } = start({ fails: true })
  await t.rejects(judge(AGENT), { message: 'no way to it' })
  mend()
  t.equal(await judge(AGENT), 'admitted')
})

t.test('a flood of wrong ones does not push out the right one, nor grow for ever', async (t) => {
  const { judge, asked } = start()
  await judge(AGENT)
  for (let index = 0; index < 3_000; index++) await judge(`stranger-${index}`)
  await judge(AGENT)
  t.equal(asked.filter((token) => token === AGENT).length, 1)
  await judge('stranger-0')
  t.equal(asked.filter((token) => token === 'stranger-0').length, 2, 'the first of the wrong ones is forgotten')
  await judge('stranger-2999')
  t.equal(asked.filter((token) => token === 'stranger-2999').length, 1, 'the last is not')
})

t.test('so many wait and no more', async (t) => {
  const { judge } = createWhoAsks({ agents: [], monotonic: () => 0, review: () => new Promise(() => undefined) })
  for (let index = 0; index < 10_000; index++) void judge(`Bearer ${index}`)
  await t.rejects(judge('Bearer another'), TooManyReviews)
})

t.test('whose token a review says it is', async (t) => {
  const user = { username: AGENT }
  const cases = [
    { name: 'an agent', status: { authenticated: true, user, audiences: ['meshtoll'] }, is: AGENT },
    { name: 'for others as well', status: { authenticated: true, user, audiences: ['a', 'meshtoll'] }, is: AGENT },
    { name: 'no such token', status: { user: {}, error: 'token expired' }, is: '' },
    { name: 'said to be none', status: { authenticated: false, user, audiences: ['meshtoll'] }, is: '' },
    { name: 'for another audience', status: { authenticated: true, user, audiences: ['vault'] }, is: '' },
    { name: 'of an authenticator that knows no audiences', status: { authenticated: true, user }, is: '' },
    { name: 'no user', status: { authenticated: true, audiences: ['meshtoll'] }, is: '' },
  ]
  for (const { name, status, is } of cases) t.equal(reviewedUserOf({ kind: 'TokenReview', status }), is, name)
  for (const nonsense of [undefined, null, {}, []]) t.equal(reviewedUserOf(nonsense), '', JSON.stringify(nonsense))
})
