// What a stopped agent leaves behind, in its last line.
import type { Log } from '../deps.js'
import type { Ending } from './leaving.js'

export interface Left extends Ending {
  readonly table: string
  /** A kernel table of ours is there and counts, unless it was removed. */
  readonly counts: boolean
  /** The state on disk says all that was served. */
  readonly isWritten: boolean
}

const REMOVED = 'stopped; the kernel table is removed, since no agent comes after this one'
const STAYS = 'stopped; the kernel table stays and counts on, so that the next start loses nothing'
const IN_DOUBT = 'stopped; the kernel table stays and counts on: where no agent comes after this one, remove it'
const UNWRITTEN = 'stopped; the kernel table counts on, but the state could not be written: the next start may begin its totals at 0'

export function sayFarewell(log: Pick<Log, 'info' | 'warn'>, { table, counts, isWritten, isRemoved, why }: Left): void {
  const fields = { table, remove_with: 'meshtoll agent --uninstall' }
  if (!counts) log.info('stopped')
  else if (isRemoved) log.info(REMOVED, { table })
  else if (!isWritten) log.warn(UNWRITTEN, fields)
  else if (why !== '') log.warn(IN_DOUBT, { ...fields, error: why })
  else log.info(STAYS, fields)
}
