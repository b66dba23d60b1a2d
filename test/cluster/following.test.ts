// What may be missing is in nobody's way.
import t from 'tap'
import { createFollowing } from '../../src/cluster/following.js'
import { createKubeClient } from '../../src/kube/client.js'
import { createFaultyServer } from '../kube/faulty-server.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { list, pruneThing, thing } from '../kube/objects.js'

const RESOURCE = { group: 'example.com', versions: ['v1'], resource: 'things' }
const FIRST_WAIT_MS = 500

t.test('a custom resource', async (t) => {
  const server = await createFaultyServer(t)
  const [clock, log, stopping] = [createHandClock(), createKeptLog(), new AbortController()]
  const client = createKubeClient({ server: server.url }, { clock })
  t.teardown(async () => {
    stopping.abort(new Error('stopped'))
    await client.close()
  })
  const following = createFollowing(client, { clock, log, random: () => '' })
  const known = new Map<string, unknown>()
  const follow = (): Promise<void> =>
    following.followCustom(
      { resource: RESOURCE, prune: pruneThing, put: (key, one) => void known.set(key, one), remove: (key) => void known.delete(key) },
      stopping.signal,
    )
  const said = (): readonly string[] => log.lines.filter((line) => /^(warn|info|error)/.test(line))
  const waited = async (ms: number): Promise<void> => {
    await clock.untilSleeping(ms)
    clock.advance(ms)
  }

  const absent = follow()
  ;(await server.next()).page(404, '404 page not found')
  await absent
  t.same([following.trouble, said()], ['', []], 'is not there')

  const refused = follow()
  ;(await server.next()).json({ resources: [{ name: 'things' }] })
  ;(await server.next()).refuse(403, { reason: 'Forbidden' })
  await refused
  const once = said()
  t.match(once, [/^warn objects are not followed.*things\.example\.com.*allow it with the RBAC rule/])
  await waited(FIRST_WAIT_MS)
  ;(await server.next()).refuse(403, { reason: 'Forbidden' })
  await waited(2 * FIRST_WAIT_MS)
  ;(await server.next()).json(list([thing('a', '1')], { resourceVersion: '10' }))
  ;(await server.next()).open()
  t.same([following.trouble, said()], ['', once], 'said once')
  t.same([...known.keys()], ['shop/a'], 'and found when it may be seen')
})

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
