// Bytes that came from outside and left the node again. The part that was source-translated on the way is posted here; the rest is
// another node's. Both hooks count one after the other, so what was read last may still be translated:
//   a pair's bytes read at the first hook   before 900   now 1000
//   of these translated, read now           300          so 900 - 300 = 600 are certainly not ours; the rest waits as pending
// A packet that is between the hooks while generations change is seen in the one and translated in the next. So a pair keeps what a
// generation that was closed leaves open.
import type { Generations } from './generations.js'

export interface Transit {
  /** `past`: bytes that were booked under another route. `open`: what closed generations have left. */
  add(pair: number, bytes: { readonly past: number; readonly open: number }): void
  remove(pair: number): void
  /** Bytes that may still turn out to be translated. */
  openOf(pair: number): number
  /** What closed generations have left open. */
  leftOf(pair: number): number
  /** Bytes that have become certain since the last call: from pending to elsewhere. */
  settle(pause: () => Promise<void>): Promise<number>
  /** A generation's numbers are final and leave the sums. */
  close(columns: { readonly seen: Float64Array; readonly via: Float64Array }, pause: () => Promise<void>): Promise<void>
  /** What was found is not to be booked. */
  baseline(): void
  restore(totals: { settled: number; closed: number }): void
  clear(): void
  /** Pairs of which closed generations have left bytes open. */
  left(): Generator<readonly [pair: number, bytes: number]>
  readonly totals: { readonly settled: number; readonly closed: number }
}

/** Of one pair. */
interface Rest {
  /** Bytes at the first hook as of the reading before. */
  before: number
  /** Bytes of closed generations that may still turn out to be translated. */
  left: number
  /** Bytes, of these and of those that generations hold, that are not translated for certain. */
  certain: number
}

const PAIRS_BETWEEN_PAUSES = 512

export function createTransit(generations: Generations): Transit {
  const rests = new Map<number, Rest>()
  let settled = 0
  let closed = 0

  const restOf = (pair: number): number => generations.seenOf(pair) - generations.viaOf(pair)

  function add(pair: number, { past, open }: { readonly past: number; readonly open: number }): void {
    rests.set(pair, { before: 0, left: open, certain: 0 })
    exclude(pair, past)
  }

  /** Negative where the generation that saw them is gone: then these are translated bytes that look for it. */
  function exclude(pair: number, bytes: number): void {
    const rest = rests.get(pair)
    if (!rest) return
    rest.certain = Math.max(0, bytes)
    rest.left += rest.certain - bytes
    closed -= rest.certain
  }

  function remove(pair: number): void {
    closed += restOf(pair) + (rests.get(pair)?.left ?? 0)
    rests.delete(pair)
  }

  function openOf(pair: number): number {
    const rest = rests.get(pair)
    return restOf(pair) + (rest ? rest.left - rest.certain : 0)
  }

  async function settle(pause: () => Promise<void>): Promise<number> {
    let certain = closed
    for (const [pair, rest] of rests) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      const now = Math.max(0, rest.left + rest.before - generations.viaOf(pair))
      certain += now
      rest.certain = Math.max(rest.certain, now)
      rest.before = generations.seenOf(pair)
    }
    const moved = Math.max(0, certain - settled)
    settled += moved
    return moved
  }

  async function close(
    { seen, via }: { readonly seen: Float64Array; readonly via: Float64Array },
    pause: () => Promise<void>,
  ): Promise<void> {
    for (const [pair, rest] of rests) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      const gone = seen[pair] ?? 0
      rest.before = Math.max(0, rest.before - gone)
      rest.left += gone - (via[pair] ?? 0)
      const certain = Math.max(0, Math.min(rest.left, rest.certain))
      rest.left -= certain
      rest.certain -= certain
      closed += certain
    }
  }

  function baseline(): void {
    closed = 0
    settled = 0
    for (const pair of rests.keys()) exclude(pair, restOf(pair))
  }

  function clear(): void {
    rests.clear()
    closed = 0
    settled = 0
  }

  function* left(): Generator<readonly [pair: number, bytes: number]> {
    for (const [pair, rest] of rests) if (rest.left !== 0) yield [pair, rest.left]
  }

  return {
    add,
    leftOf: (pair) => rests.get(pair)?.left ?? 0,
    remove,
    openOf,
    settle,
    close,
    baseline,
    restore: (totals) => {
      settled = totals.settled
      closed = totals.closed
    },
    clear,
    left,
    get totals() {
      return { settled, closed }
    },
  }
}
