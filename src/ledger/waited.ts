// When the bytes of pending pairs came, reading by reading: who had an address meanwhile is often known by the time that they are placed.
import type { Stretch } from '../model.js'

/** Bytes that came within a stretch. */
export interface Share extends Stretch {
  readonly bytes: number
}

export interface Waited {
  /** `seen`: all bytes of the pair so far; what is new since the last time came then, if that is known. `booked`: those that never waited. */
  note(pair: number, stretch: Stretch | undefined, bytes: { readonly seen: number; readonly booked: number }): void
  sharesOf(pair: number): readonly Share[]
  drop(pair: number): void
  clear(): void
}

interface Noted {
  seen: number
  shares: Share[]
}

/** Of a pair: beyond it the oldest two become one, whose stretch is that of both. */
const MOST_SHARES = 64

export function createWaited(): Waited {
  const byPair = new Map<number, Noted>()
  return {
    note(pair, stretch, { seen, booked }) {
      const noted = byPair.get(pair) ?? { seen: booked, shares: [] }
      if (seen <= noted.seen) return
      if (stretch) noted.shares.push({ ...stretch, bytes: seen - noted.seen })
      noted.seen = seen
      if (noted.shares.length > MOST_SHARES) noted.shares.splice(0, 2, merged(noted.shares[0] as Share, noted.shares[1] as Share))
      byPair.set(pair, noted)
    },
    sharesOf: (pair) => byPair.get(pair)?.shares ?? [],
    drop: (pair) => void byPair.delete(pair),
    clear: () => byPair.clear(),
  }
}

const merged = (one: Share, next: Share): Share => ({ fromMs: one.fromMs, toMs: next.toMs, bytes: one.bytes + next.bytes })
