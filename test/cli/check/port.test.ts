import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { probePort } from '../../../src/cli/check/port.js'
import { createRoutes } from '../../../src/http/routes.js'
import { createServer as createOurs } from '../../../src/http/server.js'
import { createServed } from '../../http/served.js'

const HOST = '127.0.0.1'

t.test('an address that is free, and free afterwards', async (t) => {
  const server = createServer((socket) => socket.destroy()).listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  t.equal((await probePort({ host: HOST, port })).state, 'taken')
  server.close()
  await once(server, 'close')
  t.equal((await probePort({ host: HOST, port })).state, 'free')
  t.equal((await probePort({ host: HOST, port })).state, 'free')
})

t.test('an agent listens there', async (t) => {
  const log = { warn: () => undefined, error: () => undefined }
  const ours = await createOurs({
    routes: createRoutes({ agent: createServed(), log, version: '1' }),
    listenAddress: { host: HOST, port: 0 },
    log,
  })
  t.teardown(() => ours.close(AbortSignal.abort()))
  const port = Number(new URL(ours.url).port)
  t.equal((await probePort({ host: HOST, port })).state, 'agent')
  t.equal((await probePort({ host: '', port })).state, 'agent', 'asked for on all addresses')
})

t.test('an agent listens on one address of several, as in the chart', async (t) => {
  const log = { warn: () => undefined, error: () => undefined }
  const routes = createRoutes({ agent: createServed(), log, version: '1' })
  const ours = await createOurs({ routes, listenAddress: { host: '127.0.0.2', port: 0 }, log })
  t.teardown(() => ours.close(AbortSignal.abort()))
  const anywhere = { host: '', port: Number(new URL(ours.url).port) }
  t.equal((await probePort(anywhere, () => ['127.0.0.3', '127.0.0.2'])).state, 'agent')
  t.equal((await probePort(anywhere, () => ['127.0.0.3'])).state, 'taken')
})

t.test('an address that is not of this machine', async (t) => {
  t.match((await probePort({ host: '192.0.2.1', port: 10_042 })).state, { name: 'ListenError' })
})
