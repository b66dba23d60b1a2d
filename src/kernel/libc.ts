// The only file that knows koffi. Synchronous calls on the main thread only: an asynchronous receive would hold a libuv thread,
// and koffi crashes the process when it is loaded in worker threads.
import { EINTR } from './errors.js'

/** System calls as libc has them; a negative result means `errno()`. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  send(fd: number, data: Uint8Array, length: number, flags: number): number
  receive(fd: number, buffer: Uint8Array, length: number, flags: number): number
  setOption(fd: number, level: number, name: number, value: Uint8Array, length: number): number
  flock(fd: number, operation: number): number
  open(path: string, flags: number): number
  connect(fd: number, address: Uint8Array, length: number): number
  setns(fd: number, type: number): number
  close(fd: number): number
  /** Ends the process at once, by SIGABRT. */
  abort(): void
  errno(): number
}

export async function loadLibc(): Promise<Libc> {
  const koffi = await import('koffi')
  const library = koffi.load(null)
  const send = library.func('int64_t send(int, const uint8_t *, size_t, int)')
  const receive = library.func('int64_t recv(int, uint8_t *, size_t, int)')
  const again = (call: () => number): number => {
    let result = call()
    while (result < 0 && koffi.errno() === EINTR) result = call()
    return result
  }
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const uint8_t *, uint32_t)'),
    send: (fd, data, length, flags) => again(() => send(fd, data, length, flags)),
    receive: (fd, buffer, length, flags) => again(() => receive(fd, buffer, length, flags)),
    setOption: library.func('int setsockopt(int, int, int, const uint8_t *, uint32_t)'),
    flock: library.func('int flock(int, int)'),
    open: library.func('int open(const char *, int)'),
    connect: library.func('int connect(int, const uint8_t *, uint32_t)'),
    setns: library.func('int setns(int, int)'),
    close: library.func('int close(int)'),
    abort: library.func('void abort()'),
    errno: () => koffi.errno(),
  }
}
