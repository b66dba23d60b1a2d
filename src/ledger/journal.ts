// The ledger's state on disk: one checkpoint, then a line per reading that decided something. A machine that dies takes the kernel table
// along, so the state is void then anyway.
import { createJournalFile, type JournalFileDeps } from './journal-file.js'
import { LEDGER_STATE, renderBatch, renderState, type State, type StateRows } from './state.js'
import type { Decided } from './writing.js'

export interface Journal {
  /** The state of the process before; undefined when there is none that can be used. Rejects with StateUnreadable. */
  load(): Promise<State | undefined>
  /** Makes decisions durable before anything that depends on them is served. False: they are not, and will be tried again. */
  write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean>
  checkpoint(rows: StateRows, options?: { readonly sync?: boolean; readonly moves?: boolean }): Promise<boolean>
  readonly writable: boolean
}

export function createJournal(deps: JournalFileDeps): Journal {
  const file = createJournalFile(LEDGER_STATE, deps)

  async function write(decided: Decided, rows: () => Promise<StateRows>): Promise<boolean> {
    if (!file.isWorn && decided.kind === 'nothing') return true
    const { moves = false } = decided
    if (!file.isWorn && decided.kind === 'batch' && (await file.append(renderBatch(decided.batch)))) return true
    return file.checkpoint(renderState(await rows()), { moves })
  }

  return {
    load: file.load,
    write,
    checkpoint: (rows, options) => file.checkpoint(renderState(rows), options),
    get writable() {
      return file.writable
    },
  }
}
