// What came while nothing could be written: a total that is withdrawn before it can be is still told of then.
//   written up to 100, at 150 when the disk was full, withdrawn      50 wait here
import type { Mark, Moved } from './marks.js'
import { unitOf } from './points.js'
import type { Target } from './targets.js'

export interface Held extends Mark {
  /** Since its mark was written. */
  readonly came: number
  /** What it is sent as; undefined where nothing came. */
  readonly target: Target | undefined
}

export interface HeldTotals {
  /** Nothing is seen yet. */
  begin(): void
  /** Of a total that is there. */
  see(key: string): Held | undefined
  /** Those that are not. */
  unseen(): Iterable<readonly [key: string, held: Held]>
  /** All that moved, in the place of what was held before, since it is in that. One step for each. */
  hold(moved: Moved): Generator<void>
  /** It is written. */
  release(): void
  /** Bytes by metric, of those that there was no room for. */
  readonly lost: ReadonlyMap<string, number>
}

/** Totals that are gone. Those that are not are bounded where they are served. */
const MAX_GONE = 50_000

export function createHeld(maxGone = MAX_GONE): HeldTotals {
  let held = new Map<string, Held>()
  const seen = new Set<string>()
  const lost = new Map<string, number>()

  const lose = ({ metric, family }: Target, came: number): void => {
    if (unitOf(family.name) === 'byte') lost.set(metric, (lost.get(metric) ?? 0) + came)
  }

  return {
    begin() {
      seen.clear()
    },
    see(key) {
      if (held.size === 0) return undefined
      seen.add(key)
      return held.get(key)
    },
    *unseen() {
      for (const [key, one] of held) if (!seen.has(key)) yield [key, one]
    },
    *hold(moved) {
      const next = new Map<string, Held>()
      let gone = 0
      for (const [key, value, sinceMs, came, target] of moved) {
        yield
        const isGone = held.has(key) && !seen.has(key)
        if (isGone && ++gone > maxGone && target) lose(target, came)
        else next.set(key, { value, sinceMs, came, target })
      }
      held = next
    },
    release() {
      held = new Map()
      lost.clear()
    },
    lost,
  }
}
