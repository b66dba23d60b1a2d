// The generations of sets that the table holds, and what each has counted. Dead pairs leave the kernel only by a new generation: every
// other way to remove an element loses the bytes of packets that come meanwhile.
import type { Nftables, SetInfo } from '../../kernel/nftables.js'
import type { GenerationReading } from '../../model/flows.js'
import { parseSetName, type SetKind } from './layout.js'
import type { PairTable } from './pairs.js'
import { createTotals, type Totals } from './totals.js'

export interface Generation {
  readonly id: number
  readonly seen: Totals
  readonly via: Totals
  sets: readonly GenerationSet[]
  closed: boolean
  /** All that was in it when this process found it has been read. */
  whole: boolean
  /** Number of the last dump. */
  dump: number
  interrupted: boolean
  /** Since when no rule fills it. */
  detachedAtMs: number | undefined
}

interface GenerationSet extends SetInfo {
  readonly kind: SetKind
}

/** How full the sets of a generation were. */
export interface Fill {
  /** Pairs of the address family that has more. */
  readonly pairs: number
  /** Of the fullest set, 0 to 1. */
  readonly share: number
}

export const createGeneration = (id: number, pairs: PairTable, whole: boolean): Generation => ({
  id,
  seen: createTotals(pairs),
  via: createTotals(pairs),
  sets: [],
  closed: false,
  whole,
  dump: 0,
  interrupted: false,
  detachedAtMs: undefined,
})

export const readingOf = ({ id, closed, seen, via }: Generation): GenerationReading => ({
  id,
  closed,
  seen: seen.column,
  via: via.column,
})

/** By generation, the lowest first. */
export function setsByGeneration(sets: readonly SetInfo[]): ReadonlyMap<number, readonly GenerationSet[]> {
  const found = new Map<number, GenerationSet[]>()
  for (const set of sets) {
    const named = parseSetName(set.name)
    if (!named) continue
    const others = found.get(named.generation) ?? []
    found.set(named.generation, [...others, { ...set, kind: named.kind }])
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}

export interface Dumping {
  readonly nft: Nftables
  readonly table: string
  readonly pairs: PairTable
  readonly pause: () => Promise<void> | undefined
}

/**
 * Elements that its sets have and no dump has shown yet; no element ever leaves a set. Undefined: older kernels do not say how many there are.
 */
export function missingOf({ nft, table }: Pick<Dumping, 'nft' | 'table'>, { sets, seen, via }: Generation): number | undefined {
  const names = new Set(sets.map(({ name }) => name))
  const counts = nft.sets(table).flatMap(({ name, count }) => (names.has(name) ? [count] : []))
  return counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    -seen.column.count - via.column.count,
  )
}

/** How full the last of them is. Transit first: what was added to it since was added to the pairs before, so that no pair has less than its transit. */
export async function dumpGenerations(dumping: Dumping, generations: readonly Generation[]): Promise<Fill> {
  let fill: Fill = { pairs: 0, share: 0 }
  for (const generation of generations) {
    generation.dump++
    generation.interrupted = false
    await dumpSets(dumping, generation, 'via')
  }
  for (const generation of generations) fill = await dumpSets(dumping, generation, 'seen')
  return fill
}

async function dumpSets({ nft, table, pairs, pause }: Dumping, generation: Generation, column: 'seen' | 'via'): Promise<Fill> {
  const totals = generation[column]
  const byKey = new Map<number, number>()
  let share = 0
  for (const set of generation.sets.filter(({ kind }) => (kind === 'via') === (column === 'via'))) {
    let elements = 0
    const intern = set.kind === 'from' || set.kind === 'to' ? pairs.internBehind[set.kind] : pairs.intern
    const onElement = (key: Buffer, offset: number, length: number, bytes: number): void => {
      elements++
      totals.raise(intern(key, offset, length), bytes, generation.dump)
    }
    const whole = await nft.dumpSet({ table, set: set.name, onElement, pause })
    if (!whole) generation.interrupted = true
    byKey.set(set.keyLength, (byKey.get(set.keyLength) ?? 0) + elements)
    share = Math.max(share, elements / set.size)
  }
  return { pairs: Math.max(0, ...byKey.values()), share }
}
