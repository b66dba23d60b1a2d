// What is read outside of the state directory.
import { readdir, readFile, stat } from 'node:fs/promises'
import type { Deps } from './deps.js'
import { growingFiles } from './growing-files.js'

export const files: Pick<Deps, 'readFile' | 'listFolders' | 'inodeOf' | 'growingFiles'> = {
  readFile: (path, signal) => readFile(path, signal ? { encoding: 'utf8', signal } : 'utf8'),
  async listFolders(path) {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  },
  growingFiles,
  inodeOf: async (path) => String((await stat(path, { bigint: true })).ino),
}
