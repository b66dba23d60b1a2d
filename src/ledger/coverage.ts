// What was seen leaving the node against what its uplinks say they sent. Traffic that bypasses netfilter (eBPF host routing, XDP,
// flowtables) shows here as a ratio below one, instead of nowhere.
import type { Egress } from '../model/flows.js'

export interface Coverage {
  /** `leaving`: bytes of pairs whose destination does not live here, running total. */
  add(atMs: number, leaving: number, egress: Egress): void
  /** Undefined while too little was sent to tell. */
  readonly ratio: number | undefined
}

interface Sample {
  readonly atMs: number
  readonly seen: number
  readonly sent: number
}

const WINDOW_MS = 300_000
const MIN_SENT_BYTES = 1_000_000

export function createCoverage(): Coverage {
  let samples: readonly Sample[] = []

  /** Inner packets of a tunnel leave as outer ones: these are what the uplink sends. */
  function add(atMs: number, leaving: number, { uplinks, intoTunnels, outerSent }: Egress): void {
    const recent = samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS)
    const isReset = recent.some((sample) => sample.sent > uplinks)
    samples = [...(isReset ? [] : recent), { atMs, seen: leaving - intoTunnels + outerSent, sent: uplinks }]
  }

  return {
    add,
    get ratio() {
      const [first, last] = [samples.at(0), samples.at(-1)]
      if (!first || !last || last.sent - first.sent < MIN_SENT_BYTES) return undefined
      return (last.seen - first.seen) / (last.sent - first.sent)
    },
  }
}
