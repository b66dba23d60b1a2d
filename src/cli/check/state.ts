// Whether the state directory can be written: by writing a file, and removing whatever that made.
import { readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LOCK, makeFolder } from '../../disk.js'

export interface StateFacts {
  readonly folder: string
  /** The directory is there already. */
  readonly exists: boolean
  /** An agent that runs keeps its state there. */
  readonly isHeld: boolean
  /** Error code and message of what went wrong. */
  readonly refused?: { readonly code: string; readonly message: string }
}

export async function probeState(folder: string, name: string): Promise<StateFacts> {
  const path = resolve(folder)
  const isHeld = await isLocked(join(path, LOCK))
  let made: string | undefined
  try {
    made = await makeFolder(path)
    const file = join(path, `.check-${name}`)
    try {
      await writeFile(file, 'written by meshtoll check\n', { flag: 'wx' })
    } finally {
      await rm(file, { force: true })
    }
    return { folder, exists: made === undefined, isHeld }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { folder, exists: made === undefined, isHeld, refused: { code, message } }
  } finally {
    if (made !== undefined) await removeEmpty(path, made)
  }
}

/** /proc/locks names files by device and inode (lock_get_status in fs/locks.c): `1: FLOCK  ADVISORY  WRITE 612 00:19:1043 0 EOF`. */
async function isLocked(path: string): Promise<boolean> {
  try {
    const [{ ino }, locks] = await Promise.all([stat(path), readFile('/proc/locks', 'utf8')])
    return locks.split('\n').some((line) => line.includes(' FLOCK ') && line.includes(`:${ino} `))
  } catch {
    return false
  }
}

/** From the innermost folder to the first that was made here. */
async function removeEmpty(innermost: string, first: string): Promise<void> {
  await rmdir(innermost)
  if (innermost !== first) await removeEmpty(dirname(innermost), first)
}
