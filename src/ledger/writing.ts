// When decisions are written down, and how.
import type { Clock } from '../deps.js'
import type { Decisions } from './draft.js'
import type { Batch, Moment } from './state.js'

/**
 * What to write down: a line, or everything, since a whole generation went into the offsets or an epoch began. `moves`: without it the
 * bytes of a pair would be counted again for somebody else.
 */
export type Decided = { readonly moves?: boolean } & (
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'nothing' }
)

export interface Writing {
  demandCheckpoint(): void
  /** A pair took another route. */
  moved(): void
  take(moment: Moment): Decided
}

/** More is written as a checkpoint, which is rendered piece by piece. */
const MAX_LINE_ROWS = 2_000
/** So that a gap is known to ten seconds when the table is found damaged after a restart. */
const HEARTBEAT_MS = 10_000

export function createWriting({ decisions, clock }: { readonly decisions: Decisions; readonly clock: Clock }): Writing {
  let isCheckpointDue = false
  let moves = false
  let writtenMs = clock.monotonic()

  function decide(moment: Moment): Decided {
    if (isCheckpointDue || decisions.count() > MAX_LINE_ROWS) {
      decisions.take(moment)
      return { kind: 'checkpoint', moves }
    }
    if (decisions.count() === 0 && clock.monotonic() - writtenMs < HEARTBEAT_MS) return { kind: 'nothing' }
    return { kind: 'batch', batch: decisions.take(moment), moves }
  }

  return {
    demandCheckpoint() {
      isCheckpointDue = true
    },
    moved() {
      moves = true
    },
    take(moment) {
      const decided = decide(moment)
      if (decided.kind === 'nothing') return decided
      isCheckpointDue = moves = false
      writtenMs = clock.monotonic()
      return decided
    },
  }
}
