// What an address is when nobody names it. From the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates).
import { type Address, parsePrefix, translatedOf } from './address.js'
import { createPrefixTable } from './prefix-table.js'

/** `reserved`: not globally reachable by the registries, for whatever reason. */
export type AddressClass =
  | 'global'
  | 'private'
  | 'shared'
  | 'unique-local'
  | 'link-local'
  | 'loopback'
  | 'multicast'
  | 'unspecified'
  | 'reserved'

// Documentation, benchmark and class E ranges are `reserved` and not the internet: clouds give them to subnets and pods
// (240.0.0.0/4, 198.18.0.0/15, 203.0.113.0/24 and the like are valid ranges of a Google Cloud subnet), nobody routes them outside.
const RANGES: readonly (readonly [string, AddressClass])[] = [
  ['0.0.0.0/0', 'global'],
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.0.9/32', 'global'],
  ['192.0.0.10/32', 'global'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['255.255.255.255/32', 'multicast'],
  // Only 2000::/3 has been given out as global unicast; all else without a row of its own is reserved.
  ['::/0', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['2000::/3', 'global'],
  ['2001::/23', 'reserved'],
  ['2001::/32', 'global'],
  ['2001:1::1/128', 'global'],
  ['2001:1::2/128', 'global'],
  ['2001:1::3/128', 'global'],
  ['2001:3::/32', 'global'],
  ['2001:4:112::/48', 'global'],
  ['2001:20::/28', 'global'],
  ['2001:30::/28', 'global'],
  ['2001:db8::/32', 'reserved'],
  ['3fff::/20', 'reserved'],
  ['fc00::/7', 'unique-local'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
]

/** Total. An address of NAT64's well-known prefix is what the IPv4 address in it is. */
export function createClassify(): (address: Address) => AddressClass {
  const table = createPrefixTable<AddressClass>()
  for (const [cidr, kind] of RANGES) {
    const prefix = parsePrefix(cidr)
    if (prefix) table.set(prefix, kind)
  }
  return (address) => table.lookup(translatedOf(address) ?? address) ?? 'reserved'
}
