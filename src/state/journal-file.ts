// A state on disk: one checkpoint, then lines that add to it. Not synced to the platter but at a stop: what a dead process wrote is in the
// page cache.
import type { Clock, Disk, Fields, Log } from '../deps.js'
import { createStateFiles, type StateFormat } from './state-files.js'

export interface JournalFile<State> {
  /** The state of the process before; undefined when there is none that can be used. Rejects with StateUnreadable. */
  load(): Promise<State | undefined>
  /** False: whatever is wrong with the file, a new one may do. */
  append(line: string): Promise<boolean>
  /** `moves`: nobody may go on from what could not be written over. False when it could not. */
  checkpoint(lines: Iterable<string>, options?: { readonly sync?: boolean; readonly moves?: boolean }): Promise<boolean>
  readonly writable: boolean
  /** A checkpoint is what is to be written next. */
  readonly isWorn: boolean
}

export interface JournalFileDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly disk: Disk
  readonly log: Log
}

/** A journal is written anew when it has grown beyond its checkpoint by this much, or to twice its size. */
const MIN_GROWTH_BYTES = 1 << 20

export function createJournalFile<State>(format: StateFormat<State>, { clock, disk, log }: JournalFileDeps): JournalFile<State> {
  const { file, otherwise = 'counting goes on, but a restart may serve totals that start over' } = format
  const files = createStateFiles(format, { clock, disk, log })
  let isWritable = true
  let checkpointBytes = 0
  let grownBytes = 0
  let isFirst = true

  function refused(error: unknown): void {
    if (isWritable) log.error(`state cannot be written: ${otherwise}`, { file, ...wordsOf(error) })
    isWritable = false
  }

  function* measured(lines: Iterable<string>): Generator<string> {
    for (const line of lines) {
      checkpointBytes += line.length
      yield line
    }
  }

  return {
    load: files.load,
    async append(line) {
      try {
        await disk.append(file, line)
      } catch (error) {
        log.debug('state cannot be added to', { file, ...wordsOf(error) })
        return false
      }
      grownBytes += line.length
      return true
    },
    async checkpoint(lines, { sync = false, moves = false } = {}) {
      try {
        checkpointBytes = 0
        await files.clear()
        // The first one says that the state before it, perhaps a complete one, no longer is: that must not be forgotten by a power cut.
        await disk.replace(file, measured(lines), { sync: sync || isFirst })
        grownBytes = 0
        isFirst = false
        await files.tidy()
      } catch (error) {
        await files.fallBehind(moves)
        refused(error)
        return false
      }
      if (!isWritable) log.info('state can be written again', { file })
      isWritable = true
      return true
    },
    get writable() {
      return isWritable
    },
    get isWorn() {
      return !isWritable || grownBytes > Math.max(MIN_GROWTH_BYTES, checkpointBytes)
    },
  }
}

export const wordsOf = (error: unknown): Fields =>
  error instanceof Error ? { error: error.message, code: (error as { readonly code?: string }).code } : { error: String(error) }
