import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import { parseAddress, parsePrefix, translatedOf } from '../../src/identity/address.js'
import { fc } from '../property.js'

/** ipaddr.js takes `::10.0.0.1`, IPv4-compatible and long deprecated, for IPv4; inet_pton does not, and neither do we. */
const isReadAlike = (text: string): boolean => !/^::\d+\./.test(text)

/** The oracle: what ipaddr.js makes of a text, IPv4-mapped turned into IPv4. */
function wordsOf(text: string): number[] {
  const bytes = ipaddr.process(text).toByteArray()
  return Array.from({ length: bytes.length / 4 }, (_, word) => Buffer.from(bytes).readInt32BE(word * 4))
}

t.test('parseAddress', async (t) => {
  const cases = [
    { name: 'the lowest', text: '0.0.0.0', words: [0] },
    { name: 'the highest', text: '255.255.255.255', words: [-1] },
    { name: 'a dotted quad', text: '10.1.0.10', words: [0x0a01000a] },
    { name: 'three numbers', text: '10.1.0', words: undefined },
    { name: 'five numbers', text: '10.1.0.10.1', words: undefined },
    { name: 'a number over 255', text: '10.1.0.256', words: undefined },
    { name: 'a leading zero, octal to some', text: '10.1.0.010', words: undefined },
    { name: 'an empty number', text: '10..0.1', words: undefined },
    { name: 'a dot too many', text: '10.1.0.1.', words: undefined },
    { name: 'a sign', text: '10.1.0.-1', words: undefined },
    { name: 'a space', text: ' 10.1.0.1', words: undefined },
    { name: 'a name', text: 'orders-db', words: undefined },
    { name: 'nothing', text: '', words: undefined },
    { name: 'all zeros', text: '::', words: [0, 0, 0, 0] },
    { name: 'loopback', text: '::1', words: [0, 0, 0, 1] },
    { name: 'a gap in the middle', text: 'fd00:10::7', words: [0xfd000010 | 0, 0, 0, 7] },
    { name: 'a gap at the end', text: 'fe80::', words: [0xfe800000 | 0, 0, 0, 0] },
    { name: 'no gap', text: '1:2:3:4:5:6:7:8', words: [0x10002, 0x30004, 0x50006, 0x70008] },
    { name: 'a gap for one group', text: '1:2:3:4:5:6:7::', words: [0x10002, 0x30004, 0x50006, 0x70000] },
    { name: 'capitals', text: 'FD00::ABCD', words: [0xfd000000 | 0, 0, 0, 0xabcd] },
    { name: 'a dotted quad at the end', text: '64:ff9b::192.0.2.33', words: [0x0064ff9b, 0, 0, 0xc0000221 | 0] },
    { name: 'IPv4-mapped is IPv4', text: '::ffff:10.1.0.10', words: [0x0a01000a] },
    { name: 'IPv4-mapped in hexadecimal', text: '::ffff:a01:a', words: [0x0a01000a] },
    { name: 'IPv4-compatible is not IPv4', text: '::10.1.0.10', words: [0, 0, 0, 0x0a01000a] },
    { name: 'a gap for no group', text: '1:2:3:4:5:6:7:8::', words: undefined },
    { name: 'two gaps', text: '1::2::3', words: undefined },
    { name: 'three colons', text: '1:::2', words: undefined },
    { name: 'a colon first', text: ':1::2', words: undefined },
    { name: 'a colon last', text: '1::2:', words: undefined },
    { name: 'seven groups', text: '1:2:3:4:5:6:7', words: undefined },
    { name: 'nine groups', text: '1:2:3:4:5:6:7:8:9', words: undefined },
    { name: 'five digits', text: '1::12345', words: undefined },
    { name: 'no hexadecimal digit', text: '1::g', words: undefined },
    { name: 'a dotted quad in the middle', text: '::10.0.0.1:1', words: undefined },
    { name: 'a dotted quad for the ninth group', text: '1:2:3:4:5:6:7:10.0.0.1', words: undefined },
    { name: 'a scope, which no packet carries', text: 'fe80::1%eth0', words: undefined },
  ]
  for (const { name, text, words } of cases) t.same(parseAddress(text), words, name)
})

t.test('parseAddress reads every text of an address as ipaddr.js does', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6().filter(isReadAlike)), (text) => {
      const words = parseAddress(text)
      if (String(words) !== String(wordsOf(text))) throw new Error(`${text} read as ${words}, expected ${wordsOf(text)}`)
    }),
    { numRuns: 10000 },
  )
  t.pass('for 10,000 addresses')
})

t.test('parseAddress never throws, and takes nothing that inet_pton refuses', async (t) => {
  const texts = fc.string({ unit: fc.constantFrom(...'0129afAF:.%/ g'), maxLength: 24 })
  fc.assert(
    fc.property(texts, (text) => {
      if (parseAddress(text) !== undefined && isIP(text) === 0) throw new Error(`"${text}" is no address`)
    }),
    { numRuns: 50000 },
  )
  t.pass('for 50,000 texts')
})

t.test('parsePrefix', async (t) => {
  const cases = [
    { name: 'a network', text: '10.1.0.0/16', prefix: { address: [0x0a010000], length: 16 } },
    { name: 'everything', text: '0.0.0.0/0', prefix: { address: [0], length: 0 } },
    { name: 'a host', text: '10.1.0.10/32', prefix: { address: [0x0a01000a], length: 32 } },
    { name: 'an address alone', text: '10.1.0.10', prefix: { address: [0x0a01000a], length: 32 } },
    { name: 'an IPv6 network', text: 'fd00:10::/64', prefix: { address: [0xfd000010 | 0, 0, 0, 0], length: 64 } },
    { name: 'an IPv6 address alone', text: '::1', prefix: { address: [0, 0, 0, 1], length: 128 } },
    { name: 'an IPv4-mapped network', text: '::ffff:10.1.0.0/112', prefix: { address: [0x0a010000], length: 16 } },
    { name: 'more than IPv4-mapped', text: '::ffff:0:0/95', prefix: { address: [0, 0, 0xffff, 0], length: 95 } },
    { name: 'longer than IPv4', text: '10.1.0.0/33', prefix: undefined },
    { name: 'longer than IPv6', text: 'fd00::/129', prefix: undefined },
    { name: 'no length', text: '10.1.0.0/', prefix: undefined },
    { name: 'a negative length', text: '10.1.0.0/-1', prefix: undefined },
    { name: 'a leading zero', text: '10.1.0.0/08', prefix: undefined },
    { name: 'two lengths', text: '10.1.0.0/16/8', prefix: undefined },
    { name: 'a netmask', text: '10.1.0.0/255.255.0.0', prefix: undefined },
    { name: 'no address', text: 'shop/16', prefix: undefined },
  ]
  for (const { name, text, prefix } of cases) t.same(parsePrefix(text), prefix, name)
})

t.test('translatedOf', async (t) => {
  const cases = [
    { name: 'the well-known prefix', text: '64:ff9b::10.0.0.1', behind: [0x0a000001] },
    { name: 'the local-use prefix', text: '64:ff9b:1::10.0.0.1', behind: undefined },
    { name: 'another IPv6 address', text: 'fd00::10.0.0.1', behind: undefined },
    { name: 'IPv4', text: '10.0.0.1', behind: undefined },
  ]
  for (const { name, text, behind } of cases) t.same(translatedOf(parseAddress(text) ?? []), behind, name)
})
