// A set of small integers. A few are kept as they are, more as one bit each: then 100,000 of them take 13 kB, however many are in it.
export interface Bits {
  /** Whether it was not in it before. */
  add(id: number): boolean
  /** Whether it was in it before. */
  delete(id: number): boolean
  has(id: number): boolean
  /** Takes out so many, or all, in order. */
  take(most: number): readonly number[]
  /** So many from `from` on, in order. */
  some(from: number, most: number): readonly number[]
  /** How many. No getter: each of those would have a hidden class of its own, and there are thousands of sets. */
  count(): number
}

const WORD = 32
const MOST_FEW = 32
const NONE: readonly number[] = []

export function createBits(): Bits {
  /** As long as there are few. */
  let few: readonly number[] | undefined = NONE
  let words: Uint32Array | undefined
  let size = 0

  function spread(ids: readonly number[]): Uint32Array {
    const spreadWords = new Uint32Array(Math.floor(ids.reduce((most, id) => Math.max(most, id), 0) / WORD) + 1)
    for (const id of ids) setBit(spreadWords, id)
    return spreadWords
  }

  function has(id: number): boolean {
    return few ? few.includes(id) : hasBit(words, id)
  }

  function add(id: number): boolean {
    if (has(id)) return false
    size++
    if (few && few.length < MOST_FEW) {
      few = [...few, id]
      return true
    }
    words = grown(words ?? spread(few ?? NONE), id)
    few = undefined
    setBit(words, id)
    return true
  }

  function remove(id: number): boolean {
    if (!has(id)) return false
    size--
    if (few) few = few.filter((one) => one !== id)
    else if (size === 0) clear()
    else if (words) clearBit(words, id)
    return true
  }

  function clear(): void {
    few = NONE
    words = undefined
    size = 0
  }

  function some(from: number, most: number): readonly number[] {
    if (!few) return words ? bitsOf(words, from, most) : NONE
    const inOrder = few.filter((id) => id >= from).sort((a, b) => a - b)
    return inOrder.slice(0, most)
  }

  return {
    has,
    add,
    delete: remove,
    some,
    take(most) {
      const taken = some(0, most)
      if (taken.length === size) clear()
      else for (const id of taken) remove(id)
      return taken
    },
    count: () => size,
  }
}

const hasBit = (words: Uint32Array | undefined, id: number): boolean => ((words?.[Math.floor(id / WORD)] ?? 0) & (1 << (id % WORD))) !== 0

function setBit(words: Uint32Array, id: number): void {
  const index = Math.floor(id / WORD)
  words[index] = (words[index] ?? 0) | (1 << (id % WORD))
}

function clearBit(words: Uint32Array, id: number): void {
  const index = Math.floor(id / WORD)
  words[index] = (words[index] ?? 0) & ~(1 << (id % WORD))
}

function grown(words: Uint32Array, id: number): Uint32Array {
  const index = Math.floor(id / WORD)
  if (index < words.length) return words
  const larger = new Uint32Array(Math.max(index + 1, Math.ceil(words.length * 1.25)))
  larger.set(words)
  return larger
}

function bitsOf(words: Uint32Array, from: number, most: number): readonly number[] {
  const ids: number[] = []
  const first = Math.floor(from / WORD)
  for (let index = first; index < words.length && ids.length < most; index++) {
    // Those before `from` are in the first word only.
    let word = index === first ? (words[index] ?? 0) & (-1 << (from % WORD)) : (words[index] ?? 0)
    for (; word !== 0 && ids.length < most; word &= word - 1) ids.push(index * WORD + lowestOf(word))
  }
  return ids
}

const lowestOf = (word: number): number => WORD - 1 - Math.clz32(word & -word)
