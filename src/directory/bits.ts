// A set of small integers, one bit each: 100,000 of them take 13 kB, however many are in it.
export interface Bits {
  /** Whether it was not in it before. */
  add(id: number): boolean
  /** Whether it was in it before. */
  delete(id: number): boolean
  has(id: number): boolean
  /** Takes out so many, or all. */
  take(most: number): number[]
  /** In order. */
  values(): Iterable<number>
  /** How many. No getter: each of those would have a hidden class of its own, and there are thousands of sets. */
  count(): number
}

const WORD = 32
const NONE = new Uint32Array(0)

export function createBits(): Bits {
  let words: Uint32Array = NONE
  let size = 0
  /** No word before this one holds any. */
  let first = 0

  function grow(index: number): void {
    if (index < words.length) return
    const larger = new Uint32Array(Math.max(index + 1, Math.ceil(words.length * 1.25)))
    larger.set(words)
    words = larger
  }

  function clear(): void {
    words = NONE
    first = 0
  }

  const wordAt = (index: number): number => words[index] ?? 0

  function remove(id: number): boolean {
    const [index, bit] = [Math.floor(id / WORD), 1 << (id % WORD)]
    if ((wordAt(index) & bit) === 0) return false
    words[index] = wordAt(index) & ~bit
    size--
    return true
  }

  function* values(): Generator<number> {
    for (let index = first; index < words.length; index++) {
      for (let word = wordAt(index); word !== 0; word &= word - 1) yield index * WORD + lowestOf(word)
    }
  }

  return {
    add(id) {
      const [index, bit] = [Math.floor(id / WORD), 1 << (id % WORD)]
      if ((wordAt(index) & bit) !== 0) return false
      grow(index)
      words[index] = wordAt(index) | bit
      first = Math.min(first, index)
      size++
      return true
    },
    delete: remove,
    has: (id) => (wordAt(Math.floor(id / WORD)) & (1 << (id % WORD))) !== 0,
    take(most) {
      const taken: number[] = []
      if (size === 0) return taken
      for (const id of values()) {
        if (taken.length === most) break
        taken.push(id)
      }
      for (const id of taken) remove(id)
      first = Math.floor((taken.at(-1) ?? 0) / WORD)
      // Most are empty most of the time.
      if (size === 0) clear()
      return taken
    },
    values,
    count: () => size,
  }
}

const lowestOf = (word: number): number => WORD - 1 - Math.clz32(word & -word)
