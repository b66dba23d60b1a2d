// What the kernel refused, in its own words.
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** EWOULDBLOCK and ENOTSUP are second names of EAGAIN and EOPNOTSUPP on Linux. */
const SECOND_NAMES = ['EWOULDBLOCK', 'ENOTSUP']
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => !SECOND_NAMES.includes(name))
    .map(([name, errno]) => [errno, name]),
)

export class KernelError extends Error {
  readonly errno: number
  readonly code: string

  /** `attempt`: what was asked for, as in "open a netlink socket"; `detail`: what the kernel said beside the number. */
  constructor(attempt: string, errno: number, detail = '') {
    const code = NAMES.get(errno) ?? `errno ${errno}`
    const meaning = getSystemErrorMap().get(-errno)?.[1]
    super(`could not ${attempt}: ${[code, meaning, detail].filter(Boolean).join(', ')}`)
    this.name = 'KernelError'
    this.errno = errno
    this.code = code
  }
}

/** Errno numbers are the same on x64 and arm64 (asm-generic/errno.h). */
export const ENOENT = constants.errno.ENOENT
export const EINTR = constants.errno.EINTR
export const EAGAIN = constants.errno.EAGAIN
export const EADDRINUSE = constants.errno.EADDRINUSE
export const EMSGSIZE = constants.errno.EMSGSIZE
export const EINPROGRESS = constants.errno.EINPROGRESS
export const ENOBUFS = constants.errno.ENOBUFS
