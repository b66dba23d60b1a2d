// What a stopped agent leaves behind, in its last line.
import type { Log } from '../deps.js'

export interface Left {
  readonly table: string
  /** A kernel table of ours is there and counts. */
  readonly counts: boolean
  /** The state on disk says all that was served. */
  readonly isWritten: boolean
}

const STAYS = 'stopped; the kernel table stays and counts on, so that the next start loses nothing'
const UNWRITTEN = 'stopped; the kernel table counts on, but the state could not be written: the next start may begin its totals at 0'

export function sayFarewell(log: Pick<Log, 'info' | 'warn'>, { table, counts, isWritten }: Left): void {
  const fields = { table, remove_with: 'meshtoll agent --uninstall' }
  if (!counts) log.info('stopped')
  else if (isWritten) log.info(STAYS, fields)
  else log.warn(UNWRITTEN, fields)
}
