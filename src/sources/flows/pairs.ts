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

/** Bytes of a key of the kernel. */
const IPV4_KEY = 8

/** IPv4 addresses have even numbers, IPv6 ones odd: an IPv4 address is never mistaken for the IPv6 address that maps it. */
export function createPairs(seed: number): PairTable {
  const ipv4 = createInterner(1, seed)
  const ipv6 = createInterner(4, seed)
  const pairs = createInterner(2, seed)
  const text = Buffer.alloc(16)
  let users = new Int32Array(1024)
  let holders = new Int32Array(1024)

  function internIpv4(key: Buffer, offset: number): number {
    ipv4.key[0] = key.readUInt32BE(offset)
    return ipv4.intern() * 2
  }

  function internIpv6(key: Buffer, offset: number): number {
    for (let i = 0; i < 4; i++) ipv6.key[i] = key.readUInt32BE(offset + 4 * i)
    return ipv6.intern() * 2 + 1
  }

  const isIpv6 = (address: number): boolean => address % 2 === 1

  function change(address: number, by: number): void {
    if (address >= users.length) users = enlarged(users, new Int32Array(Math.max(address + 1, users.length * 2)))
    users[address] = (users[address] ?? 0) + by
    if (users[address] === 0) (isIpv6(address) ? ipv6 : ipv4).free(address >>> 1)
  }

  return {
    get size() {
      return pairs.size
    },
    get addresses() {
      return Math.max(ipv4.size, ipv6.size) * 2
    },
    sourceOf: (pair) => pairs.word(pair, 0),
    destinationOf: (pair) => pairs.word(pair, 1),
    addressText(address) {
      const table = isIpv6(address) ? ipv6 : ipv4
      const words = isIpv6(address) ? 4 : 1
      for (let i = 0; i < words; i++) text.writeUInt32BE(table.word(address >>> 1, i), 4 * i)
      return addressText(text, 0, 4 * words)
    },
    intern(key, offset, length) {
      const isShort = length === IPV4_KEY
      const source = isShort ? internIpv4(key, offset) : internIpv6(key, offset)
      const destination = isShort ? internIpv4(key, offset + 4) : internIpv6(key, offset + 16)
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
