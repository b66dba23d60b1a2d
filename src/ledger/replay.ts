// After a restart what the process before had read is posted first, for those that it was of: only what the kernel holds beside it came while
// no agent ran, and that may be of others.
import type { GenerationReading, PairColumn } from '../model/flows.js'
import type { Identity } from '../model.js'
import type { Pauses } from '../pauses.js'
import type { LastRead } from './last-read.js'
import type { PairBook } from './pair-book.js'
import type { PlacementOf } from './places.js'
import { startOf } from './set-back.js'
import type { State } from './state.js'
import type { Context, Tally } from './tally.js'

export interface Replay {
  restore(state: Pick<State, 'head' | 'lastRead'>): void
  /** When the reading began that is still to be posted; undefined where there is none. */
  readonly sinceMs: number | undefined
  /** Once. Returns the bytes among it that left the node. */
  post(open: readonly GenerationReading[], identity: Pick<Identity, 'placeSince'>, context: Context): Promise<number>
}

interface Parts {
  readonly book: PairBook
  readonly tally: Tally
  readonly pauses: Pauses
}

/** When the table was made says its mark, by a clock that may have been set back since. */
const EVER_MS = 0

export function createReplay({ book, tally, pauses }: Parts): Replay {
  let past: LastRead | undefined
  /** When that was written down which `past` may be ahead of. */
  let stateMs = 0

  async function post(open: readonly GenerationReading[], identity: Pick<Identity, 'placeSince'>, context: Context): Promise<number> {
    const lastRead = past
    past = undefined
    if (!lastRead) return 0
    const then: GenerationReading[] = []
    for (const generation of open) then.push(await lastRead.asOfThen(generation, context.pairs, pauses.pause))
    let leaving = 0
    const fromMs = startOf(stateMs, context.stretch?.toMs ?? stateMs)
    // A pair that the state does not know came between the two.
    const placementOf: PlacementOf = (address, who) => identity.placeSince(address, who, fromMs)
    const before = { ...context, placementOf, stretch: undefined }
    for (const generation of then) leaving += await tally.seen(generation, before)
    for (const generation of then) await tally.translated(generation, before)
    book.doubtRestored()
    const { pairs } = context
    const cameThen = (waiting: PairColumn) => lastRead.waitedThen(waiting, pairs, pauses.pause)
    await book.recallWaiting(cameThen, { fromMs: EVER_MS, toMs: lastRead.atMs }, pauses.pause)
    return leaving
  }

  return {
    restore: ({ head, lastRead }) => {
      past = lastRead
      stateMs = Math.min(head.atMs, lastRead?.readAtMs ?? head.atMs)
    },
    get sinceMs() {
      return past?.readAtMs
    },
    post,
  }
}
