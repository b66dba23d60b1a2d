import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { encodeMessage } from '../../src/kernel/message.js'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { inNamespace } from './in-namespace.js'

const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000
/** All devices: longer than 100 bytes already for the loopback alone. */
const listLinks = encodeMessage({ type: 18, flags: 0x301, body: Buffer.alloc(16) }, 7)

function openSockets(): string[] {
  const descriptors = readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fdinfo/${fd}`))
  return descriptors.filter((fd) => readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:'))
}

await inNamespace(t, import.meta.filename, () => {
  t.test('receiving does not wait', async (t) => {
    const socket = (await loadNetlink())('route')
    t.equal(socket.receive(Buffer.alloc(100)), 0)
    socket.close()
  })

  t.test('an answer is there when sending returns, and one too long for the buffer is not taken for whole', async (t) => {
    const socket = (await loadNetlink())('route')
    socket.send(listLinks)
    t.throws(() => socket.receive(Buffer.alloc(100)), { code: 'EMSGSIZE', message: /a message of \d+ bytes was cut/ })
    const buffer = Buffer.alloc(65536)
    socket.send(listLinks)
    while (socket.receive(buffer) > 0) t.equal(buffer.readUInt32LE(8), 7, 'an answer to our question')
    socket.close()
  })

  t.test('what the kernel refuses says what was attempted', async (t) => {
    const open = await loadNetlink()
    t.throws(() => open('route', [1000]), { code: 'EINVAL', message: /join netlink group 1000/ })
    const socket = open('netfilter')
    socket.close()
    t.throws(() => socket.send(listLinks), { code: 'EBADF', message: /send to the kernel/ })
    t.throws(() => socket.receive(Buffer.alloc(10)), { code: 'EBADF', message: /receive from the kernel/ })
  })

  t.test('words sent to a group arrive', async (t) => {
    const socket = (await loadNetlink())('route', [1])
    execFileSync('ip', 'link add left type veth peer name right'.split(' '))
    t.ok(socket.receive(Buffer.alloc(65536)) > 0)
    socket.close()
  })

  t.test('the socket neither waits nor is passed on to children', async (t) => {
    const open = await loadNetlink()
    const before = openSockets()
    const socket = open('netfilter')
    const fd = openSockets().find((name) => !before.includes(name))
    const flags = Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8)
    t.equal(flags & O_NONBLOCK, O_NONBLOCK)
    t.equal(flags & O_CLOEXEC, O_CLOEXEC)
    socket.close()
    t.same(openSockets(), before, 'closed')
  })

  t.test('a refused group leaves no socket behind', async (t) => {
    const open = await loadNetlink()
    const before = openSockets()
    t.throws(() => open('route', [1000]))
    t.same(openSockets(), before)
  })
})
