// How many pairs a node may hold, and in how many sets.

const SMALLEST = 16_384
const LARGEST = 262_144
/** Slab of one element, and its counter, one per CPU (measured on x64). */
const PAIR_BYTES = 96
const PAIR_BYTES_PER_CPU = 16
/** Part of the memory that one full generation of pairs of one address family may take. */
const MEMORY_SHARE = 0.0025

export interface Machine {
  readonly cpus: number
  readonly memoryBytes: number
}

/** Pairs of one address family in one generation. */
export function pairLimit(maxPairs: 'auto' | number, { cpus, memoryBytes }: Machine): number {
  if (maxPairs !== 'auto') return maxPairs
  const affordable = (memoryBytes * MEMORY_SHARE) / (PAIR_BYTES + PAIR_BYTES_PER_CPU * cpus)
  const power = 2 ** Math.floor(Math.log2(Math.max(affordable, 1)))
  return Math.min(Math.max(power, SMALLEST), LARGEST)
}

export const SHARDS = 16
export type Shards = 1 | typeof SHARDS

// The kernel walks a set from its beginning for each message of a dump, so a dump takes time by the square of the set's size; sixteen
// sets cost a hash and a jump more for each packet.
const SHARD_FROM = 24_000

export const shardsFor = (pairs: number): Shards => (pairs > SHARD_FROM ? SHARDS : 1)
