// One non-blocking netlink socket (netlink(7)). What the kernel has to answer it queues while `send` runs.
import type { Netlink, OpenNetlink } from '../deps.js'
import { EAGAIN, EMSGSIZE, KernelError } from './errors.js'
import { type Libc, loadLibc } from './libc.js'

const AF_NETLINK = 16
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0x800 | 0x80000
const PROTOCOLS = { route: 0, netfilter: 12 } as const
const MSG_TRUNC = 0x20

const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11

const BUFFER_BYTES = 4 << 20

export async function loadNetlink(): Promise<OpenNetlink> {
  const libc = await loadLibc()
  return (protocol, groups = []) => openNetlink(libc, PROTOCOLS[protocol], groups)
}

function openNetlink(libc: Libc, protocol: number, groups: readonly number[]): Netlink {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, protocol)
  if (fd < 0) throw new KernelError('open a netlink socket', libc.errno())
  try {
    configure(libc, fd, groups)
  } catch (error) {
    libc.close(fd)
    throw error
  }
  return {
    send(message) {
      if (libc.send(fd, message, message.length, 0) < 0) throw new KernelError('send to the kernel', libc.errno())
    },
    receive(buffer) {
      // With MSG_TRUNC the result is the datagram's own length, also where the buffer was too small for it.
      const length = libc.receive(fd, buffer, buffer.length, MSG_TRUNC)
      if (length > buffer.length) throw new KernelError('receive from the kernel', EMSGSIZE, `a message of ${length} bytes was cut`)
      if (length >= 0) return length
      const errno = libc.errno()
      if (errno === EAGAIN) return 0
      throw new KernelError('receive from the kernel', errno)
    },
    close() {
      libc.close(fd)
    },
  }
}

function configure(libc: Libc, fd: number, groups: readonly number[]): void {
  const set = (level: number, name: number, value: number): boolean => libc.setOption(fd, level, name, int32(value), 4) >= 0
  // The forced sizes need CAP_NET_ADMIN; without it the kernel caps the plain ones at net.core.{r,w}mem_max.
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)) set(SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES)
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)) set(SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES)
  set(SOL_NETLINK, NETLINK_EXT_ACK, 1)
  set(SOL_NETLINK, NETLINK_CAP_ACK, 1)
  const address = Buffer.alloc(12)
  address.writeUInt16LE(AF_NETLINK, 0)
  if (libc.bind(fd, address, address.length) < 0) throw new KernelError('bind a netlink socket', libc.errno())
  for (const group of groups) {
    if (!set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)) throw new KernelError(`join netlink group ${group}`, libc.errno())
  }
}

function int32(value: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeInt32LE(value)
  return data
}
