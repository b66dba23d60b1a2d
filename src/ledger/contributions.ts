// What the kernel holds for all pairs, account by account.
import type { Account } from './accounts.js'
import type { Generations } from './generations.js'
import type { Route } from './routes.js'

const PAIRS_BETWEEN_PAUSES = 256

/** `taken`: of each pair its route. */
export async function contributionsOf(
  taken: readonly (Route | undefined)[],
  generations: Pick<Generations, 'seenOf' | 'viaOf'>,
  pause: () => Promise<void>,
): Promise<Map<Account, number>> {
  const byRoute = new Map<Route, { into: number; via: number }>()
  for (let pair = 0; pair < taken.length; pair++) {
    if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
    const route = taken[pair]
    if (!route) continue
    const via = route.book === 'transit' ? generations.viaOf(pair) : 0
    const sums = byRoute.get(route) ?? { into: 0, via: 0 }
    byRoute.set(route, sums)
    sums.into += generations.seenOf(pair) - via
    sums.via += via
  }
  return sumByAccount(byRoute, pause)
}

async function sumByAccount(
  byRoute: ReadonlyMap<Route, { into: number; via: number }>,
  pause: () => Promise<void>,
): Promise<Map<Account, number>> {
  const sums = new Map<Account, number>()
  const add = (account: Account, bytes: number) => void sums.set(account, (sums.get(account) ?? 0) + bytes)
  let count = 0
  for (const [route, { into, via }] of byRoute) {
    if (count++ % PAIRS_BETWEEN_PAUSES === 0) await pause()
    for (const account of route.into) add(account, into)
    for (const account of route.via) add(account, via)
  }
  return sums
}
