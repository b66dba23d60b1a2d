// What may be missing is in nobody's way.
import t, { type Test } from 'tap'
import { createFollowing, type Following } from '../../src/cluster/following.js'
import { followCluster, followPodsOf, PODS } from '../../src/cluster/objects.js'
import { createTenancies } from '../../src/identity/tenancies.js'
import { createKubeClient } from '../../src/kube/client.js'
import { createFaultyServer } from '../kube/faulty-server.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { list, pruneThing, thing } from '../kube/objects.js'
import { eventually } from '../lab/world.js'

const RESOURCE = { group: 'example.com', versions: ['v1'], resource: 'things' }
const FIRST_WAIT_MS = 500

/** A client of a server whose answers are the test's, and what follows it until the test is over. */
async function setUp(t: Test) {
  const server = await createFaultyServer(t)
  const [clock, log, stopping] = [createHandClock(), createKeptLog(), new AbortController()]
  const client = createKubeClient({ server: server.url }, { clock })
  t.teardown(async () => {
    stopping.abort(new Error('stopped'))
    await client.close()
  })
  const deps = { clock, log, random: () => '' }
  const { signal } = stopping
  return { server, clock, log, client, deps, following: createFollowing(client, deps), tenancies: createTenancies(), signal }
}

t.test('a custom resource', async (t) => {
  const { server, clock, log, following, signal } = await setUp(t)
  const known = new Map<string, unknown>()
  const follow = (): Promise<void> =>
    following.followCustom(
      { resource: RESOURCE, prune: pruneThing, put: (key, one) => void known.set(key, one), remove: (key) => void known.delete(key) },
      signal,
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

t.test('a pod that came back by its name while nothing was heard was there until then at least', async (t) => {
  const { server, clock, deps, tenancies, signal, ...followed } = await setUp(t)
  const parts = { ...followed, tenancies, patienceMs: 0 }
  const podOf = (uid: string, podIP: string, startTime: string) => ({
    kind: 'Pod',
    metadata: { name: 'db-0', namespace: 'shop', uid, resourceVersion: '10' },
    spec: { nodeName: 'n1' },
    status: { startTime, podIP },
  })
  const heldBy = (uid: string) => {
    const { fromMs, untilMs } = tenancies.take().tenancies.find(({ key }) => key === uid) ?? {}
    return [fromMs, untilMs]
  }
  const told = followPodsOf('n1', parts, deps, signal)
  const first = await server.next()
  first.json(list([podOf('u1', '10.1.0.7', '1970-01-01T00:00:10Z')], { resourceVersion: '10' }))
  await told
  t.same(heldBy('u1'), [10_000, Number.POSITIVE_INFINITY])
  const certainMs = clock.now()
  const watch = await server.next()
  t.equal(first.query['fieldSelector'], 'spec.nodeName=n1', 'of its own node alone')
  t.equal(watch.query['fieldSelector'], 'spec.nodeName=n1', 'of its own node alone, by the watch as well')
  watch.refuse(410, { reason: 'Expired' })
  await clock.untilSleeping(FIRST_WAIT_MS)
  clock.advance(600_000)
  ;(await server.next()).json(list([podOf('u2', '10.1.0.9', '1970-01-01T00:26:00Z')], { resourceVersion: '20' }))
  await server.next()
  t.same(heldBy('u1'), [10_000, certainMs])
})

const OF_REPLICA_SET = {
  kind: 'Pod',
  metadata: {
    ...{ name: 'cart-7f9c-x2x4v', namespace: 'shop', uid: 'u1', generateName: 'cart-7f9c-' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-7f9c', uid: 'r1', controller: true }],
  },
  spec: { nodeName: 'n1' },
  status: { startTime: '1970-01-01T00:00:10Z', podIP: '10.1.0.7' },
}
const CONTROLLER = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid: 'd1', controller: true }
const REPLICA_SET = { name: 'cart-7f9c', namespace: 'shop', uid: 'r1', ownerReferences: [CONTROLLER] }

t.test('all is told once the owners of the pods are read as well, or given up', async (t) => {
  const patienceMs = 30_000
  for (const name of ['of one node', 'of all']) {
    for (const isRead of [true, false]) {
      const { server, clock, deps, client, tenancies, signal } = await setUp(t)
      const follow: Following['follow'] = async ({ path, prune, put }) => {
        if (path === PODS) put('shop/cart-7f9c-x2x4v', prune(OF_REPLICA_SET) as never)
      }
      const following: Following = { follow, followCustom: async () => undefined, trouble: '', takeRejected: () => 0 }
      const parts = { client, following, tenancies, patienceMs, resolve: async () => [] }
      let isTold = false
      const followed = name === 'of all' ? followCluster(parts, deps, signal) : followPodsOf('n1', parts, deps, signal)
      const told = followed.then(() => {
        isTold = true
      })
      const asked = await server.next()
      t.equal(isTold, false, `${name}: the ReplicaSet is not read yet`)
      if (isRead) asked.json({ kind: 'PartialObjectMetadata', metadata: REPLICA_SET })
      else clock.advance(patienceMs)
      await told
      t.same(
        tenancies.take().tenancies.map(({ tenant: { who } }) => who.name),
        [isRead ? 'cart' : 'cart-7f9c'],
        `${name}: told with its owner`,
      )
    }
  }
})

t.test('a list after the first is told once the owners of its pods are read as well', async (t) => {
  const { server, clock, deps, client, following, tenancies, signal } = await setUp(t)
  const followed = followPodsOf('n1', { client, following, tenancies, patienceMs: 30_000 }, deps, signal)
  ;(await server.next()).json(list([], { resourceVersion: '10' }))
  await followed
  t.equal(following.trouble, '')
  ;(await server.next()).refuse(410, { reason: 'Expired' })
  await clock.untilSleeping(FIRST_WAIT_MS)
  clock.advance(FIRST_WAIT_MS)
  ;(await server.next()).json(list([OF_REPLICA_SET], { resourceVersion: '20' }))
  const asked = [await server.next(), await server.next()]
  const owner = asked.find(({ path }) => path.includes('replicasets'))
  t.match(following.trouble, 'not told all of it yet')
  owner?.json({ kind: 'PartialObjectMetadata', metadata: REPLICA_SET })
  await eventually('all is told', () => (following.trouble === '' ? true : undefined))
})

t.test('which pods are labelled as agents is told with them', async (t) => {
  const { client, deps, tenancies, signal } = await setUp(t)
  const labels = { 'app.kubernetes.io/name': 'meshtoll', 'app.kubernetes.io/component': 'agent' }
  const { ownerReferences: _, ...metadata } = OF_REPLICA_SET.metadata
  const given = { agent: labels, directory: { ...labels, 'app.kubernetes.io/component': 'directory' }, none: undefined }
  const follow: Following['follow'] = async ({ path, prune, put }) => {
    if (path !== PODS) return
    for (const [key, one] of Object.entries(given)) put(key, prune({ ...OF_REPLICA_SET, metadata: { ...metadata, labels: one } }) as never)
  }
  const following: Following = { follow, followCustom: async () => undefined, trouble: '', takeRejected: () => 0 }
  const labelled: string[] = []
  const agents = { put: (key: string, _: object, isLabelled: boolean) => void (isLabelled && labelled.push(key)), remove: () => undefined }
  await followCluster({ client, following, tenancies, patienceMs: 0, resolve: async () => [], agents }, deps, signal)
  t.same(labelled, ['agent'])
})
