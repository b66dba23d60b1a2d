import { connect, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { ListenError } from '../../src/http/listen-error.js'
import { createRoutes, type RouteParts } from '../../src/http/routes.js'
import { createServer, type ServerParts } from '../../src/http/server.js'
import { ask } from './client.js'
import { createServed, flow, owner } from './served.js'

const LOOPBACK = { host: '127.0.0.1', port: 0 }

type Settings = Pick<ServerParts, 'listenAddress' | 'maxConnections'>

/** Its log is `lines`. */
async function serve(t: Test, { listenAddress = LOOPBACK, maxConnections, ...parts }: Partial<RouteParts & Settings> = {}) {
  const lines: string[] = []
  const write = (message: string, fields = {}): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const log = { warn: write, error: write }
  const routes = createRoutes({ agent: createServed(), log, version: '0.1.0', ...parts })
  const server = await createServer({ routes, listenAddress, log, ...(maxConnections === undefined ? {} : { maxConnections }) })
  t.teardown(() => server.close(AbortSignal.abort()))
  return { ...server, lines }
}

/** An answer of 15 MB, which no buffers hold between the two ends. Few series, since to render one takes longer than to send it. */
const LARGE = Array.from({ length: 5_000 }, (_, i) =>
  flow(owner(`a shop Deployment cart-${i}-${'x'.repeat(3_000)}`), owner('b shop Deployment stock'), { scope: 'cross_zone', value: i }),
)

/** One source of the agent that is served cannot be read. */
const MISSING = /^ready\nwithout net-dev: cannot read \/proc\/net\/dev: permission denied\n$/

t.test('no more connections than may be: a further one is closed, and those that are there are answered', async (t) => {
  const { url } = await serve(t, { maxConnections: 2 })
  const { port } = new URL(url)
  const open = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => resolve(socket))
      t.teardown(() => socket.destroy())
    })
  const first = await open()
  await open()
  const third = await open()
  third.resume()
  await once(third, 'close')
  first.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(first, 'readable')
  t.match(String(first.read()), /^HTTP\/1.1 200 /)
})

t.test('paths and methods', async (t) => {
  const { url } = await serve(t)
  const cases = [
    { name: 'the page', path: '/', status: 200, type: 'text/html; charset=utf-8', text: /^<!doctype html>/ },
    {
      name: 'metrics',
      path: '/metrics',
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: /^meshtoll_flow_bytes_total\{/m,
    },
    { name: 'metrics with a query', path: '/metrics?x=1', status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: /^# HELP/ },
    { name: 'the snapshot', path: '/api/v1/snapshot', status: 200, type: 'application/json', text: /^\{"version":"0.1.0"/ },
    { name: 'alive, Kubernetes', path: '/healthz', status: 200, type: 'text/plain; charset=utf-8', text: /^ok\n$/ },
    { name: 'alive, Kubernetes', path: '/livez', status: 200, type: 'text/plain; charset=utf-8', text: /^ok\n$/ },
    { name: 'alive, Prometheus', path: '/-/healthy', status: 200, type: 'text/plain; charset=utf-8', text: /^ok\n$/ },
    { name: 'ready, Kubernetes', path: '/readyz', status: 200, type: 'text/plain; charset=utf-8', text: MISSING },
    { name: 'ready, Prometheus', path: '/-/ready', status: 200, type: 'text/plain; charset=utf-8', text: MISSING },
    { name: 'nothing there', path: '/metric', status: 404, type: 'text/plain; charset=utf-8', text: /There is:\n\/\n\/metrics\n/ },
    { name: 'a name of every object', path: '/constructor', status: 404, type: 'text/plain; charset=utf-8', text: /There is/ },
    { name: 'a path that is no URL', path: '//[', status: 404, type: 'text/plain; charset=utf-8', text: /There is/ },
    { name: 'a path upwards', path: '/../../etc/passwd', status: 404, type: 'text/plain; charset=utf-8', text: /There is/ },
  ]
  for (const { name, path, status, type, text } of cases) {
    const answer = await ask(url, { path })
    t.match(
      { ...answer, body: undefined },
      { status, headers: { 'content-type': type, 'x-content-type-options': 'nosniff' }, text },
      `${name}: ${path}`,
    )
    const head = await ask(url, { path, method: 'HEAD' })
    t.match({ ...head, body: head.body.length }, { status, headers: { 'content-type': type }, body: 0 }, `HEAD ${path}`)
  }
  const posted = await ask(url, { path: '/metrics', method: 'POST' })
  t.match(posted, { status: 405, headers: { allow: 'GET, HEAD' }, text: /only be read/ }, 'POST')
})

t.test('OpenMetrics and gzip as Prometheus asks for them', async (t) => {
  const { url } = await serve(t)
  const plain = await ask(url, { path: '/metrics', headers: { Accept: 'application/openmetrics-text;version=1.0.0' } })
  t.equal(plain.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  t.match(plain.text, /\n# EOF\n$/, 'ends as it must')
  t.notMatch(plain.text, '_created', 'which an older Prometheus would store as series')
  t.equal(Number(plain.headers['content-length']), plain.body.length, 'its length is known')
  const zipped = await ask(url, { path: '/metrics', headers: { Accept: 'application/openmetrics-text', 'Accept-Encoding': 'gzip' } })
  t.equal(zipped.headers['content-encoding'], 'gzip')
  t.equal(withoutProcess(gunzipSync(zipped.body).toString()), withoutProcess(plain.text), 'the same text')
  const created = await serve(t, { created: true })
  const { text } = await ask(created.url, { path: '/metrics', headers: { Accept: 'application/openmetrics-text' } })
  t.match(text, /^meshtoll_flow_bytes_created\{.*\} 1700000000\.123$/m, '_created when wanted')
})

t.test('ready, and nothing is missing', async (t) => {
  const { url } = await serve(t, { agent: createServed({ status: { sources: [] } }) })
  t.match(await ask(url, { path: '/-/ready' }), { status: 200, text: /^ready\n$/ })
})

t.test('not ready', async (t) => {
  const { url } = await serve(t, { agent: createServed({ status: { ready: false, why: 'flows: CAP_NET_ADMIN is missing' } }) })
  t.match(await ask(url, { path: '/readyz' }), { status: 503, text: 'not ready: flows: CAP_NET_ADMIN is missing\n' }, 'says why')
  t.match(await ask(url, { path: '/livez' }), { status: 200 }, 'alive all the same')
  t.match((await ask(url)).text, 'Not ready: flows: CAP_NET_ADMIN is missing', 'the page says so too')
})

t.test('the snapshot as JSON', async (t) => {
  const { url } = await serve(t)
  const snapshot = JSON.parse((await ask(url, { path: '/api/v1/snapshot' })).text)
  t.match(snapshot, { version: '0.1.0', node: 'n1', at: '2026-11-21T09:30:15.250Z', ready: true, why: '' })
  t.equal(snapshot.books.difference, 0, 'the books and their difference')
  t.match(
    snapshot.sources,
    [
      { name: 'flows', up: true },
      { name: 'net-dev', up: false, error: /permission denied/ },
    ],
    'what each source says',
  )
  t.match(snapshot.series.meshtoll_flow_bytes_total[0], {
    labels: { src_owner_name: 'cart', dst_zone: 'us-east-1b' },
    value: 1_420_000_000,
  })
  t.equal(snapshot.series.meshtoll_zone_bytes_total.length, 3, 'pairs at 0 too')
  t.same(snapshot.series.meshtoll_flow_pending_bytes, [{ labels: {}, value: 80 }], 'gauges')
  t.ok(snapshot.series.meshtoll_source_up, 'and the agent about itself')
})

t.test('a failure is logged, not shown', async (t) => {
  const agent = { ...createServed(), withSnapshot: () => Promise.reject(new Error('secret detail')) }
  const { url, lines } = await serve(t, { agent })
  for (const path of ['/metrics', '/', '/api/v1/snapshot']) {
    const { status, text } = await ask(url, { path })
    t.match({ status, text }, { status: 500, text: 'This could not be answered; the log says why.\n' }, path)
  }
  t.match(lines[0], 'secret detail', 'the log has it')
  t.match(await ask(url, { path: '/livez' }), { status: 200 }, 'the server lives on')
})

t.test('a reader that does not read holds up nobody, and is cut off when the server closes', async (t) => {
  const server = await serve(t, { agent: createServed({ flows: LARGE }) })
  const slow = connect(Number(new URL(server.url).port), '127.0.0.1')
  t.teardown(() => slow.destroy())
  slow.pause()
  slow.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(slow, 'readable')
  const { status, text } = await ask(server.url, { path: '/metrics' })
  t.equal(status, 200)
  t.equal(text.match(/^meshtoll_flow_bytes_total\{/gm)?.length, LARGE.length, 'others get everything')
  const closed = once(slow, 'close')
  slow.on('error', () => undefined)
  await server.close(AbortSignal.timeout(50))
  slow.resume()
  await closed
  t.pass('closed although it had not read to the end')
})

t.test('more slow readers than there is room for', async (t) => {
  const { url } = await serve(t, { agent: createServed({ flows: LARGE }) })
  const slow = Array.from({ length: 20 }, () => connect(Number(new URL(url).port), '127.0.0.1'))
  t.teardown(() => slow.map((socket) => socket.destroy()))
  for (const socket of slow) socket.pause().write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
  await Promise.all(slow.map((socket) => once(socket, 'readable')))
  t.match(await ask(url, { path: '/metrics' }), { status: 503, headers: { 'retry-after': '5' } }, 'is told to come back')
  t.match(await ask(url, { path: '/livez' }), { status: 200 }, 'probes have their own way')
  for (const socket of slow) socket.destroy()
  for (let tries = 0; tries < 100 && (await ask(url, { path: '/metrics' })).status === 503; tries++);
  t.match(await ask(url, { path: '/metrics' }), { status: 200 }, 'room again once they are gone')
})

t.test('nothing to listen on', async (t) => {
  const { url } = await serve(t)
  const port = Number(new URL(url).port)
  const cases = [
    {
      name: 'a port in use',
      address: { host: '127.0.0.1', port },
      says: `another program uses port ${port}; stop it, or choose another port`,
    },
    { name: "another machine's address", address: { host: '192.0.2.1', port: 0 }, says: '192.0.2.1 is not an address of this machine' },
    { name: 'a name that nobody has', address: { host: 'nobody.invalid', port: 0 }, says: /the name nobody\.invalid/ },
  ]
  for (const { name, address, says } of cases) {
    const error = await serve(t, { listenAddress: address }).catch((error: unknown) => error)
    t.ok(error instanceof ListenError, name)
    t.match(error, { message: says }, `${name}, one line: ${(error as Error).message}`)
    t.notMatch((error as Error).message, '\n')
  }
})

t.test('where it listens', async (t) => {
  const cases = [
    { name: 'IPv4', address: { host: '127.0.0.1', port: 0 }, url: /^http:\/\/127\.0\.0\.1:\d+$/ },
    { name: 'IPv6', address: { host: '::1', port: 0 }, url: /^http:\/\/\[::1\]:\d+$/ },
    { name: 'everywhere', address: { host: '', port: 0 }, url: /^http:\/\/localhost:\d+$/ },
    { name: 'every IPv4 address', address: { host: '0.0.0.0', port: 0 }, url: /^http:\/\/localhost:\d+$/ },
  ]
  for (const { name, address, url } of cases) {
    const server = await serve(t, { listenAddress: address })
    t.match(server.url, url, name)
    t.match(await ask(server.url, { path: '/livez' }), { status: 200 }, `${name} answers`)
  }
})

const once = (socket: Socket, event: string): Promise<void> => new Promise((resolve) => void socket.once(event, () => resolve()))

/** Memory and the like change between two scrapes. */
const withoutProcess = (text: string): string => text.replaceAll(/^process_.*\n/gm, '')
