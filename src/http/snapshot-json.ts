// `/api/v1/snapshot`: everything that is served, for programs that would rather not parse Prometheus text.
import type { Books, FamilySnapshot, Series } from '../model.js'
import type { Status } from './served.js'

export interface SnapshotParts {
  readonly version: string
  readonly atMs: number
  readonly books: Books
  readonly families: Iterable<FamilySnapshot>
  readonly status: Status
}

const PIECE_LENGTH = 64 * 1024

/** 0 as long as every byte seen is accounted for. */
export function differenceOf({ observed, posted, elsewhere, tunnel, multicast, overflow, pending, difference }: Books): number {
  return difference ?? observed - posted - elsewhere - tunnel - multicast - overflow - pending
}

/** One line per series, in pieces of about 64 KiB. */
export function* renderSnapshotJson({ version, atMs, books, families, status }: SnapshotParts): Iterable<string> {
  const { node, ready, why, sources } = status
  const head = {
    version,
    node,
    at: new Date(atMs).toISOString(),
    ready,
    why,
    books: { ...books, difference: differenceOf(books) },
    sources,
  }
  let piece = `${JSON.stringify(head).slice(0, -1)},\n"series":{`
  let separator = ''
  for (const { family, series } of families) {
    piece += `${separator}\n${JSON.stringify(family.name)}:[`
    separator = ''
    for (const one of series) {
      piece += `${separator}\n${renderSeries(one)}`
      separator = ','
      if (piece.length < PIECE_LENGTH) continue
      yield piece
      piece = ''
    }
    piece += ']'
    separator = ','
  }
  yield `${piece}}}\n`
}

/** Infinity is no number in JSON: the last bucket of a histogram is the value. */
function renderSeries({ labels, value, histogram }: Series): string {
  return JSON.stringify({ labels, value, ...(histogram && { sum: histogram.sum, buckets: histogram.buckets.slice(0, -1) }) })
}
