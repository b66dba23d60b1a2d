// Addresses that may turn out to be somebody's: their bytes wait, but not for ever.
export interface Waiting {
  /** Whether it still does; it begins when this is first asked. */
  waits(address: string, nowMs: number): boolean
  /** Since when; undefined where it does not, and never did. */
  sinceMs(address: string): number | undefined
  /** It is somebody's. */
  end(address: string): void
  /** Whether the patience for one of them is over since this was last asked. */
  isAnyOver(nowMs: number): boolean
}

interface Entry {
  readonly sinceMs: number
  /** Of the last round in which it was asked for. */
  round: number
}

/** Far more than live at a time; of what is beyond, those that nobody asks for are forgotten, and would wait anew. */
const MOST = 20_000

export function createWaiting(patienceMs: number): Waiting {
  const entries = new Map<string, Entry>()
  let nextOverMs = Number.POSITIVE_INFINITY
  let round = 0

  function begin(address: string, nowMs: number): Entry {
    const entry = { sinceMs: nowMs, round }
    entries.set(address, entry)
    nextOverMs = Math.min(nextOverMs, nowMs + patienceMs)
    return entry
  }

  function forgetUnasked(): void {
    for (const [address, entry] of entries) if (entry.round < round - 1) entries.delete(address)
  }

  return {
    waits(address, nowMs) {
      const entry = entries.get(address) ?? begin(address, nowMs)
      entry.round = round
      return nowMs < entry.sinceMs + patienceMs
    },
    sinceMs: (address) => entries.get(address)?.sinceMs,
    end: (address) => void entries.delete(address),
    isAnyOver(nowMs) {
      if (nowMs < nextOverMs) return false
      round++
      if (entries.size > MOST) forgetUnasked()
      nextOverMs = Number.POSITIVE_INFINITY
      for (const { sinceMs } of entries.values()) {
        const overMs = sinceMs + patienceMs
        if (overMs > nowMs) nextOverMs = Math.min(nextOverMs, overMs)
      }
      return true
    },
  }
}
