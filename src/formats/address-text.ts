// Addresses as text, each in one way only, so that texts can be compared: dotted quad, or RFC 5952.

const HEXTETS = 8

/** One 32-bit word for IPv4, four for IPv6. */
export function addressText(address: readonly number[]): string {
  return address.length === 1 ? ipv4Text(address[0] ?? 0) : ipv6Text(hextetsOf(address))
}

function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`
}

function hextetsOf(address: readonly number[]): number[] {
  return address.flatMap((word) => [word >>> 16, word & 0xffff])
}

function ipv6Text(hextets: readonly number[]): string {
  const { start, length } = longestZeros(hextets)
  if (length < 2) return joined(hextets)
  return `${joined(hextets.slice(0, start))}::${joined(hextets.slice(start + length))}`
}

/** The first of the longest runs: 2001:db8:0:0:1:0:0:1 is 2001:db8::1:0:0:1. */
function longestZeros(hextets: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  for (let start = 0; start < HEXTETS; start++) {
    let end = start
    while (hextets[end] === 0) end++
    if (end - start > longest.length) longest = { start, length: end - start }
  }
  return longest
}

const joined = (hextets: readonly number[]): string => hextets.map((hextet) => hextet.toString(16)).join(':')
