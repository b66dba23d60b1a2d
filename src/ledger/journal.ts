// The ledger's state on disk: one checkpoint, then a line per reading that decided something. A machine that dies takes the kernel table
// along, so the state is void then anyway.
import { createJournalFile, type JournalFileDeps, wordsOf } from '../state/journal-file.js'
import { parseLastRead } from './last-read.js'
import { LEDGER_STATE, orderOf, renderBatch, renderState, type State, type StateRows } from './state.js'
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

/** What the kernel held at the last reading. */
const LAST_READ = 'ledger.last-read'

export function createJournal(deps: JournalFileDeps): Journal {
  const { disk, log } = deps
  const file = createJournalFile(LEDGER_STATE, deps)
  /** What stands there was read earlier: it would take back what is served now, where no younger state stands beside it. */
  let isStale = false
  let isKept = true

  async function load(): Promise<State | undefined> {
    const state = await file.load()
    const read = state && (await disk.read(LAST_READ).catch(() => undefined))
    const lastRead = read && parseLastRead(read)
    const isOfState = lastRead !== undefined && lastRead.epoch === state?.head.epoch && orderOf(lastRead) >= orderOf(state.head)
    return state && isOfState ? { ...state, lastRead } : state
  }

  async function keep(lastRead: readonly Uint8Array[]): Promise<void> {
    if (lastRead.length === 0) return
    try {
      await disk.replace(LAST_READ, lastRead)
      isStale = false
      isKept = true
    } catch (error) {
      if (isKept)
        log.warn('what was read cannot be written: should the agent die, an address that then goes on may keep its name', {
          file: LAST_READ,
          ...wordsOf(error),
        })
      isKept = false
      isStale = await disk.remove(LAST_READ).then(
        () => false,
        () => true,
      )
    }
  }

  async function write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean> {
    const mayAppend = !file.isWorn && !isStale
    if (mayAppend && decided.kind === 'nothing') return true
    const { moves = false } = decided
    if (mayAppend && decided.kind === 'batch' && (await file.append(renderBatch(decided.batch)))) return true
    return file.checkpoint(renderState(await rows()), { moves })
  }

  return {
    load,
    write,
    checkpoint: (rows, options) => file.checkpoint(renderState(rows), options),
    keep,
    get writable() {
      return file.writable && isKept
    },
  }
}
