// Which file a start goes on from, and what becomes of those that it cannot, or may not, go on from.
//   ledger.journal             what is written
//   ledger.journal.resumed     what could not be written over: good for its table, but no longer the last word
//   ledger.journal.behind      what nobody may go on from: some of its bytes were served for somebody else since
//   ledger.last-read           what the kernel held at the last reading
//   ledger.journal.unusable    damaged, or of another version; kept for people
import type { Clock, Disk, Log } from '../deps.js'
import { parseLastRead } from './last-read.js'
import type { State } from './state.js'
import { parseState, VERSION } from './state.js'

/** To begin totals over, while what they were is still there, is for people to decide. */
export class StateUnreadable extends Error {
  constructor({ message }: { readonly message: string }) {
    super(`the state cannot be read (${message}); mend the disk or the permissions, or move ${FILE} away to let all totals start over`)
    this.name = 'StateUnreadable'
  }
}

export interface StateFiles {
  /** The state of the process before; undefined when there is none that can be gone on from. Rejects with StateUnreadable. */
  load(): Promise<State | undefined>
  /** Before the file is written for the first time. */
  clear(): Promise<void>
  /**
   * The file could not be written. It is not the last word any more: should the table go, its totals are behind what was served. And where
   * a pair has moved, to go on from it would count its bytes twice. Other names take no room on a full disk.
   */
  fallBehind(moves: boolean): Promise<void>
  /** The file was written. */
  tidy(): Promise<void>
}

export const FILE = 'ledger.journal'
export const LAST_READ = 'ledger.last-read'
const RESUMED = 'ledger.journal.resumed'
const BEHIND = 'ledger.journal.behind'
/** The first ones stay, the last name is taken again and again. */
const ASIDE = ['ledger.journal.unusable', 'ledger.journal.unusable.2', 'ledger.journal.unusable.3'] as const
const READS = 5
const BETWEEN_READS_MS = 200

interface Deps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly disk: Disk
  readonly log: Log
}

export function createStateFiles({ clock, disk, log }: Deps): StateFiles {
  let isUnusable = false
  /** There are, or may be, files by other names. */
  let hasRemains = true

  /** Too many open files, a disk that is slow to come back: what fails now may not fail at once again. */
  async function read(path: string, failures = 0): Promise<Buffer | undefined> {
    try {
      return await disk.read(path)
    } catch (error) {
      if (failures + 1 === READS) throw new StateUnreadable(error as Error)
    }
    await clock.sleep(BETWEEN_READS_MS)
    return read(path, failures + 1)
  }

  function stateIn(file: Buffer): State | undefined {
    const { state, tornBytes, version } = parseState(file)
    const isForeign = version !== 0 && version !== VERSION
    if (!state)
      log.warn(`state is not usable: ${isForeign ? 'written by another version' : 'damaged'}`, { file: FILE, version, wanted: VERSION })
    if (state && tornBytes > 0) log.info('state ends in a torn line, cut off', { file: FILE, bytes: tornBytes })
    isUnusable = !state
    return state
  }

  async function load(): Promise<State | undefined> {
    const state = await loadState()
    const file = state && (await disk.read(LAST_READ).catch(() => undefined))
    const lastRead = file && parseLastRead(file)
    const isOfState = lastRead !== undefined && lastRead.epoch === state?.head.epoch && lastRead.atMs >= state.head.atMs
    return state && isOfState ? { ...state, lastRead } : state
  }

  async function loadState(): Promise<State | undefined> {
    const file = await read(FILE)
    if (file) return stateIn(file)
    const resumed = await read(RESUMED)
    const state = resumed && stateIn(resumed)
    if (state) return { ...state, head: { ...state.head, complete: false } }
    if (await read(BEHIND)) log.warn('state is behind what was served, since it could not be written', { file: BEHIND })
    return undefined
  }

  async function freeName(): Promise<string> {
    for (const name of ASIDE.slice(0, -1)) if ((await disk.read(name).catch(() => NOT_READ)) === undefined) return name
    return ASIDE[ASIDE.length - 1] as string
  }

  return {
    load,
    // Only once we may write: the table is ours by then. Where it cannot be kept, it is written over.
    async clear() {
      if (!isUnusable) return
      isUnusable = false
      const aside = await freeName()
      await disk.rename(FILE, aside).then(
        () => log.info('the state that cannot be used is kept', { file: aside }),
        () => undefined,
      )
    },
    async fallBehind(moves) {
      hasRemains = true
      await disk.rename(FILE, RESUMED).catch(() => undefined)
      if (moves) await disk.rename(RESUMED, BEHIND).catch(() => undefined)
    },
    async tidy() {
      if (hasRemains) for (const path of [RESUMED, BEHIND]) await disk.remove(path)
      hasRemains = false
    },
  }
}

const NOT_READ = Buffer.alloc(0)
