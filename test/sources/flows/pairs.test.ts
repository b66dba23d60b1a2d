import t from 'tap'
import { createPairs, type PairTable } from '../../../src/sources/flows/pairs.js'
import { fc } from '../../property.js'

const IPV4 = fc.tuple(fc.constantFrom('10.0.0.', '10.255.0.'), fc.nat({ max: 3 })).map(([prefix, last]) => prefix + last)
const IPV6 = fc.tuple(fc.constantFrom('fd00::', '::ffff:10.0.0.'), fc.integer({ min: 1, max: 4 })).map(([prefix, last]) => prefix + last)
/** The same id in one half or in both of its words. */
const CGROUP = fc.constantFrom('', '@7', '@30064771072', '@30064771079')
const behind = (address: fc.Arbitrary<string>) => fc.tuple(address, CGROUP).map(([text, id]) => text + id)
/** One end at most has a cgroup. */
const pair = fc
  .constantFrom(IPV4, IPV6)
  .chain((address) => fc.oneof(fc.tuple(behind(address), address), fc.tuple(address, behind(address))))

const bytesOf = (address: string): number[] => {
  if (!address.includes(':')) return address.split('.').map(Number)
  const last = address.split(':').at(-1) ?? ''
  const tail = last.includes('.') ? [0xff, 0xff, ...last.split('.').map(Number)] : [Number.parseInt(last, 16)]
  const head = address.startsWith('fd00') ? [0xfd, 0] : []
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail]
}
/** At an odd place, as in a message of the kernel. */
const intern = (pairs: PairTable, source: string, destination: string): number => {
  const [[from = '', sender], [to = '', receiver]] = [source.split('@'), destination.split('@')]
  const id = sender ?? receiver
  const cgroup = Buffer.alloc(id === undefined ? 0 : 8)
  if (id !== undefined) cgroup.writeBigUInt64LE(BigInt(id))
  const key = [...cgroup, ...bytesOf(from), ...bytesOf(to)]
  const intern = id === undefined ? pairs.intern : pairs.internBehind[sender === undefined ? 'to' : 'from']
  return intern(Buffer.from([1, 2, 3, ...key, 9]), 3, key.length)
}
const textOf = (pairs: PairTable, id: number): string =>
  `${pairs.addressText(pairs.sourceOf(id))} ${pairs.addressText(pairs.destinationOf(id))}`

t.test('a pair has one number while somebody holds it, and its addresses have one each', async (t) => {
  const step = fc.record({ pair, isDropped: fc.boolean() })
  const property = fc.property(fc.integer(), fc.array(step, { maxLength: 200 }), (seed, steps) => {
    const pairs = createPairs(seed)
    const held = new Map<string, number>()
    for (const { pair, isDropped } of steps) {
      const text = pair.join(' ')
      const known = held.get(text)
      if (isDropped && known !== undefined) {
        pairs.drop(known)
        held.delete(text)
      } else {
        const id = intern(pairs, ...pair)
        if (known !== undefined && id !== known) return false
        if (known === undefined) pairs.hold(id)
        held.set(text, id)
      }
    }
    const addresses = new Map<number, string>()
    for (const [text, id] of held) {
      if (textOf(pairs, id) !== text) return false
      const [source = '', destination = ''] = text.split(' ')
      addresses.set(pairs.sourceOf(id), source)
      addresses.set(pairs.destinationOf(id), destination)
    }
    const distinct = new Set([...held.keys()].flatMap((text) => text.split(' ')))
    return new Set(held.values()).size === held.size && addresses.size === distinct.size
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})

t.test('an IPv4 address is not the IPv6 address that maps it', async (t) => {
  const pairs = createPairs(1)
  const plain = intern(pairs, '10.0.0.1', '10.0.0.2')
  const mapped = intern(pairs, '::ffff:10.0.0.1', '::ffff:10.0.0.2')
  t.not(plain, mapped)
  t.equal(textOf(pairs, plain), '10.0.0.1 10.0.0.2')
  t.equal(textOf(pairs, mapped), '::ffff:10.0.0.1 ::ffff:10.0.0.2')
})

t.test('a pair that two generations hold outlives the first of them', async (t) => {
  const pairs = createPairs(1)
  const id = intern(pairs, '10.0.0.1', '10.0.0.2')
  pairs.hold(id)
  pairs.hold(id)
  pairs.drop(id)
  t.equal(intern(pairs, '10.0.0.1', '10.0.0.2'), id)
  pairs.drop(id)
  const other = intern(pairs, '10.0.0.3', '10.0.0.4')
  t.equal(other, id, 'its number is used again')
  t.equal(textOf(pairs, other), '10.0.0.3 10.0.0.4')
  t.same([pairs.size, pairs.addresses], [1, 6], 'addresses of IPv4 have every third number')
})

t.test('an address lives as long as one of its cgroups, and no longer', async (t) => {
  const pairs = createPairs(1)
  const behind = intern(pairs, '10.0.0.1@7', '10.0.0.2')
  const plain = intern(pairs, '10.0.0.1', '10.0.0.2')
  for (const id of [behind, plain]) pairs.hold(id)
  pairs.drop(plain)
  for (const address of ['10.0.0.3', '10.0.0.4']) pairs.hold(intern(pairs, address, '10.0.0.2'))
  t.equal(textOf(pairs, behind), '10.0.0.1@7 10.0.0.2')
  pairs.drop(behind)
  const { addresses } = pairs
  pairs.hold(intern(pairs, '10.0.0.5', '10.0.0.2'))
  t.equal(pairs.addresses, addresses, 'its number is used again')
})
