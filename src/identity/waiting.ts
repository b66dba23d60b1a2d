// Addresses that may turn out to be somebody's: their bytes wait, but not for ever.
export interface Waiting {
  /**
   * Whether it still does, as of the last round: within one nobody's patience runs out. It begins when this is first asked. `fromMs`: since
   * when there are bytes.
   */
  waits(address: string, nowMs: number, fromMs?: number): boolean
  /** Since when there are bytes; undefined where it does not wait, and never did. */
  sinceMs(address: string): number | undefined
  /** It is somebody's. */
  end(address: string): void
  /** It is nobody's for certain, and waits no more. */
  settle(address: string, nowMs: number): void
  isSettled(address: string): boolean
  /** For how long they waited in another process, by address: what is left of their patience is all that they have. */
  resume(waited: ReadonlyMap<string, number>): void
  /** A round begins. Whether the patience for one of them is over since the last one did. */
  isAnyOver(nowMs: number): boolean
}

interface Entry {
  readonly sinceMs: number
  readonly overMs: number
  isSettled: boolean
  /** Of the last round in which it was asked for. */
  round: number
}

/** Far more than live at a time; of what is beyond, those that nobody asks for are forgotten, and would wait anew. */
const MOST = 20_000

export function createWaiting(patienceMs: number, monotonic?: () => number): Waiting {
  const entries = new Map<string, Entry>()
  let nextOverMs = Number.POSITIVE_INFINITY
  let round = 0
  /** Until when the patience of those lasts that waited in another process, for who is asked for within one. */
  let resumed = { untilMs: Number.NEGATIVE_INFINITY, overMs: new Map<string, number>() }
  let roundMs: number | undefined

  /** Of the round. */
  const timeOf = (nowMs: number): number => roundMs ?? monotonic?.() ?? nowMs

  function begin(address: string, nowMs: number, fromMs: number): Entry {
    const left = nowMs < resumed.untilMs ? resumed.overMs.get(address) : undefined
    const entry = { sinceMs: fromMs, overMs: left ?? nowMs + patienceMs, round, isSettled: false }
    entries.set(address, entry)
    nextOverMs = Math.min(nextOverMs, entry.overMs)
    return entry
  }

  /** Never one whose bytes wait: rounds can follow each other faster than readings, and it would begin again and again. */
  function forgetUnasked(nowMs: number): void {
    for (const [address, { round: asked, overMs }] of entries) if (asked < round - 1 && overMs <= nowMs) entries.delete(address)
  }

  return {
    waits(address, nowMs, fromMs = nowMs) {
      const atMs = timeOf(nowMs)
      const entry = entries.get(address) ?? begin(address, atMs, fromMs)
      entry.round = round
      return !entry.isSettled && atMs < entry.overMs
    },
    sinceMs: (address) => entries.get(address)?.sinceMs,
    end(address) {
      entries.delete(address)
      resumed.overMs.delete(address)
    },
    settle(address, nowMs) {
      const entry = entries.get(address)
      if (entry) entry.isSettled = true
      else entries.set(address, { sinceMs: nowMs, overMs: timeOf(nowMs), round, isSettled: true })
    },
    isSettled: (address) => entries.get(address)?.isSettled ?? false,
    resume(waited) {
      if (!monotonic) return
      const untilMs = monotonic() + patienceMs
      resumed = { untilMs, overMs: new Map([...waited].map(([address, ms]) => [address, untilMs - ms])) }
    },
    isAnyOver(atMs) {
      const nowMs = monotonic?.() ?? atMs
      roundMs = nowMs
      if (nowMs < nextOverMs) return false
      round++
      if (entries.size > MOST) forgetUnasked(nowMs)
      nextOverMs = Number.POSITIVE_INFINITY
      for (const { overMs } of entries.values()) if (overMs > nowMs) nextOverMs = Math.min(nextOverMs, overMs)
      return true
    },
  }
}
