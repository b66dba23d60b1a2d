// The state file on disk: one checkpoint, then a line per reading that decided something. Not synced to the platter but at a stop:
// what a dead process wrote is in the page cache, and a machine that dies takes the kernel table along, so the state is void anyway.
import type { Clock, Disk, Fields, Log } from '../deps.js'
import type { Decided } from './ledger.js'
import type { State, StateRows } from './state.js'
import { parseState, renderBatch, renderState, VERSION } from './state.js'

export interface Journal {
  /** The state of the process before; undefined when there is none that can be used. Rejects with StateUnreadable. */
  load(): Promise<State | undefined>
  /** Makes decisions durable before anything that depends on them is served. False: they are not, and will be tried again. */
  write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean>
  checkpoint(rows: StateRows, options?: { readonly sync: boolean }): Promise<boolean>
  readonly writable: boolean
}

/** To begin totals over, while what they were is still there, is for people to decide. */
export class StateUnreadable extends Error {
  constructor({ message }: { readonly message: string }) {
    super(`the state cannot be read (${message}); mend the disk or the permissions, or move ${FILE} away to let all totals start over`)
    this.name = 'StateUnreadable'
  }
}

const FILE = 'ledger.journal'
/** Where files go that cannot be used: the first ones stay, the last name is taken again and again. */
const ASIDE = ['ledger.journal.unusable', 'ledger.journal.unusable.2', 'ledger.journal.unusable.3'] as const
const READS = 5
const BETWEEN_READS_MS = 200
/** A journal is written anew when it has grown beyond its checkpoint by this much, or to twice its size. */
const MIN_GROWTH_BYTES = 1 << 20

export function createJournal({ clock, disk, log }: { clock: Pick<Clock, 'sleep'>; disk: Disk; log: Log }): Journal {
  let isWritable = true
  let checkpointBytes = 0
  let grownBytes = 0
  let isFirst = true
  let isUnusable = false

  async function load(): Promise<State | undefined> {
    const file = await read()
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

  /** Too many open files, a disk that is slow to come back: what fails now may not fail at once again. */
  async function read(failures = 0): Promise<Buffer | undefined> {
    try {
      return await disk.read(FILE)
    } catch (error) {
      if (failures + 1 === READS) throw new StateUnreadable(error as Error)
    }
    await clock.sleep(BETWEEN_READS_MS)
    return read(failures + 1)
  }

  /** For whoever wants to know what it held, and only once we may write: the table is ours by then. Where it cannot be kept, it is written over. */
  async function setAside(): Promise<void> {
    isUnusable = false
    const aside = await freeName()
    await disk.rename(FILE, aside).then(
      () => log.info('the state that cannot be used is kept', { file: aside }),
      () => undefined,
    )
  }

  async function freeName(): Promise<string> {
    for (const name of ASIDE.slice(0, -1)) if ((await disk.read(name).catch(() => NOT_READ)) === undefined) return name
    return ASIDE[ASIDE.length - 1] as string
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

const NOT_READ = Buffer.alloc(0)

const wordsOf = (error: unknown): Fields =>
  error instanceof Error ? { error: error.message, code: (error as { readonly code?: string }).code } : { error: String(error) }
