// The state on disk: one checkpoint, then a line per reading that decided something. Not synced to the platter but at a stop: what a dead
// process wrote is in the page cache, and a machine that dies takes the kernel table along, so the state is void anyway.
import type { Clock, Disk, Fields, Log } from '../deps.js'
import type { Batch, State, StateRows } from './state.js'
import { renderBatch, renderState } from './state.js'
import { createStateFiles, FILE, LAST_READ } from './state-files.js'
import type { Decided } from './writing.js'

export interface Journal {
  /** The state of the process before; undefined when there is none that can be used. Rejects with StateUnreadable. */
  load(): Promise<State | undefined>
  /** Makes decisions durable before anything that depends on them is served. False: they are not, and will be tried again. */
  write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean>
  checkpoint(rows: StateRows, options?: { readonly sync?: boolean; readonly moves?: boolean }): Promise<boolean>
  /** What was read of the kernel, before the decisions on it are written. Nothing stands where it cannot be. */
  keep(lastRead: readonly Uint8Array[]): Promise<void>
  readonly writable: boolean
}

/** A journal is written anew when it has grown beyond its checkpoint by this much, or to twice its size. */
const MIN_GROWTH_BYTES = 1 << 20

export function createJournal({ clock, disk, log }: { clock: Pick<Clock, 'sleep'>; disk: Disk; log: Log }): Journal {
  const files = createStateFiles({ clock, disk, log })
  let isWritable = true
  let checkpointBytes = 0
  let grownBytes = 0
  let isFirst = true

  function refused(error: unknown): void {
    if (isWritable)
      log.error('state cannot be written: counting goes on, but a restart may serve totals that start over', {
        file: FILE,
        ...wordsOf(error),
      })
    isWritable = false
  }

  async function checkpoint(rows: StateRows, { sync = false, moves = false } = {}): Promise<boolean> {
    try {
      checkpointBytes = 0
      await files.clear()
      // The first one says that the state before it, perhaps a complete one, no longer is: that must not be forgotten by a power cut.
      await disk.replace(FILE, measured(rows), { sync: sync || isFirst })
      grownBytes = 0
      isFirst = false
      await files.tidy()
    } catch (error) {
      await files.fallBehind(moves)
      refused(error)
      return false
    }
    if (!isWritable) log.info('state can be written again', { file: FILE })
    isWritable = true
    return true
  }

  function* measured(rows: StateRows): Generator<string> {
    for (const line of renderState(rows)) {
      checkpointBytes += line.length
      yield line
    }
  }

  /** False: whatever is wrong with the file, a new one may do. */
  async function append(batch: Batch): Promise<boolean> {
    const line = renderBatch(batch)
    try {
      await disk.append(FILE, line)
    } catch (error) {
      log.debug('state cannot be added to', { file: FILE, ...wordsOf(error) })
      return false
    }
    grownBytes += line.length
    return true
  }

  async function keep(lastRead: readonly Uint8Array[]): Promise<void> {
    if (lastRead.length === 0) return
    try {
      await disk.replace(LAST_READ, lastRead)
    } catch (error) {
      log.debug('what was read cannot be written', { file: LAST_READ, ...wordsOf(error) })
      // An older one would take back what was served since.
      await disk.remove(LAST_READ).catch(() => undefined)
    }
  }

  async function write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean> {
    const isGrown = grownBytes > Math.max(MIN_GROWTH_BYTES, checkpointBytes)
    if (isWritable && !isGrown && decided.kind === 'nothing') return true
    const { moves = false } = decided
    if (isWritable && !isGrown && decided.kind === 'batch' && (await append(decided.batch))) return true
    return checkpoint(await rows(), { moves })
  }

  return {
    load: files.load,
    write,
    checkpoint,
    keep,
    get writable() {
      return isWritable
    },
  }
}

const wordsOf = (error: unknown): Fields =>
  error instanceof Error ? { error: error.message, code: (error as { readonly code?: string }).code } : { error: String(error) }
