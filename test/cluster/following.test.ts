import t from 'tap'
import { createFollowing } from '../../src/cluster/following.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

t.test('what is no longer followed stands in the way of nobody', async (t) => {
  const client = { server: 'https://api', close: async () => undefined, request: () => new Promise<never>(() => undefined) }
  const deps = { clock: createHandClock(), log: createKeptLog(), random: () => '00000000' }
  const following = createFollowing(client, deps)
  const ending = new AbortController()
  const followed = following.follow({ path: '/a', prune: () => 'a', put: () => undefined, remove: () => undefined }, ending.signal)
  t.match(following.trouble, 'not told all of it yet')
  ending.abort(new Error('enough'))
  await t.rejects(followed, { message: 'enough' })
  t.equal(following.trouble, '')
})
