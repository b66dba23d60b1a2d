// Times in which somebody may have come and gone without a word.
import type { Stretch } from '../model.js'

/** In order of their ends. What overlaps becomes one: who cannot hear for long lists anew again and again. */
export function withUnheard(all: readonly Stretch[], { fromMs, toMs }: Stretch): readonly Stretch[] {
  const overlapping = all.filter((one) => one.fromMs <= toMs && one.toMs >= fromMs)
  const others = all.filter((one) => !overlapping.includes(one))
  const merged = {
    fromMs: Math.min(fromMs, ...overlapping.map((one) => one.fromMs)),
    toMs: Math.max(toMs, ...overlapping.map((one) => one.toMs)),
  }
  return [...others, merged].sort((one, other) => one.toMs - other.toMs)
}

/** A clock that was ahead and was set back leaves none that is yet to come. */
export const notAfter = (all: readonly Stretch[], latestMs: number): readonly Stretch[] =>
  all.map(({ fromMs, toMs }) => ({ fromMs: Math.min(fromMs, latestMs), toMs: Math.min(toMs, latestMs) }))
