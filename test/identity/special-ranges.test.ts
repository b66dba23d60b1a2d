import ipaddr from 'ipaddr.js'
import t from 'tap'
import { parseAddress } from '../../src/identity/address.js'
import { type AddressClass, createClassify } from '../../src/identity/special-ranges.js'
import { fc } from '../property.js'

const classify = createClassify()
const classOf = (text: string): AddressClass => classify(parseAddress(text) ?? [])

t.test('classify', async (t) => {
  const cases: [string, string, AddressClass][] = [
    ['a public resolver', '8.8.8.8', 'global'],
    ['the last before 10/8', '9.255.255.255', 'global'],
    ['RFC 1918, 10/8', '10.255.255.255', 'private'],
    ['the first behind 10/8', '11.0.0.0', 'global'],
    ['RFC 1918, 172.16/12', '172.31.255.255', 'private'],
    ['the first behind 172.16/12', '172.32.0.0', 'global'],
    ['RFC 1918, 192.168/16', '192.168.0.1', 'private'],
    ['carrier-grade NAT', '100.127.255.255', 'shared'],
    ['the first behind carrier-grade NAT', '100.128.0.0', 'global'],
    ['link-local, where clouds keep their metadata', '169.254.169.254', 'link-local'],
    ['loopback', '127.0.0.53', 'loopback'],
    ['multicast', '239.1.2.3', 'multicast'],
    ['broadcast', '255.255.255.255', 'multicast'],
    ['class E, which GKE gives to pods', '240.10.0.1', 'reserved'],
    ['a documentation range', '203.0.113.7', 'reserved'],
    ['the benchmark range, which EKS gives to pods', '198.19.0.1', 'reserved'],
    ['an anycast address inside a reserved range', '192.0.0.9', 'global'],
    ['no address yet', '0.0.0.0', 'unspecified'],
    ['IPv4-mapped', '::ffff:10.0.0.1', 'private'],
    ['global unicast', '2606:4700::1111', 'global'],
    ['unique local', 'fd12:3456::1', 'unique-local'],
    ['link-local IPv6', 'fe80::1', 'link-local'],
    ['the old site-local range', 'fec0::1', 'reserved'],
    ['loopback IPv6', '::1', 'loopback'],
    ['unspecified IPv6', '::', 'unspecified'],
    ['multicast IPv6', 'ff02::1', 'multicast'],
    ['documentation IPv6', '2001:db8::1', 'reserved'],
    ['the newer documentation range', '3fff:fff::1', 'reserved'],
    ['segment routing identifiers', '5f00::1', 'reserved'],
    ['ORCHIDv2 inside the protocol range', '2001:20::1', 'global'],
    ['behind NAT64, public', '64:ff9b::8.8.8.8', 'global'],
    ['behind NAT64, private', '64:ff9b::10.0.0.1', 'private'],
    ['NAT64 with a prefix for local use', '64:ff9b:1::8.8.8.8', 'reserved'],
  ]
  for (const [name, text, kind] of cases) t.equal(classOf(text), kind, `${name}: ${text}`)
})

/** What the ranges of ipaddr.js are to us. `unicast` is what it knows nothing of; NAT64 has its own cases above. */
const CLASS_OF: Readonly<Record<string, AddressClass>> = {
  private: 'private',
  carrierGradeNat: 'shared',
  uniqueLocal: 'unique-local',
  linkLocal: 'link-local',
  loopback: 'loopback',
  multicast: 'multicast',
  broadcast: 'multicast',
  unspecified: 'unspecified',
  reserved: 'reserved',
  benchmarking: 'reserved',
  discard: 'reserved',
  deprecatedOrchid: 'reserved',
  deprecatedSiteLocal: 'reserved',
  segmentRouting: 'reserved',
  rfc6145: 'reserved',
  teredo: 'global',
  '6to4': 'global',
  as112: 'global',
  as112v6: 'global',
  amt: 'global',
  orchid2: 'global',
  droneRemoteIdProtocolEntityTags: 'global',
}

function expectedClass(text: string): AddressClass | undefined {
  const address = ipaddr.process(text)
  const isGlobalUnicast = address.kind() === 'ipv4' || address.match(ipaddr.parse('2000::'), 3)
  return CLASS_OF[address.range()] ?? (isGlobalUnicast ? 'global' : 'reserved')
}

t.test('classify agrees with ipaddr.js', async (t) => {
  const octets = fc.tuple(fc.constantFrom(10, 100, 127, 169, 172, 192, 198, 203, 224, 240, 255), fc.nat(255), fc.nat(255), fc.nat(255))
  const groups = fc.tuple(fc.constantFrom('2001', '2002', '2620', '3fff', 'fc00', 'fe80', 'fec0', 'ff02'), fc.nat(0x1ff), fc.nat(0x120))
  const texts = fc.oneof(
    fc.ipV4(),
    octets.map((numbers) => numbers.join('.')),
    fc.ipV6().filter((text) => !/^(::\d+\.|64:ff9b)/i.test(text)),
    groups.map(([first, second, third]) => `${first}:${second.toString(16)}:${third.toString(16)}::7`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const kind = classOf(text)
      const expected = expectedClass(text)
      if (kind !== expected) throw new Error(`${text} is ${kind}, expected ${expected}`)
    }),
    { numRuns: 20000 },
  )
  t.pass('for 20,000 addresses, many of them near the borders')
})
