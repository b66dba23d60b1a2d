// Whether changes are heard of: while they are not a pod may be gone, and another have its address.
import type { ClusterChanges } from './cluster-changes.js'
import { type Holding, isPod } from './holders.js'

export interface Hearing {
  /** Whether that is other than it was. */
  follow(changes: Pick<ClusterChanges, 'isCurrent' | 'isOwnCurrent' | 'isAsked'>, nowMs: number): boolean
  /** What was told by the last `follow`, and not before it, came to be so after that. */
  readonly toldAfterMs: number
  /** All changes are heard of. */
  readonly isCurrent: boolean
  /** When that was first so. */
  readonly sinceMs: number | undefined
  /** And of this address: whoever has it would have been told of. */
  knows(address: string): boolean
  /** The clock was ahead then, if that is later. */
  notAfter(latestMs: number): void
  /** All was heard of once, here or by the process before, and is no more. */
  readonly isStale: boolean
  /** Whether it may not be his any more, or not have been since `sinceMs`. */
  isDoubtful(holding: Holding, sinceMs: number): boolean
}

interface Parts {
  /** The node that this agent runs on. */
  readonly node: string
  readonly skewMs: number
  readonly isResumed: () => boolean
  /** How often this process stood still so far, as far as was seen: until more is told it has heard nothing since the last time. */
  readonly stops: () => number
  /** Absent: the clock is never set. */
  readonly monotonic?: (() => number) | undefined
}

/** Who hears nothing any more knows that within 13 s (kube/client.ts). */
const LATE_MS = 15_000

export function createHearing({ node, skewMs, isResumed, stops, monotonic }: Parts): Hearing {
  let isCurrent = false
  let isOwnCurrent = false
  let isAsked: ClusterChanges['isAsked']
  let heardSinceMs: number | undefined
  let heardStops = 0
  let lastHeard: { readonly atMs: number; readonly steadyMs: number } | undefined
  let toldAfterMs = 0

  const isHeard = (): boolean => isCurrent && heardStops === stops()
  const isStale = (): boolean => (heardSinceMs !== undefined || isResumed()) && !isHeard()

  /** One of this node that has it still, and had it before: it is heard of without whoever tells of others. */
  const isOwn = ({ tenant, fromMs, untilMs }: Holding, sinceMs: number): boolean =>
    isOwnCurrent && heardStops === stops() && tenant.node === node && untilMs === Number.POSITIVE_INFINITY && fromMs + skewMs <= sinceMs

  /** By each of both clocks: one may be set meanwhile, and the other one stops while the machine sleeps. */
  function noLaterThan(nowMs: number, { atMs, steadyMs }: { readonly atMs: number; readonly steadyMs: number }): number {
    const agoMs = monotonic ? monotonic() - steadyMs : 0
    return Math.min(atMs, nowMs - agoMs) - LATE_MS
  }

  return {
    follow(changes, nowMs) {
      const [before, ownBefore, askedBefore, wasHeard] = [isCurrent, isOwnCurrent, isAsked, isHeard()]
      isAsked = changes.isAsked ?? isAsked
      isCurrent = changes.isCurrent ?? isCurrent
      isOwnCurrent = changes.isOwnCurrent ?? changes.isCurrent ?? isOwnCurrent
      if (isCurrent) heardSinceMs ??= nowMs
      if (changes.isCurrent !== undefined) heardStops = stops()
      toldAfterMs = lastHeard && !(wasHeard && isHeard()) ? noLaterThan(nowMs, lastHeard) : nowMs
      if (isHeard()) lastHeard = { atMs: nowMs, steadyMs: monotonic?.() ?? 0 }
      return isCurrent !== before || isOwnCurrent !== ownBefore || isAsked !== askedBefore
    },
    get toldAfterMs() {
      return toldAfterMs
    },
    get isCurrent() {
      return isHeard()
    },
    knows: (address) => isHeard() && (isAsked?.(address) ?? true),
    get sinceMs() {
      return heardSinceMs
    },
    notAfter(latestMs) {
      if (heardSinceMs !== undefined) heardSinceMs = Math.min(heardSinceMs, latestMs)
    },
    get isStale() {
      return isStale()
    },
    isDoubtful: (holding, sinceMs) => isStale() && isPod(holding.tenant) && !isOwn(holding, sinceMs),
  }
}
