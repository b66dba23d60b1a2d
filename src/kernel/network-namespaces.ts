// Connections to what listens on the loopback of another network namespace, such as a pod's (setns(2)). A socket stays in the one that it was
// made in, so the thread is there for two calls, in one synchronous stretch: nothing else of the agent runs meanwhile, and no thread begins.
import type { Log } from '../deps.js'
import { EINPROGRESS, KernelError } from './errors.js'
import { type Libc, loadLibc } from './libc.js'

const O_CLOEXEC = 0x80000
const CLONE_NEWNET = 0x40000000
const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000
const OWN = '/proc/self/ns/net'

export interface Loopback {
  readonly family: 'ipv4' | 'ipv6'
  readonly port: number
}

export interface NetworkNamespace {
  /** The descriptor of a socket that does not block; it may still be connecting. Throws KernelError. */
  connect(to: Loopback): number
  close(): void
}

/** `path`: of the namespace, as /proc/PID/ns/net. Throws KernelError. */
export type OpenNetworkNamespace = (path: string) => NetworkNamespace

/** Needs CAP_SYS_ADMIN to enter, and CAP_SYS_PTRACE to open one that is another user's. */
export async function loadNetworkNamespaces(deps: { readonly log: Log }): Promise<OpenNetworkNamespace> {
  return createNetworkNamespaces(await loadLibc(), deps)
}

/** From the namespace that this is called in, which all that is not `connect` goes on in. */
export function createNetworkNamespaces(libc: Libc, { log }: { readonly log: Log }): OpenNetworkNamespace {
  const home = open(OWN, 'open the network namespace of this process')

  function open(path: string, attempt: string): number {
    const fd = libc.open(path, O_CLOEXEC)
    if (fd < 0) throw new KernelError(attempt, libc.errno())
    return fd
  }

  /** Who cannot come back would count, and answer, in the wrong place. */
  function goHome(): void {
    if (libc.setns(home, CLONE_NEWNET) >= 0) return
    const { message } = new KernelError('come back from the network namespace of a pod', libc.errno())
    try {
      log.error('the process ends, since it is in the wrong network namespace', { error: message })
    } finally {
      libc.abort()
    }
  }

  function connectIn(namespace: number, to: Loopback): number {
    if (libc.setns(namespace, CLONE_NEWNET) < 0) throw new KernelError('enter a network namespace', libc.errno())
    try {
      return connect(libc, to)
    } finally {
      goHome()
    }
  }

  return (path) => {
    const fd = open(path, 'open a network namespace')
    return { connect: (to) => connectIn(fd, to), close: () => void libc.close(fd) }
  }
}

function connect(libc: Libc, to: Loopback): number {
  const fd = libc.socket(to.family === 'ipv4' ? AF_INET : AF_INET6, SOCK_STREAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) throw new KernelError('open a socket', libc.errno())
  const address = loopbackAddress(to)
  if (libc.connect(fd, address, address.length) >= 0) return fd
  const errno = libc.errno()
  if (errno === EINPROGRESS) return fd
  libc.close(fd)
  throw new KernelError('connect to the loopback', errno)
}

/** sockaddr_in of 127.0.0.1, or sockaddr_in6 of ::1. */
function loopbackAddress({ family, port }: Loopback): Buffer {
  const isIpv4 = family === 'ipv4'
  const address = Buffer.alloc(isIpv4 ? 16 : 28)
  address.writeUInt16LE(isIpv4 ? AF_INET : AF_INET6, 0)
  address.writeUInt16BE(port, 2)
  if (isIpv4) address.set([127, 0, 0, 1], 4)
  else address[23] = 1
  return address
}
