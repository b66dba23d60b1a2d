import ipaddr from 'ipaddr.js'
import t from 'tap'
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../src/identity/address.js'
import { createPrefixTable } from '../../src/identity/prefix-table.js'
import { fc } from '../property.js'

function prefixOf(cidr: string): Prefix {
  const prefix = parsePrefix(cidr)
  if (!prefix) throw new Error(`${cidr} is no CIDR`)
  return prefix
}

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (!address) throw new Error(`${text} is no address`)
  return address
}

t.test('lookup', async (t) => {
  const cidrs = [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.0.10/32',
    '192.0.0.0/1',
    'fd00::/8',
    'fd00:1::/32',
    'fd00:1:2::/48',
    'fd00:1:2::7/128',
  ]
  const table = createPrefixTable(cidrs.map((cidr) => [prefixOf(cidr), cidr] as const))
  const cases = [
    { name: 'the host itself', text: '10.1.0.10', found: '10.1.0.10/32' },
    { name: 'its neighbour', text: '10.1.0.11', found: '10.1.0.0/16' },
    { name: 'the wider network', text: '10.2.0.1', found: '10.0.0.0/8' },
    { name: 'the upper half of all addresses', text: '200.0.0.1', found: '192.0.0.0/1' },
    { name: 'only the default', text: '9.0.0.1', found: '0.0.0.0/0' },
    { name: 'an IPv6 host', text: 'fd00:1:2::7', found: 'fd00:1:2::7/128' },
    { name: 'a prefix that ends inside the second word', text: 'fd00:1:2::8', found: 'fd00:1:2::/48' },
    { name: 'a prefix that ends with the first word', text: 'fd00:1:3::8', found: 'fd00:1::/32' },
    { name: 'a prefix that ends inside the first word', text: 'fd00:2::8', found: 'fd00::/8' },
    { name: 'no IPv6 default', text: '2001:db8::1', found: undefined },
  ]
  for (const { name, text, found } of cases) t.equal(table.lookup(addressOf(text)), found, name)
})

t.test('the later of two equal prefixes stands, whatever bits it has beyond its length', async (t) => {
  const table = createPrefixTable([
    [prefixOf('10.1.0.0/16'), 'first'],
    [prefixOf('10.1.9.9/16'), 'second'],
  ])
  t.equal(table.lookup(addressOf('10.1.0.1')), 'second')
})

// Near misses are what goes wrong, so addresses differ from the prefixes in few bits.
function networksOf(bits: 32 | 128): fc.Arbitrary<{ cidrs: string[]; texts: string[] }> {
  const bytes = fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 })
  const flip = (base: Uint8Array, bit: number): string => {
    const flipped = Uint8Array.from(base)
    if (bit < bits) flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    return ipaddr.fromByteArray([...flipped]).toString()
  }
  const near = fc.array(fc.tuple(fc.nat(bits), fc.nat(bits)), { minLength: 1, maxLength: 20 })
  return fc.tuple(bytes, near, fc.array(fc.nat(bits), { minLength: 1, maxLength: 20 })).map(([base, prefixes, flips]) => ({
    cidrs: prefixes.map(([bit, length]) => `${flip(base, bit)}/${length}`),
    texts: flips.map((bit) => flip(base, bit)),
  }))
}

/** The oracle: try every prefix with ipaddr.js, keep the longest, the later of equals. */
function longestMatch(cidrs: readonly string[], text: string): string | undefined {
  let best: { cidr: string; length: number } | undefined
  for (const cidr of cidrs) {
    const [network, length] = ipaddr.parseCIDR(cidr)
    const matches = ipaddr.parse(text).match(network, length)
    if (matches && length >= (best?.length ?? 0)) best = { cidr, length }
  }
  return best?.cidr
}

for (const bits of [32, 128] as const) {
  t.test(`lookup finds what ipaddr.js finds by trying all prefixes, ${bits} bits`, async (t) => {
    fc.assert(
      fc.property(networksOf(bits), ({ cidrs, texts }) => {
        const table = createPrefixTable(cidrs.map((cidr) => [prefixOf(cidr), cidr] as const))
        for (const text of texts) {
          const found = table.lookup(addressOf(text))
          const expected = longestMatch(cidrs, text)
          if (found !== expected) throw new Error(`${text} in ${cidrs.join(' ')}: ${found}, expected ${expected}`)
        }
      }),
      { numRuns: 2000 },
    )
    t.pass('for 2,000 tables')
  })
}
