// What the agents serve -> the rows of the table: all nodes together, each pair of owners in a pair of zones once.
import type { Labels, Series } from '../../model.js'
import { type AgentSnapshot, seriesOf } from './snapshots.js'

export interface Owner {
  readonly zone: string
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

export interface Row {
  readonly from: Owner
  readonly to: Owner
  readonly scope: string
  readonly bytes: number
  readonly bytesPerSecond: number
  /** Price of a byte; undefined where nobody knows it. */
  readonly price: number | undefined
}

export interface Interval {
  readonly since: readonly AgentSnapshot[]
  readonly until: readonly AgentSnapshot[]
}

const FLOWS = 'meshtoll_flow_bytes_total'
const PRICES = 'meshtoll_transfer_price_dollars_per_byte'
const MONTH_SECONDS = 30 * 86_400

/** Bytes of `totals`, rates over the interval; the dearest first, then the largest. */
export function rowsOf(totals: readonly AgentSnapshot[], interval: Interval): readonly Row[] {
  const rates = ratesOf(interval)
  const prices = new Map(totals.flatMap((agent) => seriesOf(agent, PRICES)).map(({ labels, value }) => [labels['scope'], value]))
  const rows = [...added(totals.flatMap((agent) => seriesOf(agent, FLOWS))).entries()].map(([key, { labels, value }]) => ({
    from: ownerOf(labels, 'src'),
    to: ownerOf(labels, 'dst'),
    scope: labels['scope'] ?? '',
    bytes: value,
    bytesPerSecond: rates.get(key) ?? 0,
    price: prices.get(labels['scope']),
  }))
  const cost = ({ price = 0, bytes }: Row): number => price * bytes
  return rows.filter(({ bytes }) => bytes > 0).sort((a, b) => cost(b) - cost(a) || b.bytes - a.bytes)
}

/** Undefined where the price is not known. */
export const dollarsPerMonth = ({ bytesPerSecond, price }: Pick<Row, 'bytesPerSecond' | 'price'>): number | undefined =>
  price === undefined ? undefined : bytesPerSecond * price * MONTH_SECONDS

/** Two nodes may count bytes of one pair, such as those that two of its pods received from outside. */
function added(series: readonly Series[]): Map<string, Series> {
  const sums = new Map<string, Series>()
  for (const { labels, value } of series) {
    const key = JSON.stringify(labels)
    sums.set(key, { labels, value: value + (sums.get(key)?.value ?? 0) })
  }
  return sums
}

/** Agents are not read at one instant: each node's rate is over its own time. */
function ratesOf({ since, until }: Interval): ReadonlyMap<string, number> {
  const rates = new Map<string, number>()
  for (const [index, now] of until.entries()) {
    const before = since[index]
    const seconds = before ? (Date.parse(now.at) - Date.parse(before.at)) / 1_000 : 0
    if (!before || seconds <= 0) continue
    const earlier = added(seriesOf(before, FLOWS))
    for (const [key, { value }] of added(seriesOf(now, FLOWS))) {
      rates.set(key, (rates.get(key) ?? 0) + (value - (earlier.get(key)?.value ?? 0)) / seconds)
    }
  }
  return rates
}

function ownerOf(labels: Labels, side: 'src' | 'dst'): Owner {
  const label = (name: string): string => labels[`${side}_${name}`] ?? ''
  return { zone: label('zone'), namespace: label('namespace'), kind: label('owner_kind'), name: label('owner_name') }
}
