// Did you mean ...?

/** The candidate that a typing mistake away from `word`, or undefined when none is near enough to be worth a guess. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, rank: rankOf(plain(word), plain(candidate)) }))
  const [best] = ranked.filter(({ rank }) => Number.isFinite(rank)).toSorted((a, b) => a.rank - b.rank)
  return best?.candidate
}

export const didYouMean = (candidate: string | undefined): string => (candidate === undefined ? '' : `; did you mean ${candidate}?`)

/** `max_pairs`, `max-pairs` and `maxPairs` are one word. */
const plain = (word: string): string => word.replaceAll(/[-_]/g, '').toLowerCase()

function rankOf(word: string, candidate: string): number {
  const mayDiffer = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3))
  const distance = distanceOf(word, candidate)
  if (distance <= mayDiffer) return distance
  return word.length >= 4 && candidate.includes(word) ? distance : Number.POSITIVE_INFINITY
}

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
export function distanceOf(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

const at = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY
