export interface Backoff {
  /** How long to wait before the next attempt. The server's own wish is honoured, up to five minutes. */
  nextMs(retryAfterMs?: number): number
  reset(): void
}

const FIRST_MS = 2000
const CAP_MS = 30_000
const MAX_RETRY_AFTER_MS = 300_000
/** The shortest wait as a share of the longest: the rest is chance, so that a thousand agents do not come back at once. */
const FLOOR = 0.25

/** `random`: a UUID, of which the first 32 bits are used. */
export function createBackoff(random: () => string): Backoff {
  let failures = 0
  return {
    nextMs(retryAfterMs = 0) {
      const ceilingMs = Math.min(CAP_MS, FIRST_MS * 2 ** failures)
      failures++
      return Math.round(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + ceilingMs * (FLOOR + (1 - FLOOR) * fractionOf(random())))
    },
    reset() {
      failures = 0
    },
  }
}

/** From 0 up to, but not, 1. */
export const fractionOf = (uuid: string): number => (Number.parseInt(uuid.slice(0, 8), 16) || 0) / 2 ** 32
