// When the process began that answers. Envoy says in whole seconds how long it is up, and as of its last flush, five seconds ago at most unless
// configured otherwise: so that is reckoned once for each process, and a process is another one where it is up for less than before.
export interface Lives {
  /** `uptimeSeconds` as a target said it at `atMs`. Later than the truth only where it flushes seldom. */
  startedMs(target: string, uptimeSeconds: number, atMs: number): number
  /** Forgets all others. */
  keep(targets: ReadonlySet<string>): void
}

const LAG_MS = 6_000

export function createLives(): Lives {
  const lives = new Map<string, { readonly startedMs: number; readonly uptimeSeconds: number }>()
  return {
    startedMs(target, uptimeSeconds, atMs) {
      const before = lives.get(target)
      const isSame = before !== undefined && uptimeSeconds >= before.uptimeSeconds
      // Another one began after the one before was asked the last time, which is as much as has to be known.
      const firstMs = before ? atMs : atMs - uptimeSeconds * 1_000 - LAG_MS
      const startedMs = isSame ? before.startedMs : firstMs
      lives.set(target, { startedMs, uptimeSeconds })
      return startedMs
    },
    keep(targets) {
      for (const target of lives.keys()) if (!targets.has(target)) lives.delete(target)
    },
  }
}
