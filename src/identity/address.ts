// Addresses as 32-bit words, and what the special-purpose registries say of them.

/** One word for IPv4, four for IPv6, each a signed 32-bit integer. IPv4-mapped IPv6 is the IPv4 address it stands for. */
export type Address = readonly number[]

/** The leading `length` bits are the network. */
export interface Prefix {
  readonly address: Address
  readonly length: number
}

const DOT = 46
const COLON = 58
const ZERO = 48
const NINE = 57
const MAPPED = 0xffff
const NAT64_WELL_KNOWN = 0x0064ff9b

/** Undefined when the text is no address. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseIpv4(text)
  const words = parseIpv6(text)
  return words && isMapped(words) ? words.slice(3) : words
}

/** `10.1.0.0/16`; an address alone is its own prefix; bits beyond the length do not matter. */
export function parsePrefix(text: string): Prefix | undefined {
  const [head = '', tail, ...rest] = text.split('/')
  const words = head.includes(':') ? parseIpv6(head) : parseIpv4(head)
  if (!words || rest.length > 0 || (tail !== undefined && !/^(0|[1-9]\d{0,2})$/.test(tail))) return undefined
  const bits = words.length * 32
  const length = tail === undefined ? bits : Number(tail)
  if (length > bits) return undefined
  return isMapped(words) && length >= 96 ? { address: words.slice(3), length: length - 96 } : { address: words, length }
}

/** The IPv4 host behind an address of NAT64's well-known prefix 64:ff9b::/96 (RFC 6052). */
export function translatedOf(address: Address): Address | undefined {
  const isTranslated = address.length === 4 && address[0] === NAT64_WELL_KNOWN && address[1] === 0 && address[2] === 0
  return isTranslated ? address.slice(3) : undefined
}

function isMapped(words: Address): boolean {
  return words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === MAPPED
}

function parseIpv4(text: string): Address | undefined {
  let word = 0
  let dots = 0
  let octet = -1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === DOT && octet >= 0) {
      word = (word << 8) | octet
      dots++
      octet = -1
    } else {
      octet = withDigit(octet, code)
      if (octet < 0) return undefined
    }
  }
  return dots === 3 && octet >= 0 ? [(word << 8) | octet] : undefined
}

/** -1 when the octet ends up malformed: no digit, a leading zero (octal to some readers), above 255. */
function withDigit(octet: number, code: number): number {
  if (code < ZERO || code > NINE || octet === 0) return -1
  const next = octet < 0 ? code - ZERO : octet * 10 + code - ZERO
  return next > 255 ? -1 : next
}

function parseIpv6(text: string): Address | undefined {
  const groups: number[] = []
  let gap = text.startsWith('::') ? 0 : -1
  let at = gap === 0 ? 2 : 0
  while (at < text.length) {
    const end = endOfGroup(text, at)
    if (!pushGroup(groups, text, at, end)) return undefined
    if (end === text.length - 1) return undefined
    at = end + 1
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined
      gap = groups.length
      at++
    }
  }
  return wordsOf(groups, gap)
}

function endOfGroup(text: string, start: number): number {
  let end = start
  while (end < text.length && text.charCodeAt(end) !== COLON) end++
  return end
}

/** Four hexadecimal digits at most, or, as the last group, a dotted quad that stands for two. */
function pushGroup(groups: number[], text: string, start: number, end: number): boolean {
  const group = hexOf(text, start, end)
  if (group >= 0) return groups.push(group) <= 8
  const quad = end === text.length ? parseIpv4(text.slice(start))?.[0] : undefined
  if (quad === undefined) return false
  return groups.push(quad >>> 16, quad & 0xffff) <= 8
}

function hexOf(text: string, start: number, end: number): number {
  if (start === end || end - start > 4) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = hexDigitOf(text.charCodeAt(at))
    if (digit < 0) return -1
    value = (value << 4) | digit
  }
  return value
}

function hexDigitOf(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO
  const letter = code | 0x20
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** `gap`: how many groups stand before `::`, -1 without one. */
function wordsOf(groups: number[], gap: number): Address | undefined {
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return undefined
  while (groups.length < 8) groups.splice(gap, 0, 0)
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups
  return [(a << 16) | b, (c << 16) | d, (e << 16) | f, (g << 16) | h]
}
