// Quantiles of what fell into the buckets of a histogram during a window, as PromQL's histogram_quantile finds them: in a straight line
// within a bucket, from 0 in the first one, and the last finite bound for what is beyond it.
export interface Bucket {
  readonly le: number
  /** How many fell into it, and into none before it. */
  readonly count: number
}

/** `buckets` ascending. Undefined where nothing fell into any. */
export function quantileOf(buckets: readonly Bucket[], q: number): number | undefined {
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return undefined
  const rank = q * total
  let below = 0
  let from = 0
  for (const { le, count } of buckets) {
    if (count > 0 && below + count >= rank) return Number.isFinite(le) ? from + (le - from) * ((rank - below) / count) : from
    below += count
    if (Number.isFinite(le)) from = le
  }
  return from
}

/** The bound of the highest bucket with anything in it. */
export const maxOf = (buckets: readonly Bucket[]): number | undefined => quantileOf(buckets, 1)
