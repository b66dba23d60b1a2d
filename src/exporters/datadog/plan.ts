// Which windows become the next batch, and of which second: no second twice, and none that the intake would not take. A function of the state
// and the time alone.
import type { State } from './state.js'

export interface Plan {
  readonly windows: number
  readonly stamp: number
  readonly interval: number
}

/** The intake takes points that are not older than an hour, nor more than ten minutes ahead. */
const OLDEST_S = 3_600
/** For a request under way, and for clocks that differ. */
const MARGIN_S = 120
/** A batch that is attempted first has to have some time left. */
const FRESH_S = 2_700
const AHEAD_S = 500

/** Undefined: there is nothing, or the clock was set back and no second is free that the intake would take. */
export function planOf({ windows, lastStamp }: Pick<State, 'windows' | 'lastStamp'>, nowMs: number): Plan | undefined {
  const now = Math.floor(nowMs / 1000)
  const [first] = windows
  if (!first) return undefined
  const isOld = (at: number): boolean => Math.floor((windows[at]?.toMs ?? nowMs) / 1000) < now - FRESH_S
  let count = 1
  while (count < windows.length && isOld(count - 1)) count++
  const toMs = windows[count - 1]?.toMs ?? nowMs
  const toS = Math.min(Math.floor(toMs / 1000), now)
  const stamp = Math.max(lastStamp + 1, toS < now - FRESH_S ? now : toS)
  if (stamp > now + AHEAD_S) return undefined
  return { windows: count, stamp, interval: Math.max(1, Math.round((toMs - first.fromMs) / 1000)) }
}

/** Its points would be dropped without a word: the clock was set back since it got its second. */
export const isAhead = ({ stamp }: { readonly stamp: number }, nowMs: number): boolean => stamp - nowMs / 1000 > AHEAD_S

/** Its points would be dropped without a word. */
export const isTooOld = ({ stamp }: { readonly stamp: number }, nowMs: number): boolean => nowMs / 1000 - stamp > OLDEST_S - MARGIN_S
