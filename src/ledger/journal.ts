// The state file on disk: one checkpoint, then a line per reading that decided something. Not synced to the platter but at a stop:
// what a dead process wrote is in the page cache, and a machine that dies takes the kernel table along, so the state is void anyway.
import type { Disk, Fields, Log } from '../deps.js'
import type { Decided } from './ledger.js'
import type { State, StateRows } from './state.js'
import { parseState, renderBatch, renderState, VERSION } from './state.js'

export interface Journal {
  /** The state of the process before; undefined when there is none that can be used. */
  load(): Promise<State | undefined>
  /** Makes decisions durable before anything that depends on them is served. False: they are not, and will be tried again. */
  write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean>
  checkpoint(rows: StateRows, options?: { readonly sync: boolean }): Promise<boolean>
  readonly writable: boolean
}

const FILE = 'ledger.journal'
/** Where a file goes that cannot be used, in the place of the one before. */
const ASIDE = 'ledger.journal.unusable'
/** A journal is written anew when it has grown beyond its checkpoint by this much, or to twice its size. */
const MIN_GROWTH_BYTES = 1 << 20

export function createJournal({ disk, log }: { disk: Disk; log: Log }): Journal {
  let isWritable = true
  let checkpointBytes = 0
  let grownBytes = 0
  let isFirst = true
  let isUnusable = false

  async function load(): Promise<State | undefined> {
    const file = await disk.read(FILE).catch((error: unknown) => {
      log.warn('state cannot be read', { file: FILE, ...wordsOf(error) })
      isUnusable = true
      return undefined
    })
    if (!file) return undefined
    const { state, tornBytes, version } = parseState(file)
    const isForeign = version !== 0 && version !== VERSION
    if (!state) {
      log.warn(`state is not usable: ${isForeign ? 'written by another version' : 'damaged'}`, { file: FILE, version, wanted: VERSION })
      isUnusable = true
      return undefined
    }
    if (tornBytes > 0) log.info('state ends in a torn line, cut off', { file: FILE, bytes: tornBytes })
    return state
  }

  /** For whoever wants to know what it held, and only once we may write: the table is ours by then. Where it cannot be kept, it is written over. */
  async function setAside(): Promise<void> {
    isUnusable = false
    await disk.rename(FILE, ASIDE).then(
      () => log.info('the state that cannot be used is kept', { file: ASIDE }),
      () => undefined,
    )
  }

  async function attempt(write: () => Promise<void>): Promise<boolean> {
    try {
      await write()
      if (!isWritable) log.info('state can be written again', { file: FILE })
      isWritable = true
    } catch (error) {
      if (isWritable)
        log.error('state cannot be written: counting goes on, but a restart may serve totals that start over', {
          file: FILE,
          ...wordsOf(error),
        })
      isWritable = false
    }
    return isWritable
  }

  function checkpoint(rows: StateRows, options = { sync: false }): Promise<boolean> {
    return attempt(async () => {
      checkpointBytes = 0
      if (isUnusable) await setAside()
      // The first one says that the state before it, perhaps a complete one, no longer is: that must not be forgotten by a power cut.
      await disk.replace(FILE, measured(rows), { sync: options.sync || isFirst })
      grownBytes = 0
      isFirst = false
    })
  }

  function* measured(rows: StateRows): Generator<string> {
    for (const line of renderState(rows)) {
      checkpointBytes += line.length
      yield line
    }
  }

  async function write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean> {
    const isGrown = grownBytes > Math.max(MIN_GROWTH_BYTES, checkpointBytes)
    if (!isWritable || isGrown || decided.kind === 'checkpoint') return checkpoint(await rows())
    if (decided.kind === 'nothing') return true
    return attempt(async () => {
      const line = renderBatch(decided.batch)
      await disk.append(FILE, line)
      grownBytes += line.length
    })
  }

  return {
    load,
    write,
    checkpoint,
    get writable() {
      return isWritable
    },
  }
}

const wordsOf = (error: unknown): Fields =>
  error instanceof Error ? { error: error.message, code: (error as { readonly code?: string }).code } : { error: String(error) }
