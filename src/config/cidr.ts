// Address ranges as numbers, so that host bits, duplicates and refused ranges are arithmetic.
import { isIPv4, isIPv6 } from 'node:net'

type Version = 4 | 6

interface Range {
  readonly version: Version
  readonly network: bigint
  readonly length: number
}

/** `cidr` is canonical: dotted quad or RFC 5952. A problem continues a sentence that begins with the value. */
export type CidrResult = { readonly cidr: string } | { readonly problem: string }

const REFUSED: readonly (Range & { readonly why: string })[] = [
  { version: 4, network: 0x7f000000n, length: 8, why: 'loopback addresses never cross nodes' },
  { version: 6, network: 1n, length: 128, why: 'loopback addresses never cross nodes' },
  { version: 4, network: 0xe0000000n, length: 4, why: 'multicast addresses have no owner' },
  { version: 6, network: 0xffn << 120n, length: 8, why: 'multicast addresses have no owner' },
]
const MAPPED: Range = { version: 6, network: 0xffff00000000n, length: 96 }

export function parseCidr(text: string): CidrResult {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined
  if (version === undefined || rest.length > 0) return { problem: 'expected a range such as 10.1.2.0/24 or 2001:db8::/64' }
  if (prefix === undefined) return { problem: `a prefix length is missing, for this one address write ${address}/${bitsOf(version)}` }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bitsOf(version)) {
    return { problem: `expected a prefix length from 0 to ${bitsOf(version)}` }
  }
  return checkRange({ version, network: version === 4 ? numberOf4(address) : numberOf6(address), length: Number(prefix) })
}

function checkRange(range: Range): CidrResult {
  const { version, length } = range
  const hostBits = BigInt(bitsOf(version) - length)
  const network = (range.network >> hostBits) << hostBits
  const cidr = `${version === 4 ? text4(network) : text6(network)}/${length}`
  if (network !== range.network) return { problem: `host bits are set, the network is ${cidr}` }
  const refused = REFUSED.find((outer) => contains(outer, range))
  if (refused) return { problem: `${refused.why}, remove the entry` }
  if (contains(MAPPED, range)) return { problem: `write it as IPv4: ${text4(network & 0xffffffffn)}/${length - 96}` }
  return { cidr }
}

function contains(outer: Range, inner: Range): boolean {
  const hostBits = BigInt(bitsOf(outer.version) - outer.length)
  return outer.version === inner.version && outer.length <= inner.length && inner.network >> hostBits === outer.network >> hostBits
}

const bitsOf = (version: Version): number => (version === 4 ? 32 : 128)

const numberOf4 = (text: string): bigint => text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)

function numberOf6(text: string): bigint {
  const [head = '', rest] = text.replace(/[^:]+\.[^:]+$/, groupsOf4).split('::')
  const before = head.split(':').filter(Boolean)
  const after = (rest ?? '').split(':').filter(Boolean)
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
}

/** The dotted quad at the end of an IPv6 address as the two groups it stands for. */
function groupsOf4(quad: string): string {
  const value = numberOf4(quad)
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

const text4 = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')

/** RFC 5952: the longest run of two or more zero groups, the first of equals, becomes `::`. */
function text6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16))
  const text = groups.join(':')
  const runs = [...text.matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)]
  const [longest] = runs.toSorted((a, b) => b[0].length - a[0].length)
  if (!longest) return text
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
