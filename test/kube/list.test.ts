import t, { type Test } from 'tap'
import { createKubeClient } from '../../src/kube/client.js'
import { createListing, type Listing, type ListOptions, type Since } from '../../src/kube/list.js'
import { createFaultyServer, type FaultyServer } from './faulty-server.js'
import { createHandClock } from './hand-clock.js'
import { list } from './objects.js'

const never = new AbortController().signal
const PATH = '/apis/example.com/v1/things'

interface Here {
  readonly server: FaultyServer
  readonly listing: Listing
  /** `begin` and the items, as they came. */
  readonly got: unknown[]
  read(): ReturnType<Listing['read']>
}

async function start(t: Test, since?: Since, options: Partial<ListOptions> = {}): Promise<Here> {
  const server = await createFaultyServer(t)
  const client = createKubeClient({ server: server.url }, { clock: createHandClock() })
  t.teardown(() => client.close())
  const listing = createListing({ client, path: PATH, ...options }, since)
  const got: unknown[] = []
  const into = { begin: () => void got.push('begin'), item: (raw: unknown) => void got.push(raw) }
  return { server, listing, got, read: () => listing.read(into, never) }
}

/** The next request must have this query; it is answered by a page. */
async function page(t: Test, server: FaultyServer, query: unknown, [items, metadata]: Parameters<typeof list>): Promise<void> {
  const asked = await server.next()
  t.strictSame(asked.query, query)
  asked.json(list(items, metadata))
}

const SINCE = { resourceVersion: '77', hasNoCache: false }
const FIRST = { limit: '200', resourceVersion: '0' }

t.test('the first list takes what the server has in memory', async (t) => {
  const { server, got, read } = await start(t, undefined, { query: { fieldSelector: 'spec.nodeName=n1' }, accept: 'application/json;as=X' })
  const done = read()
  const asked = await server.next()
  t.equal(asked.path, PATH)
  t.strictSame(asked.query, { fieldSelector: 'spec.nodeName=n1', ...FIRST })
  t.equal(asked.headers.accept, 'application/json;as=X')
  asked.json(list([1, 2, 3], { resourceVersion: '9' }))
  t.strictSame(await done, { resourceVersion: '9', hasNoCache: false })
  t.strictSame(got, ['begin', 1, 2, 3])
})

t.test('a server that pages', async (t) => {
  const { server, got, read } = await start(t, undefined, { query: { labelSelector: 'a=b' }, limit: 2 })
  const done = read()
  const labelSelector = 'a=b'
  await page(t, server, { labelSelector, limit: '2', resourceVersion: '0' }, [[1, 2], { resourceVersion: '9', continue: 'c/1+' }])
  await page(t, server, { labelSelector, limit: '2', continue: 'c/1+' }, [[3, 4], { resourceVersion: '9', continue: 'c2' }])
  await page(t, server, { labelSelector, limit: '2', continue: 'c2' }, [[5], { resourceVersion: '9', continue: '' }])
  t.strictSame(await done, { resourceVersion: '9', hasNoCache: true })
  t.strictSame(got, ['begin', 1, 2, 3, 4, 5], 'it begins once')
})

t.test('a page that expired', async (t) => {
  const { server, got, read } = await start(t, undefined, { limit: 1 })
  const done = read()
  await page(t, server, { limit: '1', resourceVersion: '0' }, [[1], { resourceVersion: '9', continue: 'c1' }])
  ;(await server.next()).refuse(410, { reason: 'Expired', message: 'The provided continue parameter is too old' })
  await page(t, server, { limit: '1' }, [[2], { resourceVersion: '12', continue: 'c2' }])
  ;(await server.next()).refuse(410, { reason: 'Expired' })
  await page(t, server, {}, [[3, 4], { resourceVersion: '15' }])
  t.match(await done, { resourceVersion: '15' }, 'the list is begun again, and then asked for in one answer')
  t.strictSame(got, ['begin', 1, 'begin', 2, 'begin', 3, 4])
})

t.test('a server that pages all the same, and expires what it gave', async (t) => {
  const { server, read } = await start(t, undefined, { limit: 1 })
  const done = read()
  for (const query of [{ limit: '1', resourceVersion: '0' }, { limit: '1' }, {}]) {
    await page(t, server, query, [[1], { resourceVersion: '9', continue: 'c' }])
    ;(await server.next()).refuse(410)
  }
  await t.rejects(done, { name: 'KubeError', status: 410 }, 'is not asked without a pause')
  const again = read()
  await page(t, server, { limit: '1' }, [[1], { resourceVersion: '9' }])
  t.match(await again, { resourceVersion: '9' })
})

t.test('a later list is not older than what is known', async (t) => {
  const { server, read } = await start(t, SINCE)
  const done = read()
  await page(t, server, { resourceVersion: '77' }, [[1], { resourceVersion: '80' }])
  t.strictSame(await done, { resourceVersion: '80', hasNoCache: false })

  const refusals = [
    { name: 'expired', status: 410, more: { reason: 'Expired' } },
    { name: 'ahead of the server', status: 504, more: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } } },
    { name: 'not understood', status: 400, more: { reason: 'BadRequest' } },
  ]
  for (const { name, status, more } of refusals) {
    const { server, read, got } = await start(t, SINCE)
    const done = read()
    ;(await server.next()).refuse(status, more)
    await page(t, server, { limit: '200' }, [[1], { resourceVersion: '80', continue: 'c' }])
    await page(t, server, { limit: '200', continue: 'c' }, [[2], { resourceVersion: '80' }])
    t.strictSame(await done, { resourceVersion: '80', hasNoCache: false }, `${name}: the newest is asked for, in pages`)
    t.strictSame(got, ['begin', 1, 2])
  }
  const { server: busy, read: readBusy } = await start(t, SINCE)
  const refused = readBusy()
  ;(await busy.next()).refuse(504, { reason: 'Timeout' })
  await t.rejects(refused, { name: 'KubeError', status: 504 }, 'another failure is one')
})

t.test('a later list of a server without a cache comes in pages from the start', async (t) => {
  const { server, read } = await start(t, { ...SINCE, hasNoCache: true })
  const done = read()
  await page(t, server, { limit: '200' }, [[1], { resourceVersion: '80' }])
  t.match(await done, { resourceVersion: '80' })
})

t.test('after a failure it goes on with the page that failed', async (t) => {
  const { server, got, read } = await start(t, undefined, { limit: 2 })
  const first = read()
  ;(await server.next()).refuse(500)
  await t.rejects(first, { name: 'KubeError', status: 500 })
  const second = read()
  await page(t, server, { limit: '2', resourceVersion: '0' }, [[1, 2], { resourceVersion: '9', continue: 'c1' }])
  ;(await server.next()).refuse(429, { retryAfter: '3' })
  await t.rejects(second, { name: 'KubeError', status: 429, retryAfterMs: 3000 })
  const third = read()
  const asked = await server.next()
  t.strictSame(asked.query, { limit: '2', continue: 'c1' })
  asked.open()
  await asked.write('{"metadata":{"resourceVersion":"9"},"items":[3,')
  asked.drop()
  await t.rejects(third, { name: 'KubeError', status: 0 })
  const fourth = read()
  await page(t, server, { limit: '2', continue: 'c1' }, [[3, 4], { resourceVersion: '9' }])
  t.match(await fourth, { resourceVersion: '9' })
  t.strictSame(got, ['begin', 1, 2, 3, 3, 4])
})

t.test('what is no list is an error, not an empty one', async (t) => {
  const cases = [
    { name: 'a page of a proxy', text: '<html>', says: /the answer is no list: it ends in the middle/ },
    { name: 'half a list', text: '{"items":[{"a":1},', says: /the answer is no list: it ends in the middle/ },
    { name: 'an object', text: '{"kind":"Status"}', says: /the answer is no list: it has no items/ },
    { name: 'garbage', text: '{"items":[{"a"1}]}', says: /the answer is no list: .*JSON/ },
    { name: 'no resourceVersion', text: '{"items":[]}', says: /the answer is no list: it has no resourceVersion/ },
  ]
  for (const { name, text, says } of cases) {
    const { server, read } = await start(t)
    const done = read()
    ;(await server.next()).page(200, text)
    await t.rejects(done, { name: 'KubeError', status: 0, message: says }, name)
  }
})
