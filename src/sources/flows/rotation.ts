// When the live generation of sets makes way for the next.
import type { Fill } from './generations.js'
import { SHARDS, type Shards, shardsFor } from './sizing.js'

const FULL = 0.5
const PRESSED_EVERY_MS = 60_000
/** Generations that wait for their release; more would take memory without bound. */
export const MOST_WAITING = 4

export interface Rotating {
  readonly requested: boolean
  readonly ageMs: number
  readonly everyMs: number
  readonly fill: Fill
  readonly shards: Shards
  /** Detached generations. */
  readonly waiting: number
}

export function isDue({ requested, ageMs, everyMs, fill, shards, waiting }: Rotating): boolean {
  if (waiting >= MOST_WAITING) return false
  const isPressed = fill.share > FULL || (shards < SHARDS && shardsFor(fill.pairs) === SHARDS)
  return requested || ageMs >= everyMs || (isPressed && ageMs >= PRESSED_EVERY_MS)
}
