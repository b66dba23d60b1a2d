// The state directory. One operation at a time, in the order they were asked for, and one process at a time.
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Disk, LockFile } from './deps.js'
import { createTurns } from './turns.js'

export interface ClosingDisk extends Disk {
  close(): Promise<void>
}

/** A file that is appended to. `size`: where its last whole record ends; `isTorn`: bytes of a failed append may stand behind it. */
interface Tail {
  readonly handle: FileHandle
  size: number
  isTorn: boolean
}

const CHUNK = 1 << 16
/** Within the directory: held by the process that writes there. */
export const LOCK = 'lock'
const NOT_THERE = ['ENOENT', 'ENOTDIR']
const PRIVATE = 0o600
/** Without O_CREAT: lines that stand in no file of their own are worth nothing. */
const APPEND = constants.O_WRONLY | constants.O_APPEND

interface Trouble {
  readonly problem: string
  readonly remedy: string
}

const FORBIDDEN: Trouble = { problem: 'may not be written by this user', remedy: 'allow this user to write it, or set --state.dir' }
const NO_FOLDER: Trouble = { problem: 'is no directory', remedy: 'set --state.dir to a directory' }
const ROOM = 'make room, or set --state.dir'

const TROUBLES: Readonly<Record<string, Trouble>> = {
  EROFS: { problem: 'is read-only', remedy: 'mount a writable directory or set --state.dir' },
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  ENOSPC: { problem: 'is on a full disk', remedy: ROOM },
  EDQUOT: { problem: 'is over its quota', remedy: ROOM },
  ENOTDIR: NO_FOLDER,
  EEXIST: NO_FOLDER,
  ENOENT: { problem: 'cannot be made', remedy: 'set --state.dir' },
}

/** Why the state directory cannot be written, and what to do about it. */
export const troubleOf = ({ code, message }: { readonly code: string; readonly message: string }): Trouble =>
  TROUBLES[code] ?? { problem: `cannot be written (${message})`, remedy: 'set --state.dir' }

/** The state directory cannot be written. The message says what to do about it. */
export class DiskError extends Error {
  readonly code: string

  constructor(folder: string, error: NodeJS.ErrnoException) {
    const { code = '', message } = error
    const { problem, remedy } = troubleOf({ code, message })
    super(`${folder} ${problem}; ${remedy}`, { cause: error })
    this.name = 'DiskError'
    this.code = code
  }
}

/** Another agent keeps its state there. */
export class StateInUse extends Error {
  constructor(folder: string) {
    super(`${folder} holds the state of another meshtoll agent that runs; stop it, or give this one a --state.dir of its own`)
    this.name = 'StateInUse'
  }
}

/** The folder is made when it is claimed, or the first file is written. Writing rejects with a DiskError, or StateInUse. */
export function createDisk(folder: string, lockFile: LockFile = () => true): ClosingDisk {
  const inTurn = createTurns()
  const writing = (task: () => Promise<void>): Promise<void> =>
    inTurn(async () => {
      await hold()
      await task()
    }).catch((error: unknown) => Promise.reject(isErrno(error) ? new DiskError(folder, error) : error))
  const tails = new Map<string, Tail>()
  let held: FileHandle | undefined

  /** By a file that only its owner can open: where all can, anybody could keep the agent from starting. */
  async function hold(): Promise<void> {
    await makeFolder(folder)
    const path = join(folder, LOCK)
    if (held && (await isAt(path, held))) return
    const handle = await open(path, constants.O_RDONLY | constants.O_CREAT, PRIVATE)
    if (!lockFile(handle.fd)) {
      await handle.close()
      throw new StateInUse(folder)
    }
    await held?.close()
    held = handle
  }

  const closeTail = async (path: string): Promise<void> => {
    const last = tails.get(path)
    tails.delete(path)
    await last?.handle.close()
  }

  const tailOf = async (path: string): Promise<Tail> => {
    const known = tails.get(path)
    if (known) return known
    const handle = await open(join(folder, path), APPEND)
    const tail = { handle, size: (await handle.stat()).size, isTorn: false }
    tails.set(path, tail)
    return tail
  }

  return {
    claim: () => inTurn(hold).catch((error: unknown) => (error instanceof StateInUse ? Promise.reject(error) : undefined)),
    read: (path) => inTurn(() => readWhole(join(folder, path))),
    append: (path, data) =>
      writing(async () => {
        const opened = await tailOf(path)
        if (await isAt(join(folder, path), opened.handle)) return appendTo(opened, Buffer.from(data))
        await closeTail(path)
        throw new Error(`${join(folder, path)} was removed or replaced by somebody else`)
      }),
    replace: (path, data, { sync = false } = {}) =>
      writing(async () => {
        await replaceFile(join(folder, path), data, sync)
        // The open handle leads to the file that was replaced.
        await closeTail(path)
      }),
    remove: (path) => writing(() => rm(join(folder, path), { force: true })),
    rename: (path, to) =>
      writing(async () => {
        await rename(join(folder, path), join(folder, to))
        await closeTail(path)
      }),
    close: () =>
      inTurn(async () => {
        for (const path of [...tails.keys()]) await closeTail(path)
        await held?.close()
        held = undefined
      }),
  }
}

/**
 * The first folder that had to be made, if any. Not `mkdir`'s `recursive`: where a parent exists but takes no folders, as /proc,
 * it tries for ever (Node 20).
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  if (await isFolder(path)) return undefined
  const first = dirname(path) === path ? undefined : await makeFolder(dirname(path))
  try {
    await mkdir(path)
  } catch (error) {
    if (!(await isFolder(path))) throw error
    return first
  }
  return first ?? path
}

const isErrno = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'code' in error

const isFolder = async (path: string): Promise<boolean> =>
  await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  const [named, opened] = await Promise.all([stat(path).catch(() => undefined), handle.stat()])
  return named?.ino === opened.ino && named.dev === opened.dev
}

async function readWhole(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (NOT_THERE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** What a failed append left is cut off, now or before the next one: a record behind a torn one would be lost with it. */
async function appendTo(tail: Tail, data: Buffer): Promise<void> {
  if (tail.isTorn) await tail.handle.truncate(tail.size)
  tail.isTorn = true
  try {
    await writeAll(tail.handle, data)
  } catch (error) {
    await tail.handle.truncate(tail.size).then(
      () => {
        tail.isTorn = false
      },
      () => undefined,
    )
    throw error
  }
  tail.size += data.length
  tail.isTorn = false
}

async function writeAll(handle: FileHandle, data: Uint8Array): Promise<void> {
  let done = 0
  while (done < data.length) done += (await handle.write(data, done)).bytesWritten
}

/** The name of the file beside is always the same, so that what a crash left there is gone with the next call. */
async function replaceFile(path: string, data: Iterable<string | Uint8Array>, sync: boolean): Promise<void> {
  const beside = `${path}.tmp`
  try {
    await writeFileAt(beside, data, sync)
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw error
  }
  if (sync) await syncFolder(dirname(path))
}

async function writeFileAt(path: string, data: Iterable<string | Uint8Array>, sync: boolean): Promise<void> {
  const handle = await open(path, 'w', PRIVATE)
  try {
    for (const chunk of chunksOf(data)) await writeAll(handle, chunk)
    if (sync) await handle.sync()
  } finally {
    await handle.close()
  }
}

function* chunksOf(data: Iterable<string | Uint8Array>): Generator<Uint8Array> {
  let pending = ''
  for (const piece of data) {
    if (typeof piece === 'string') pending += piece
    if (typeof piece === 'string' && pending.length < CHUNK) continue
    yield Buffer.from(pending)
    pending = ''
    if (typeof piece !== 'string') yield piece
  }
  yield Buffer.from(pending)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
