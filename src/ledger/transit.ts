// Bytes that came from outside and left the node again. The part that was source-translated on the way is posted here; the rest is
// another node's. Both hooks count one after the other, so what was read last may still be translated:
//   a pair's bytes read at the first hook   before 900   now 1000
//   of these translated, read now           300          so 900 - 300 = 600 are certainly not ours; the rest waits as pending
import type { Generations } from './generations.js'

export interface Transit {
  /** `past`: bytes of the pair that were booked under another route. */
  add(pair: number, past: number): void
  remove(pair: number): void
  /** Bytes that have become certain since the last call: from pending to elsewhere. */
  settle(pause: () => Promise<void>): Promise<number>
  /** A generation's numbers are final and leave the sums. */
  close(columns: { readonly seen: Float64Array; readonly via: Float64Array }, pause: () => Promise<void>): Promise<void>
  /** What was found is not to be booked. */
  baseline(): void
  restore(totals: { settled: number; closed: number }): void
  clear(): void
  readonly totals: { readonly settled: number; readonly closed: number }
}

const PAIRS_BETWEEN_PAUSES = 512

export function createTransit(generations: Generations): Transit {
  /** Bytes at the first hook as of the reading before, by pair. */
  const before = new Map<number, number>()
  let settled = 0
  let closed = 0

  const restOf = (pair: number): number => generations.seenOf(pair) - generations.viaOf(pair)

  function add(pair: number, past: number): void {
    before.set(pair, 0)
    closed -= past
  }

  function remove(pair: number): void {
    closed += restOf(pair)
    before.delete(pair)
  }

  async function settle(pause: () => Promise<void>): Promise<number> {
    let certain = closed
    for (const [pair, seen] of before) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      certain += Math.max(0, seen - generations.viaOf(pair))
      before.set(pair, generations.seenOf(pair))
    }
    const moved = Math.max(0, certain - settled)
    settled += moved
    return moved
  }

  async function close(
    { seen, via }: { readonly seen: Float64Array; readonly via: Float64Array },
    pause: () => Promise<void>,
  ): Promise<void> {
    for (const [pair, bytes] of before) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      const gone = seen[pair] ?? 0
      closed += gone - (via[pair] ?? 0)
      before.set(pair, Math.max(0, bytes - gone))
    }
  }

  function baseline(): void {
    closed = 0
    settled = 0
    for (const pair of before.keys()) closed -= restOf(pair)
  }

  function clear(): void {
    before.clear()
    closed = 0
    settled = 0
  }

  return {
    add,
    remove,
    settle,
    close,
    baseline,
    restore: (totals) => {
      settled = totals.settled
      closed = totals.closed
    },
    clear,
    get totals() {
      return { settled, closed }
    },
  }
}
