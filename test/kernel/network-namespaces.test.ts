import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, type Socket, Socket as TcpSocket } from 'node:net'
import t, { type Test } from 'tap'
import { type Libc, loadLibc } from '../../src/kernel/libc.js'
import { createNetworkNamespaces, loadNetworkNamespaces } from '../../src/kernel/network-namespaces.js'
import { createKeptLog } from '../kube/kept-log.js'
import { inNamespace } from './in-namespace.js'

const PORT = 15000
const EPERM = 1
const greeter = (words: string, host: string): string =>
  `require('node:net').createServer((it) => it.on('error', () => undefined).end('${words}')).listen(${PORT}, '${host}', () => console.log('listens'))`

/** Another network namespace, with somebody who listens on its loopback. */
async function startPod(t: Test, host = '127.0.0.1', user: readonly string[] = []) {
  const child = spawn(
    'unshare',
    ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...user, process.execPath, '-e', greeter('pod', host)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return { path: `/proc/${child.pid}/ns/net`, child }
}

async function saidBy(socket: Socket): Promise<string> {
  let said = ''
  for await (const piece of socket) said += piece
  return said
}

const hasAllUsers = (): boolean => Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2]) > 1_337
const own = (): string => readlinkSync('/proc/thread-self/ns/net')
const descriptors = (): number => readdirSync('/proc/self/fd').length

await inNamespace(t, import.meta.filename, () => {
  t.test('a connection to the loopback of a pod, and back', async (t) => {
    const here = createServer((socket) => socket.end('here')).listen(PORT, '127.0.0.1')
    t.teardown(() => here.close())
    spawnSync('ip', ['link', 'set', 'lo', 'up'])
    const open = await loadNetworkNamespaces({ log: createKeptLog() })
    const before = own()
    for (const family of ['ipv4', 'ipv6'] as const) {
      const { path } = await startPod(t, family === 'ipv4' ? '127.0.0.1' : '::1')
      const pod = open(path)
      const fd = pod.connect({ family, port: PORT })
      t.equal(own(), before, 'this thread is where it was')
      t.equal(await saidBy(new TcpSocket({ fd })), 'pod', family)
      pod.close()
    }
    const home = open('/proc/self/ns/net')
    t.equal(await saidBy(new TcpSocket({ fd: home.connect({ family: 'ipv4', port: PORT }) })), 'here', 'a pod on the network of its node')
    home.close()
  })

  t.test('what is refused, and nothing is left open', async (t) => {
    const open = await loadNetworkNamespaces({ log: createKeptLog() })
    const { path } = await startPod(t)
    const before = own()
    const opened = descriptors()
    t.throws(() => open('/proc/999999999/ns/net'), { code: 'ENOENT', message: /open a network namespace/ })
    const wrong = open('/proc/self/ns/uts')
    t.throws(() => wrong.connect({ family: 'ipv4', port: PORT }), { code: 'EINVAL', message: /enter a network namespace/ })
    wrong.close()
    const pod = open(path)
    await t.rejects(saidBy(new TcpSocket({ fd: pod.connect({ family: 'ipv4', port: 1 }) })), { code: 'ECONNREFUSED' }, 'as others, later')
    pod.close()
    t.equal(own(), before)
    t.equal(descriptors(), opened)
  })

  const program = (libc: string): string => `
    const { loadLibc } = await import('${import.meta.resolve('../../src/kernel/libc.js')}')
    const { createNetworkNamespaces } = await import('${import.meta.resolve('../../src/kernel/network-namespaces.js')}')
    const libc = await loadLibc()
    const log = { error: (message, { error }) => console.log(message + ': ' + error) }
    const attempt = (action) => { try { return action() } catch ({ code, message }) { console.log(code + ' ' + message) } }
    const open = createNetworkNamespaces({ ...libc, ...(${libc}) }, { log })
    const pod = attempt(() => open(process.argv[1]))
    attempt(() => pod?.connect({ family: 'ipv4', port: ${PORT} }))
    console.log('went on')`
  const run = (libc: string, path: string, capabilities = '+sys_admin,+sys_ptrace') => {
    const setpriv = [`--bounding-set=-all,${capabilities}`, `--inh-caps=-all,${capabilities}`]
    const node = [process.execPath, ...process.execArgv, '--input-type=module', '-e', program(libc), path]
    const { stdout, stderr, signal, status } = spawnSync('setpriv', [...setpriv, ...node], { encoding: 'utf8' })
    return { said: stdout.trim().split('\n'), signal, status, stderr }
  }

  t.test('whoever cannot come back ends at once', async (t) => {
    const { path } = await startPod(t)
    const lost = '{ calls: 0, setns(fd, type) { return this.calls++ === 0 ? libc.setns(fd, type) : libc.setns(-1, type) } }'
    t.match(run(lost, path), {
      said: [
        'the process ends, since it is in the wrong network namespace: could not come back from the network namespace of a pod: EBADF, bad file descriptor',
      ],
      signal: 'SIGABRT',
    })
  })

  t.test('killed in between: nothing of it stays in the pod', async (t) => {
    const { path, child } = await startPod(t)
    const killed = `{ connect: (...given) => { libc.connect(...given); process.kill(process.pid, 'SIGKILL') } }`
    t.match(run(killed, path), { said: [''], signal: 'SIGKILL' })
    const { stdout } = spawnSync('nsenter', [`--net=${path}`, 'ss', '-tnH', 'state', 'established'], { encoding: 'utf8' })
    t.equal(stdout, '')
    t.equal(child.exitCode, null)
  })

  t.test('without the capabilities', async (t) => {
    const { path } = await startPod(t)
    t.match(run('{}', path, '+sys_ptrace').said, ['EPERM could not enter a network namespace: EPERM, operation not permitted', 'went on'])
  })

  const skip = hasAllUsers() ? false : 'there is no other user'
  t.test("what another user's process is in takes CAP_SYS_PTRACE", { skip }, async (t) => {
    const { path } = await startPod(t, '127.0.0.1', ['setpriv', '--reuid=1337', '--regid=1337', '--clear-groups'])
    t.match(run('{}', path, '+sys_admin').said, ['EACCES could not open a network namespace: EACCES, permission denied', 'went on'])
    t.same(run('{}', path).said, ['went on'])
  })
})

t.test('however it goes wrong, it goes home first', async (t) => {
  const real = await loadLibc()
  const cases = [
    { name: 'all is well', fails: '', calls: ['setns 7', 'socket', 'connect', 'setns 3'] },
    { name: 'not let in', fails: 'setns 7', calls: ['setns 7'] },
    { name: 'no socket', fails: 'socket', calls: ['setns 7', 'socket', 'setns 3'] },
    { name: 'no connection', fails: 'connect', calls: ['setns 7', 'socket', 'connect', 'close', 'setns 3'] },
    { name: 'no way back', fails: 'setns 3', calls: ['setns 7', 'socket', 'connect', 'setns 3', 'abort'] },
  ]
  for (const { name, fails, calls } of cases) {
    const made: string[] = []
    const call = (what: string, answer: number): number => {
      made.push(what)
      return what === fails ? -1 : answer
    }
    let opened = 0
    const libc: Libc = {
      ...real,
      open: () => [3, 7][opened++] ?? -1,
      setns: (fd) => call(`setns ${fd}`, 0),
      socket: () => call('socket', 9),
      connect: () => call('connect', 0),
      close: () => call('close', 0),
      abort: () => void call('abort', 0),
      errno: () => EPERM,
    }
    const pod = createNetworkNamespaces(libc, { log: createKeptLog() })('/proc/1/ns/net')
    const connecting = (): number => pod.connect({ family: 'ipv4', port: PORT })
    if (fails === '' || calls.includes('abort')) t.equal(connecting(), 9, name)
    else t.throws(connecting, { code: 'EPERM' }, name)
    t.same(made, calls, name)
  }
})
