import type { Address, Prefix } from './address.js'

/** Longest-prefix match. The later of two equal prefixes stands. */
export interface PrefixTable<T extends object | string> {
  set(prefix: Prefix, value: T): void
  lookup(address: Address): T | undefined
}

interface Length<T> {
  readonly mask: number
  readonly values: Map<number, T>
}

/** One 32-bit word deep: prefixes that end inside this word, longest first, and those that go on behind a full one. */
interface Level<T> {
  readonly lengths: Length<T>[]
  readonly deeper: Map<number, Level<T>>
}

/** A look-up costs one Map probe per distinct prefix length, and for IPv6 one more per word. */
export function createPrefixTable<T extends object | string>(rows: Iterable<readonly [Prefix, T]> = []): PrefixTable<T> {
  const ipv4 = createLevel<T>()
  const ipv6 = createLevel<T>()
  const rootOf = (address: Address): Level<T> => (address.length === 1 ? ipv4 : ipv6)
  const table: PrefixTable<T> = {
    set: (prefix, value) => insert(rootOf(prefix.address), prefix, value),
    lookup: (address) => find(rootOf(address), address, 0),
  }
  for (const [prefix, value] of rows) table.set(prefix, value)
  return table
}

function createLevel<T>(): Level<T> {
  return { lengths: [], deeper: new Map() }
}

function insert<T>(root: Level<T>, { address, length }: Prefix, value: T): void {
  let level = root
  let depth = 0
  for (; length > (depth + 1) * 32; depth++) level = deeperOf(level, address[depth] ?? 0)
  const mask = maskOf(length - depth * 32)
  valuesOf(level, mask).set((address[depth] ?? 0) & mask, value)
}

/** A shift by 32 is a shift by 0 in JavaScript, so the empty prefix needs its own answer. */
function maskOf(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits)
}

function deeperOf<T>(level: Level<T>, word: number): Level<T> {
  const next = level.deeper.get(word) ?? createLevel<T>()
  level.deeper.set(word, next)
  return next
}

function valuesOf<T>(level: Level<T>, mask: number): Map<number, T> {
  const found = level.lengths.find((length) => length.mask === mask)
  if (found) return found.values
  const values = new Map<number, T>()
  level.lengths.push({ mask, values })
  level.lengths.sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0))
  return values
}

function find<T>(level: Level<T>, address: Address, depth: number): T | undefined {
  const word = address[depth] ?? 0
  if (level.deeper.size > 0) {
    const next = level.deeper.get(word)
    const found = next && find(next, address, depth + 1)
    if (found !== undefined) return found
  }
  for (const { mask, values } of level.lengths) {
    const found = values.get(word & mask)
    if (found !== undefined) return found
  }
  return undefined
}
