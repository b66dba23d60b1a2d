// Turns of endpoints and restarts of pods -> what is counted.
//   A slice is written at a time, and a controller that moves an endpoint to another one may take it out of the first before: so it is away
//   for a while before it counts as removed.
//     slice 1 {a b}   {a}     {a}          b is away, and comes back: nothing
//     slice 2 {c}     {c}     {b c}
import type { Restarted } from './restarts.js'
import type { Services, Turn } from './services.js'
import type { State } from './slice.js'
import type { Tally } from './tally.js'

export interface Churn {
  turned(turn: Turn): void
  restarted(restarted: Restarted): void
  /** Counts what was waited for; before anything is read. */
  settle(): void
}

export interface ChurnParts {
  readonly tally: Pick<Tally, 'changed' | 'restarted'>
  readonly services: Pick<Services, 'has' | 'having'>
  monotonic(): number
}

/** An endpoint that is back by then was never away; and a pod that was restarted has its endpoint by then, which comes after its address. */
export const MOVED_WITHIN_MS = 5_000
export const SHORT_LIFE_MS = 60_000
/** Beside the reasons of Kubernetes: the pod was gone within SHORT_LIFE_MS of becoming ready for the first time. */
const SHORT_LIVED = 'ShortLived'

interface Away extends Turn {
  readonly before: State
  readonly sinceMs: number
}

interface Unplaced extends Restarted {
  readonly sinceMs: number
}

export function createChurn({ tally, services, monotonic }: ChurnParts): Churn {
  // A Map and a Set keep the order in which keys were set: the oldest are the first.
  const away = new Map<string, Away>()
  /** Of those that were added, which have not been ready so far, and since when the others were. */
  const neverReady = new Set<string>()
  const readySince = new Map<string, number>()
  let unplaced: Unplaced[] = []

  /** Whether its life was short, as far as it was seen. */
  function end(key: string, atMs: number): boolean {
    const sinceMs = readySince.get(key)
    neverReady.delete(key)
    readySince.delete(key)
    return sinceMs !== undefined && atMs - sinceMs < SHORT_LIFE_MS
  }

  function turn(key: string, { service, before, after }: Turn): void {
    if (before === undefined) {
      tally.changed(service, 'added')
      neverReady.add(key)
    } else if ((before === 'ready') !== (after === 'ready')) tally.changed(service, after === 'ready' ? 'ready' : 'unready')
    if (after === 'ready' && neverReady.delete(key)) readySince.set(key, monotonic())
    if (after === 'leaving' && end(key, monotonic())) tally.restarted(service, SHORT_LIVED, 1)
  }

  function goneFor(key: string, gone: Away): void {
    away.delete(key)
    tally.changed(gone.service, 'removed')
    // A Service that was deleted took its endpoints along; their pods live on.
    if (end(key, gone.sinceMs) && services.has(gone.namespace, gone.service)) tally.restarted(gone.service, SHORT_LIVED, 1)
  }

  function place({ namespace, uid, reason, times }: Restarted): boolean {
    const having = services.having(namespace, uid)
    for (const service of having) tally.restarted(service, reason, times)
    return having.length > 0
  }

  return {
    turned(turned) {
      const key = `${turned.service} ${turned.id}`
      const { before, after } = turned
      if (after === undefined && before !== undefined) return void away.set(key, { ...turned, before, sinceMs: monotonic() })
      const back = away.get(key)
      away.delete(key)
      turn(key, back ? { ...turned, before: back.before } : turned)
    },
    restarted(restarted) {
      if (!place(restarted)) unplaced.push({ ...restarted, sinceMs: monotonic() })
    },
    settle() {
      const dueMs = monotonic() - MOVED_WITHIN_MS
      for (const [key, gone] of away) {
        if (gone.sinceMs > dueMs) break
        goneFor(key, gone)
      }
      for (const [key, sinceMs] of readySince) {
        // Who went within it is still away.
        if (sinceMs > dueMs - SHORT_LIFE_MS) break
        readySince.delete(key)
      }
      const due = unplaced.filter(({ sinceMs }) => sinceMs <= dueMs)
      if (due.length === 0) return
      unplaced = unplaced.filter(({ sinceMs }) => sinceMs > dueMs)
      for (const one of due) place(one)
    },
  }
}
