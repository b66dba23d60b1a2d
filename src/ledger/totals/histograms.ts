// Accounts of the parts of histograms -> histograms. Each bucket has an account of what fell into it and into none before, and its count is
// the sum of those up to it. So histograms with other buckets, as another release of istiod has, add up to one that has them all:
//   istiod 1.30   0.1: 5   1: 2            5, of which one was at 0.3 s
//   istiod 1.31   0.1: 1   0.5: 3   1: 0
//   both          0.1: 6   0.5: 9   1: 11  at 0.5 the first one says what it knows for certain, which is what it says at 0.1
import type { Series } from '../../model.js'
import { seriesKeyOf, type TotalAccount } from './accounts.js'

export function histogramsOf(parts: readonly TotalAccount[]): readonly Series[] {
  const bySeries = new Map<string, TotalAccount[]>()
  for (const part of parts) {
    const key = seriesKeyOf(part)
    const known = bySeries.get(key)
    if (known) known.push(part)
    else bySeries.set(key, [part])
  }
  return [...bySeries.values()].map(histogramOf)
}

function histogramOf(parts: readonly TotalAccount[]): Series {
  const within = new Map([[Number.POSITIVE_INFINITY, 0]])
  let sum = 0
  for (const { part, value } of parts) {
    if (typeof part === 'number') within.set(part, value)
    else sum = value
  }
  let count = 0
  const buckets = [...within]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([le, value]) => {
      count += value
      return { le, count }
    })
  const sinceMs = Math.min(...parts.map((part) => part.sinceMs))
  // The labels of the first one, always the same object: their text is kept by it.
  return { labels: parts[0]?.labels ?? {}, value: count, sinceMs, histogram: { sum, buckets } }
}
