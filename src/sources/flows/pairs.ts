// Address pairs as small numbers. A key of the kernel is the source and the destination side by side: 8 bytes of IPv4, 32 of IPv6.
import { addressText } from '../../kernel/address.js'
import type { Pairs } from '../../model.js'
import { createInterner, enlarged } from './interner.js'

export interface PairTable extends Pairs {
  /** The pair of a key; it lives while somebody holds it. */
  intern(key: Buffer, offset: number, length: number): number
  hold(pair: number): void
  drop(pair: number): void
}

/** Family and four words. An IPv4 address uses the last, and so is never mistaken for the IPv6 address that maps it. */
const ADDRESS_WORDS = 5
const IPV4_KEY = 8

export function createPairs(seed: number): PairTable {
  const addresses = createInterner(ADDRESS_WORDS, seed)
  const pairs = createInterner(2, seed)
  const text = Buffer.alloc(16)
  let users = new Int32Array(1024)
  let holders = new Int32Array(1024)

  function internAddress(key: Buffer, offset: number, length: number): number {
    const words = addresses.key
    words[0] = length
    if (length === 4) {
      words[1] = words[2] = words[3] = 0
      words[4] = key.readUInt32BE(offset)
    } else {
      for (let i = 0; i < 4; i++) words[i + 1] = key.readUInt32BE(offset + 4 * i)
    }
    return addresses.intern()
  }

  function change(address: number, by: number): void {
    if (address >= users.length) users = enlarged(users, new Int32Array(Math.max(address + 1, users.length * 2)))
    users[address] = (users[address] ?? 0) + by
    if (users[address] === 0) addresses.free(address)
  }

  return {
    get size() {
      return pairs.size
    },
    get addresses() {
      return addresses.size
    },
    sourceOf: (pair) => pairs.word(pair, 0),
    destinationOf: (pair) => pairs.word(pair, 1),
    addressText(address) {
      for (let i = 0; i < 4; i++) text.writeUInt32BE(addresses.word(address, i + 1), 4 * i)
      return addresses.word(address, 0) === 4 ? addressText(text, 12, 4) : addressText(text, 0, 16)
    },
    intern(key, offset, length) {
      const half = length === IPV4_KEY ? 4 : 16
      const source = internAddress(key, offset, half)
      const destination = internAddress(key, offset + half, half)
      pairs.key[0] = source
      pairs.key[1] = destination
      return pairs.intern()
    },
    hold(pair) {
      if (pair >= holders.length) holders = enlarged(holders, new Int32Array(Math.max(pair + 1, holders.length * 2)))
      const before = holders[pair] ?? 0
      holders[pair] = before + 1
      if (before > 0) return
      change(pairs.word(pair, 0), 1)
      change(pairs.word(pair, 1), 1)
    },
    drop(pair) {
      const after = (holders[pair] ?? 0) - 1
      holders[pair] = after
      if (after > 0) return
      const source = pairs.word(pair, 0)
      const destination = pairs.word(pair, 1)
      pairs.free(pair)
      change(source, -1)
      change(destination, -1)
    },
  }
}
