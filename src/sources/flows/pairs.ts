// Address pairs as small numbers. A key of the kernel is the source and the destination side by side: 8 bytes of IPv4, 32 of IPv6; before them, in
// sets by cgroup, the 8 bytes of its id.
import { addressText } from '../../kernel/address.js'
import type { Pairs } from '../../model/flows.js'
import { createInterner, enlarged } from './interner.js'

/** The pair of a key; it lives while somebody holds it. */
type InternKey = (key: Buffer, offset: number, length: number) => number

export interface PairTable extends Pairs {
  readonly intern: InternKey
  /** The same of keys with a cgroup, which is at the source or at the destination of the pair. */
  readonly internBehind: Readonly<Record<'from' | 'to', InternKey>>
  hold(pair: number): void
  drop(pair: number): void
}

/** Bytes of a key of the kernel, and of the id before it. */
const IPV4_KEY = 8
const CGROUP_ID = 8

/** The number of an address says what it is, and where it is kept: an IPv4 address is never mistaken for the IPv6 address that maps it. */
const KINDS = 3
const IPV4 = 0
const IPV6 = 1
/** Of one cgroup: the number of the address without it, and the id in two words. */
const OF_CGROUP = 2

export function createPairs(seed: number): PairTable {
  const ipv4 = createInterner(1, seed)
  const ipv6 = createInterner(4, seed)
  const ofCgroup = createInterner(3, seed)
  const tables = [ipv4, ipv6, ofCgroup] as const
  const pairs = createInterner(2, seed)
  const text = Buffer.alloc(16)
  let users = new Int32Array(1024)
  let holders = new Int32Array(1024)

  // Written out, since a read of the kernel comes here for every pair of the node.
  function internIpv4(key: Buffer, offset: number): number {
    ipv4.key[0] = key.readUInt32BE(offset)
    return ipv4.intern() * KINDS + IPV4
  }

  function internIpv6(key: Buffer, offset: number): number {
    for (let i = 0; i < 4; i++) ipv6.key[i] = key.readUInt32BE(offset + 4 * i)
    return ipv6.intern() * KINDS + IPV6
  }

  function internOfCgroup(address: number, key: Buffer, offset: number): number {
    ofCgroup.key[0] = address
    // The kernel keeps the id in the order of the machine.
    ofCgroup.key[1] = key.readUInt32LE(offset + 4)
    ofCgroup.key[2] = key.readUInt32LE(offset)
    return ofCgroup.intern() * KINDS + OF_CGROUP
  }

  function internPair(source: number, destination: number): number {
    pairs.key[0] = source
    pairs.key[1] = destination
    return pairs.intern()
  }

  function intern(key: Buffer, offset: number, length: number): number {
    if (length === IPV4_KEY) return internPair(internIpv4(key, offset), internIpv4(key, offset + 4))
    return internPair(internIpv6(key, offset), internIpv6(key, offset + 16))
  }

  const internBehind =
    (end: 'from' | 'to'): InternKey =>
    (key, offset, length) => {
      const [internAddress, bytes] = length === CGROUP_ID + IPV4_KEY ? [internIpv4, 4] : [internIpv6, 16]
      const source = internAddress(key, offset + CGROUP_ID)
      const destination = internAddress(key, offset + CGROUP_ID + bytes)
      return end === 'from'
        ? internPair(internOfCgroup(source, key, offset), destination)
        : internPair(source, internOfCgroup(destination, key, offset))
    }

  /** An address of a cgroup keeps the address without it. */
  function change(address: number, by: number): void {
    if (address >= users.length) users = enlarged(users, new Int32Array(Math.max(address + 1, users.length * 2)))
    const before = users[address] ?? 0
    users[address] = before + by
    const row = Math.floor(address / KINDS)
    if (before > 0 && before + by > 0) return
    if (address % KINDS === OF_CGROUP) change(ofCgroup.word(row, 0), by)
    if (before + by === 0) tables[address % KINDS]?.free(row)
  }

  function textOf(address: number): string {
    const row = Math.floor(address / KINDS)
    if (address % KINDS === OF_CGROUP) {
      const id = (BigInt(ofCgroup.word(row, 1)) << 32n) | BigInt(ofCgroup.word(row, 2))
      return `${textOf(ofCgroup.word(row, 0))}@${id}`
    }
    const [table, words] = address % KINDS === IPV6 ? [ipv6, 4] : [ipv4, 1]
    for (let i = 0; i < words; i++) text.writeUInt32BE(table.word(row, i), 4 * i)
    return addressText(text, 0, 4 * words)
  }

  return {
    get size() {
      return pairs.size
    },
    get addresses() {
      return Math.max(...tables.map(({ size }) => size)) * KINDS
    },
    sourceOf: (pair) => pairs.word(pair, 0),
    destinationOf: (pair) => pairs.word(pair, 1),
    addressText: textOf,
    intern,
    internBehind: { from: internBehind('from'), to: internBehind('to') },
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
