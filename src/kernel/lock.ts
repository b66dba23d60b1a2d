// Locks that die with whoever holds them. Of a table: an abstract unix socket (unix(7)), since its name belongs to the network namespace, as
// does the table. Of a file: flock(2), across namespaces.
import type { LockFile } from '../deps.js'
import { EADDRINUSE, EAGAIN, KernelError } from './errors.js'
import { type Libc, loadLibc } from './libc.js'

const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000
const LOCK_EX_NB = 2 | 4

export interface Lock {
  release(): void
}

/** Undefined when another process holds it. */
export type TakeLock = (name: string) => Lock | undefined

export async function loadLock(): Promise<TakeLock> {
  const libc = await loadLibc()
  return (name) => takeLock(libc, name)
}

/** Where files cannot be locked, as on some network file systems, nobody is found to have it. */
export async function loadLockFile(): Promise<LockFile> {
  const libc = await loadLibc()
  return (fd) => libc.flock(fd, LOCK_EX_NB) >= 0 || libc.errno() !== EAGAIN
}

function takeLock(libc: Libc, name: string): Lock | undefined {
  const attempt = `take the lock @meshtoll/${name}`
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
  if (fd < 0) throw new KernelError(attempt, libc.errno())
  const address = Buffer.from(`\0\0\0meshtoll/${name}`)
  address.writeUInt16LE(AF_UNIX, 0)
  if (libc.bind(fd, address, address.length) >= 0) return { release: () => void libc.close(fd) }
  const errno = libc.errno()
  libc.close(fd)
  if (errno === EADDRINUSE) return undefined
  throw new KernelError(attempt, errno)
}
