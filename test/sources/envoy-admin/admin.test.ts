// Over real sockets: what is listening here is at the loopback of the namespace that the test runs in.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import t, { type Test } from 'tap'
import { loadNetworkNamespaces } from '../../../src/kernel/network-namespaces.js'
import { createAdmin } from '../../../src/sources/envoy-admin/admin.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'

const never = new AbortController().signal
const [DEADLINE_MS, MAX_BYTES] = [20_000, 1 << 20]
const POD = { uid: 'cart', namespace: 'shop', name: 'cart-x2x4v' }

async function start(t: Test, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/clusters?format=json`, server }
}

/** By descriptors of this process. */
const namespacesOpen = (): number =>
  readdirSync('/proc/self/fd').filter(
    (fd) => existsSync(`/proc/self/fdinfo/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`).startsWith('net:'),
  ).length

async function createAsking() {
  const clock = createHandClock()
  const open = await loadNetworkNamespaces({ log: createKeptLog() })
  let refused: Error | undefined
  const openNamespace = async () => {
    if (refused) throw refused
    return open('/proc/self/ns/net')
  }
  const admin = createAdmin({ openNamespace, deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES }, { clock })
  const ask = async (url: string, signal = never): Promise<string> => {
    const pieces: Buffer[] = []
    await admin.get({ url, pod: POD }, async (piece) => void pieces.push(piece), signal)
    return Buffer.concat(pieces).toString()
  }
  return {
    clock,
    ask,
    failureOf: (url: string) =>
      ask(url).then(
        () => 'answered',
        ({ message }: Error) => message,
      ),
    refuse: (error: Error) => {
      refused = error
    },
  }
}

await inNamespace(t, import.meta.filename, () => {
  spawnSync('ip', ['link', 'set', 'lo', 'up'])

  t.test('a whole answer, in pieces, each when the one before was taken', async (t) => {
    const asked: unknown[] = []
    const { url, server } = await start(t, ({ url, headers }, response) => {
      asked.push([url, headers.connection, headers['user-agent']])
      response.end('x'.repeat(900_000))
    })
    const { ask } = await createAsking()
    const before = namespacesOpen()
    t.equal((await ask(url)).length, 900_000)
    t.equal(namespacesOpen(), before, 'the way in is closed behind us')
    t.same(asked, [['/clusters?format=json', 'close', 'meshtoll']])
    let taking = 0
    const open = await loadNetworkNamespaces({ log: createKeptLog() })
    const admin = createAdmin(
      { openNamespace: async () => open('/proc/self/ns/net'), deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES },
      { clock: createHandClock() },
    )
    const most: number[] = []
    await admin.get(
      { url, pod: POD },
      async (piece) => {
        most.push(++taking, piece.length)
        await new Promise((resolve) => setImmediate(resolve))
        taking--
      },
      never,
    )
    t.ok(most.every((value, index) => (index % 2 === 0 ? value === 1 : value <= 65_536)))
    await new Promise((resolve) => server.getConnections((_, count) => resolve(t.equal(count, 0, 'no connection stays'))))
  })

  t.test('what is no answer, in words that are the same for all', async (t) => {
    const cases: { name: string; answer: RequestListener; says: string }[] = [
      { name: 'refused', answer: (_, response) => void response.writeHead(403).end('no'), says: 'it answers 403' },
      { name: 'hangs up', answer: ({ socket }) => void socket.destroy(), says: 'it hung up' },
      {
        name: 'breaks off',
        answer: ({ socket }, response) => {
          response.write('{', () => socket.destroy())
        },
        says: 'it hung up',
      },
      {
        name: 'never ends',
        answer: (_, response) => void response.end('x'.repeat(MAX_BYTES + 1)),
        says: 'its answer is larger than 1 MiB',
      },
    ]
    for (const { name, answer, says } of cases) {
      const { url } = await start(t, answer)
      t.equal(await (await createAsking()).failureOf(url), says, name)
    }
  })

  t.test('nobody listens', async (t) => {
    const server = createTcpServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    t.equal(await (await createAsking()).failureOf(`http://127.0.0.1:${port}/`), 'nobody listens there')
  })

  t.test('no way in', async (t) => {
    const cases = [
      { code: 'EPERM', says: 'its network namespace may not be entered: that takes CAP_SYS_ADMIN' },
      { code: 'EACCES', says: 'its network namespace may not be opened: that takes CAP_SYS_PTRACE' },
      { code: '', says: 'no process of its pod is to be seen' },
    ]
    for (const { code, says } of cases) {
      const { failureOf, refuse } = await createAsking()
      refuse(Object.assign(new Error('no process of its pod is to be seen'), { code }))
      t.equal(await failureOf('http://127.0.0.1:15000/'), says)
    }
  })

  t.test('one that hangs, and a stop', async (t) => {
    let open = 0
    const { url } = await start(t, ({ socket }) => {
      open++
      socket.once('close', () => open--)
    })
    const { failureOf, ask, clock } = await createAsking()
    const slow = failureOf(url)
    while (open === 0) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(DEADLINE_MS)
    t.equal(await slow, 'it does not answer within 20 s')
    const abort = new AbortController()
    const stopped = ask(url, abort.signal)
    while (open === 0) await new Promise((resolve) => setImmediate(resolve))
    abort.abort(new Error('the agent stops'))
    await t.rejects(stopped, { message: 'the agent stops' })
    while (open > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})
