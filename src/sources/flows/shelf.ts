// The generations at hand, from the oldest to the live one.
import type { SetInfo } from '../../kernel/nftables.js'
import { createGeneration, type Generation, setsByGeneration } from './generations.js'
import type { PairTable } from './pairs.js'

export interface Shelf {
  /** Oldest first. */
  readonly all: readonly Generation[]
  readonly live: Generation | undefined
  /** What the table holds now. A generation whose sets are gone keeps what it had counted. */
  update(sets: readonly SetInfo[], live: number, atMs: number): void
  /** Of these, the closed ones leave. */
  remove(ids: readonly number[]): void
  clear(): void
}

export function createShelf(pairs: PairTable): Shelf {
  let all: Generation[] = []
  const drop = ({ seen, via }: Generation): void => {
    seen.drop()
    via.drop()
  }
  return {
    get all() {
      return all
    },
    get live() {
      return all.at(-1)
    },
    update(sets, live, atMs) {
      const found = setsByGeneration(sets)
      const added = [...found.keys()].filter((id) => !all.some((generation) => generation.id === id))
      // What is there at first another process may have filled; what comes later is empty.
      const isFound = all.length === 0
      all = [...all, ...added.map((id) => createGeneration(id, pairs, !isFound))].sort((a, b) => a.id - b.id)
      for (const generation of all) {
        generation.sets = found.get(generation.id) ?? []
        if (generation.id !== live) generation.detachedAtMs ??= atMs
      }
    },
    remove(ids) {
      const leaving = all.filter(({ id, closed }) => closed && ids.includes(id))
      all = all.filter((generation) => !leaving.includes(generation))
      for (const generation of leaving) drop(generation)
    },
    clear() {
      for (const generation of all) drop(generation)
      all = []
    },
  }
}
