// For how long bytes still came to the addresses of pods that ended: by owners, the longest of those that ended within the last hour.
import type { Clock } from '../deps.js'
import type { Series } from '../model.js'
import type { Account } from './accounts.js'
import { isPhantom } from './accounts.js'
import type { Route } from './routes.js'

type Ways = Pick<Route, 'into' | 'via'>

interface Times {
  readonly endedMs: number | undefined
  readonly sinceMs: number | undefined
}

export interface Phantoms {
  /** `sinceMs`: bytes came after it, as far as one reading tells. Nothing where either is not known. */
  note(route: Ways, times: Times): void
  /** In seconds. */
  windows(nowMs: number): Generator<Series>
}

/** As long as an ended pod's address is remembered to have been its. */
const REMEMBERED_MS = 3_600_000
/** Pods that ended within the same are told by the longest: so there are a dozen numbers for a series, however many pods end. */
const SLOT_MS = 300_000

export function createPhantoms({ now }: Pick<Clock, 'now'>): Phantoms {
  /** By slot, in ms; of routes, since accounts are folded. Not written down: what is over is forgotten by a restart, what lasts is found again. */
  const longest = new Map<Ways, Map<number, number>>()

  const isOver = (slot: number, nowMs: number): boolean => (slot + 1) * SLOT_MS + REMEMBERED_MS <= nowMs

  function forget(nowMs: number): void {
    for (const [route, slots] of longest) {
      for (const slot of slots.keys()) if (isOver(slot, nowMs)) slots.delete(slot)
      if (slots.size === 0) longest.delete(route)
    }
  }

  function note(route: Ways, { endedMs, sinceMs }: Times): void {
    if (!accountOf(route) || endedMs === undefined || sinceMs === undefined) return
    const slot = Math.floor(endedMs / SLOT_MS)
    const slots = longest.get(route) ?? new Map<number, number>()
    if (!slots.has(slot)) forget(now())
    longest.set(route, slots.set(slot, Math.max(slots.get(slot) ?? 0, sinceMs - endedMs)))
  }

  function* windows(nowMs: number): Generator<Series> {
    const byAccount = new Map<Account, number>()
    for (const [route, slots] of longest) {
      const account = accountOf(route)
      const lasting = [...slots].flatMap(([slot, ms]) => (isOver(slot, nowMs) ? [] : [ms]))
      if (account && lasting.length > 0) byAccount.set(account, Math.max(byAccount.get(account) ?? 0, ...lasting))
    }
    for (const [{ labels, withdrawn }, ms] of byAccount) if (!withdrawn) yield { labels, value: ms / 1000 }
  }

  return { note, windows }
}

const accountOf = ({ into, via }: Ways): Account | undefined => into.find(isPhantom) ?? via.find(isPhantom)
