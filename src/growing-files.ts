// Files that others write to, on the disk.
import { open, readdir, stat } from 'node:fs/promises'
import type { GrowingFile, GrowingFiles } from './deps.js'

const NOT_THERE = ['ENOENT', 'ENOTDIR']

export const growingFiles: GrowingFiles = {
  list: async (folder) => (await there(readdir(folder))) ?? [],
  async idOf(path) {
    const found = await there(stat(path, { bigint: true }))
    return found && idOf(found)
  },
  open: openFile,
}

async function openFile(path: string): Promise<GrowingFile | undefined> {
  const handle = await there(open(path, 'r'))
  if (!handle) return undefined
  const id = idOf(await handle.stat({ bigint: true }))
  return {
    id,
    size: async () => (await handle.stat()).size,
    read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
    close: () => handle.close(),
  }
}

const idOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`

async function there<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (NOT_THERE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
