// The last read of a generation that no rule fills any more.
import type { Clock } from '../../deps.js'
import { type Dumping, dumpGenerations, type Generation, missingOf } from './generations.js'
import type { DumpCount } from './totals.js'

/** For packets on their way through the old rules (RCU) and a set that still grows its hash table. */
export const SETTLE_MS = 20
const BETWEEN_DUMPS_MS = 10
const MOST_DUMPS = 20

/**
 * Dumps until two that follow each other agree: a dump made while the hash table grows misses and repeats elements, and nothing says so.
 * Gives up for this time when they do not.
 */
export async function closeGeneration(
  dumping: Dumping & { readonly clock: Clock },
  generation: Generation,
  signal: AbortSignal,
): Promise<void> {
  let before: readonly DumpCount[] | undefined
  for (let dumps = 0; dumps < MOST_DUMPS; dumps++) {
    if (dumps > 0) await dumping.clock.sleep(BETWEEN_DUMPS_MS, signal)
    await dumpGenerations(dumping, [generation])
    const counts = countsOf(generation)
    if (!generation.interrupted && before && agree(before, counts) && (missingOf(dumping, generation) ?? 0) === 0) {
      generation.closed = true
      return
    }
    before = generation.interrupted ? undefined : counts
  }
}

const countsOf = ({ seen, via, dump }: Generation): readonly DumpCount[] => [seen.countOf(dump), via.countOf(dump)]

/** The same keys, each once, and the same sum. */
export function agree(before: readonly DumpCount[], after: readonly DumpCount[]): boolean {
  return after.every(({ elements, repeated, fresh, bytes }, index) => {
    const other = before[index]
    return other?.elements === elements && other.bytes === bytes && other.repeated === 0 && repeated === 0 && fresh === 0
  })
}
