// In which order those are who have an address, or had it.
import type { Holding } from './holders.js'

/** Where it goes among those in order; hundreds of load balancers may share an address, each put by itself. */
export function placeAmong(all: readonly Holding[], holding: Holding): number {
  let [from, to] = [0, all.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (inOrder(all[middle] as Holding, holding) < 0) from = middle + 1
    else to = middle
  }
  return from
}

/** Who has it longest is the last, and of those a Service, which does not send, before all others; by what the API server says alone, so that all agents agree. */
const inOrder = (a: Holding, b: Holding): number =>
  compared(a.untilMs, b.untilMs) || compared(rankOf(a), rankOf(b)) || compared(a.fromMs, b.fromMs) || compared(a.key, b.key)

const rankOf = ({ tenant }: Holding): number => (tenant.coverage === 'node' ? 1 : 0)

const compared = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : Number(a > b))
