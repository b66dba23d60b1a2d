// What a clock that was set leaves of what is on record.
import type { Clock, ClockSettings } from '../deps.js'
import type { Holders } from './holders.js'

/** By how much it may be wrong, in milliseconds; 0 where nobody looks. */
export const doubtOf = ({ settings }: Pick<Clock, 'settings'>): number => settings?.doubtMs() ?? 0

/** Whether it was set further since this was last asked: then nobody is known up to now but who had an address all the while, by either time. */
export function createDoubt(holders: Pick<Holders, 'miss'>, doubtMs: ClockSettings['doubtMs']): (nowMs: number) => boolean {
  let doubtedMs = 0
  return (nowMs) => {
    const isNew = doubtMs() > doubtedMs
    doubtedMs = doubtMs()
    if (isNew) holders.miss({ fromMs: 0, toMs: nowMs + doubtedMs })
    return isNew
  }
}
