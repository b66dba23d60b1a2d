// What is to be said of the proxies of an istiod: added up when it answers, in turns, so that a reading of thousands of them takes no time.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Asked, ConnectedProxy } from './waits.js'

export interface Summary {
  readonly atMs: number
  /** Proxies by type and address. */
  readonly connected: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Types of which all is acknowledged are there as well, at 0. */
  readonly behind: readonly Behind[]
  /** Those that are furthest behind, then any. */
  readonly proxies: readonly ConnectedProxy[]
}

export interface Behind {
  readonly xds: string
  readonly status: (typeof STATUSES)[number]
  readonly count: number
  readonly sinceMs: number
}

/** Of the snapshot. */
const MAX_NAMED = 500

/** As `istioctl proxy-status` calls them. */
const STATUSES = ['stale', 'error'] as const
/** Takes a millisecond at most. */
const TURN_LENGTH = 100

export async function summaryOf({ proxies, xds: types, atMs }: Asked): Promise<Summary> {
  const connected = new Map<string, Map<string, number>>()
  const behind = createBehind(types, atMs)
  const [late, even]: [ConnectedProxy[], ConnectedProxy[]] = [[], []]
  for (const [index, proxy] of proxies.entries()) {
    const { type, address = '', waiting } = proxy
    const counts = connected.get(type) ?? new Map<string, number>()
    connected.set(type, counts.set(address, (counts.get(address) ?? 0) + 1))
    for (const { xds, sinceMs, error } of waiting) behind.add(xds, statusOf(error), sinceMs)
    if (waiting.length > 0) late.push(proxy)
    else if (even.length < MAX_NAMED) even.push(proxy)
    if (index % TURN_LENGTH === 0) await turnOfTheLoop()
  }
  return { atMs, connected, behind: behind.all(), proxies: firstOf([...late, ...even]) }
}

/** Those that are to be named, the longest behind first. */
export const firstOf = (proxies: readonly ConnectedProxy[]): readonly ConnectedProxy[] =>
  proxies.toSorted((a, b) => a.sinceMs - b.sinceMs || 0).slice(0, MAX_NAMED)

export const statusOf = (error: string): Behind['status'] => (error === '' ? 'stale' : 'error')

function createBehind(types: ReadonlySet<string>, atMs: number) {
  const known = new Map<string, { -readonly [Key in keyof Behind]: Behind[Key] }>()
  for (const xds of types) for (const status of STATUSES) known.set(`${xds} ${status}`, { xds, status, count: 0, sinceMs: atMs })
  return {
    add(xds: string, status: Behind['status'], sinceMs: number): void {
      const one = known.get(`${xds} ${status}`)
      if (!one) return
      one.count++
      one.sinceMs = Math.min(one.sinceMs, sinceMs)
    },
    all: (): readonly Behind[] => [...known.values()],
  }
}
