// Rows of 32-bit words, each held once and numbered from 0: a hash table of open addressing in typed arrays, no object and no string per
// row, since a read of the kernel looks up every pair of the node. Freed numbers are used again.

export interface Interner {
  /** Fill this, then call `intern`. */
  readonly key: Uint32Array
  /** One more than the largest number in use. */
  readonly size: number
  /** The number of the row that equals `key`, a new one if there is none. */
  intern(): number
  word(row: number, index: number): number
  free(row: number): void
}

const FIRST_CAPACITY = 1024

/** `seed` keeps others from choosing rows that collide. */
export function createInterner(width: number, seed: number): Interner {
  const key = new Uint32Array(width)
  const free: number[] = []
  let words = new Uint32Array(FIRST_CAPACITY * width)
  let hashes = new Int32Array(FIRST_CAPACITY)
  let slots = new Int32Array(FIRST_CAPACITY * 2)
  let top = 0
  let used = 0

  function hashOfKey(): number {
    let hash = seed
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ (key[i] ?? 0), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash, 0x85ebca6b)
    return hash ^ (hash >>> 13)
  }

  function equalsKey(row: number): boolean {
    const base = row * width
    for (let i = 0; i < width; i++) if (words[base + i] !== key[i]) return false
    return true
  }

  function intern(): number {
    const hash = hashOfKey()
    const mask = slots.length - 1
    let slot = hash & mask
    for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
      if (hashes[entry - 1] === hash && equalsKey(entry - 1)) return entry - 1
      slot = (slot + 1) & mask
    }
    return add(hash, slot)
  }

  function add(hash: number, slot: number): number {
    const row = free.pop() ?? top++
    if (row >= hashes.length) grow()
    words.set(key, row * width)
    hashes[row] = hash
    used++
    if (used * 2 > slots.length) rebuild(slots.length * 2, row)
    else slots[slot] = row + 1
    return row
  }

  function grow(): void {
    words = enlarged(words, new Uint32Array(words.length * 2))
    hashes = enlarged(hashes, new Int32Array(hashes.length * 2))
  }

  /** Places all rows anew, the one just added included. */
  function rebuild(length: number, added: number): void {
    const old = slots
    slots = new Int32Array(length)
    for (const entry of old) if (entry !== 0) place(entry)
    place(added + 1)
  }

  function place(entry: number): void {
    const mask = slots.length - 1
    let slot = (hashes[entry - 1] ?? 0) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = entry
  }

  /** Later rows of the same run move up into the hole, so that no search ends early at it. */
  function remove(row: number): void {
    const mask = slots.length - 1
    let hole = (hashes[row] ?? 0) & mask
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const entry = slots[next] ?? 0
      const home = (hashes[entry - 1] ?? 0) & mask
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      slots[hole] = entry
      hole = next
    }
    slots[hole] = 0
  }

  return {
    key,
    get size() {
      return top
    },
    intern,
    word: (row, index) => words[row * width + index] ?? 0,
    free(row) {
      remove(row)
      free.push(row)
      used--
    },
  }
}

export function enlarged<T extends Uint32Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
