// The totals of others on disk: what changed is appended before it is served.
import { createJournalFile, type JournalFileDeps } from '../../state/journal-file.js'
import { renderTotals, renderTotalsBatch, TOTALS_STATE, type TotalsRows, type TotalsState } from './state.js'

export interface TotalsJournal {
  /** The state of the process before; undefined when there is none that can be used. Rejects with StateUnreadable. */
  load(): Promise<TotalsState | undefined>
  /** False: `changed` is not durable, and will be tried again with all the rest. */
  write(changed: TotalsRows | undefined, all: () => TotalsRows): Promise<boolean>
  /** To the platter. */
  close(all: TotalsRows): Promise<boolean>
  readonly writable: boolean
}

export function createTotalsJournal(deps: JournalFileDeps): TotalsJournal {
  const file = createJournalFile(TOTALS_STATE, deps)
  /** A file of the process before may end in a torn line. */
  let isOurs = false

  async function write(changed: TotalsRows | undefined, all: () => TotalsRows): Promise<boolean> {
    const mayAppend = isOurs && !file.isWorn
    if (mayAppend && (!changed || (await file.append(renderTotalsBatch(changed))))) return true
    isOurs = await checkpoint(all())
    return isOurs
  }

  /** What could not be written over lacks what is served from now on. */
  const checkpoint = (rows: TotalsRows, { sync = false } = {}): Promise<boolean> =>
    file.checkpoint(renderTotals(rows), { sync, moves: true })

  return {
    load: file.load,
    write,
    close: (rows) => checkpoint(rows, { sync: true }),
    get writable() {
      return file.writable
    },
  }
}
