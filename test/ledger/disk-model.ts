// A disk in memory that can fail, be full, lose power in the middle of a line, and be damaged.
import type { Disk } from '../../src/deps.js'

export type DiskMode = 'works' | 'full' | 'full in the middle of a write' | 'read-only'

export interface ModelDisk extends Disk {
  mode: DiskMode
  /** The next write stops behind this many bytes, and the agent with it. */
  tearNextAt(bytes: number): void
  /** Whether the write that stopped had written everything. */
  readonly tornWrite: 'none' | 'torn' | 'whole'
  /** Another process: nothing is to be torn. */
  heal(): void
  readonly files: Map<string, Buffer>
  /** What was written since the last damage is not all of the file. */
  readonly isDamaged: boolean
  /** All files. */
  lose(): void
  /** Changes one byte of the whole lines; the line break at their end stays, since without it the last one is a torn one. */
  garble(at: number): void
}

const ERRORS = {
  full: 'ENOSPC: no space left on device, write',
  'full in the middle of a write': 'ENOSPC: no space left on device, write',
  'read-only': 'EROFS: read-only file system, open',
}

export function createModelDisk(): ModelDisk {
  const files = new Map<string, Buffer>()
  let mode: DiskMode = 'works'
  let tearAt: number | undefined
  let tornWrite: ModelDisk['tornWrite'] = 'none'
  let isDamaged = false

  /** How many bytes of a write arrive. */
  function roomFor(length: number): number {
    if (tornWrite !== 'none') throw new Error('the process is dead')
    if (mode === 'full' || mode === 'read-only') return 0
    if (mode === 'full in the middle of a write') return Math.floor(length / 2)
    if (tearAt === undefined) return length
    tornWrite = tearAt >= length ? 'whole' : 'torn'
    const room = Math.min(tearAt, length)
    tearAt = undefined
    return room
  }

  function settle(): void {
    if (mode !== 'works') throw new Error(ERRORS[mode])
    if (tornWrite !== 'none') throw new Error('the process is dead')
  }

  /** Names take no room. */
  function mayChange(): void {
    if (mode === 'read-only') throw new Error(ERRORS[mode])
    if (tornWrite !== 'none') throw new Error('the process is dead')
  }

  return {
    get mode() {
      return mode
    },
    set mode(next) {
      mode = next
    },
    tearNextAt(bytes) {
      tearAt = bytes
      tornWrite = 'none'
    },
    heal() {
      tearAt = undefined
      tornWrite = 'none'
    },
    get tornWrite() {
      return tornWrite
    },
    files,
    get isDamaged() {
      return isDamaged
    },
    claim: () => Promise.resolve(),
    async read(path) {
      return files.get(path)
    },
    async append(path, data) {
      const file = files.get(path)
      if (!file) throw new Error(`${path} was removed by somebody else`)
      const bytes = Buffer.from(data)
      const room = roomFor(bytes.length)
      files.set(path, Buffer.concat([file, bytes.subarray(0, room)]))
      settle()
    },
    async replace(path, data) {
      const bytes = Buffer.concat([...data].map((piece) => Buffer.from(piece)))
      if (roomFor(bytes.length) === bytes.length) {
        files.set(path, bytes)
        isDamaged &&= path !== 'ledger.journal'
      }
      settle()
    },
    async remove(path) {
      mayChange()
      files.delete(path)
    },
    async rename(path, to) {
      mayChange()
      const file = files.get(path)
      if (!file) throw new Error(`ENOENT: there is no ${path}`)
      files.delete(path)
      files.set(to, file)
    },
    lose() {
      isDamaged = files.size > 0
      files.clear()
    },
    garble(at) {
      for (const [path, file] of files) {
        const end = file.lastIndexOf('\n')
        if (end < 1) continue
        const changed = Buffer.from(file)
        const place = at % end
        // Twice at the same place it is damaged still.
        changed[place] = (changed[place] ?? 0) + 0x15
        files.set(path, changed)
        isDamaged = true
      }
    },
  }
}
