// The first dump of sets that another process filled and served. A dump made while a hash table grows misses elements; later the largest
// value seen stands, but here a pair that is missing would let its series fall below what was served before.
import { type Dumping, dumpGenerations, type Fill, type Generation, missingOf } from './generations.js'

/** New pairs that come all the time look like missing ones. */
const MOST_DUMPS = 4

/** Dumps again until nothing is missing, or gives up for this time; undefined when nothing was missing. */
export async function dumpRest(dumping: Dumping, generations: readonly Generation[]): Promise<Fill | undefined> {
  let fill: Fill | undefined
  for (let dumps = 0; dumps <= MOST_DUMPS; dumps++) {
    for (const generation of generations) generation.whole ||= isWhole(dumping, generation)
    if (generations.every(({ whole }) => whole) || dumps === MOST_DUMPS) break
    fill = await dumpGenerations(dumping, generations)
  }
  return fill
}

/** Where the kernel does not say how many there are: when a second dump shows nothing that the one before did not. */
function isWhole(dumping: Dumping, generation: Generation): boolean {
  const missing = missingOf(dumping, generation)
  if (missing !== undefined) return missing <= 0
  const { seen, via, dump } = generation
  return dump > 1 && [seen, via].every((totals) => totals.countOf(dump).fresh === 0)
}
