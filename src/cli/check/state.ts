// Whether the state directory can be written: by writing a file, and removing whatever that made.
import { rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeFolder } from '../../disk.js'

export interface StateFacts {
  readonly folder: string
  /** The directory is there already. */
  readonly exists: boolean
  /** Error code and message of what went wrong. */
  readonly refused?: { readonly code: string; readonly message: string }
}

export async function probeState(folder: string, name: string): Promise<StateFacts> {
  const path = resolve(folder)
  let made: string | undefined
  try {
    made = await makeFolder(path)
    const file = join(path, `.check-${name}`)
    try {
      await writeFile(file, 'written by meshtoll check\n', { flag: 'wx' })
    } finally {
      await rm(file, { force: true })
    }
    return { folder, exists: made === undefined }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { folder, exists: made === undefined, refused: { code, message } }
  } finally {
    if (made !== undefined) await removeEmpty(path, made)
  }
}

/** From the innermost folder to the first that was made here. */
async function removeEmpty(innermost: string, first: string): Promise<void> {
  await rmdir(innermost)
  if (innermost !== first) await removeEmpty(dirname(innermost), first)
}
