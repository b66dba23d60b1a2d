// Addresses as text, each in one way only: dotted quad, or RFC 5952.

const HEXTETS = 8

/** Of 4 or 16 bytes in network order. */
export function addressText(buffer: Buffer, offset: number, length: number): string {
  return length === 4 ? ipv4Text(buffer, offset) : ipv6Text(buffer, offset)
}

function ipv4Text(buffer: Buffer, offset: number): string {
  return `${buffer.readUInt8(offset)}.${buffer.readUInt8(offset + 1)}.${buffer.readUInt8(offset + 2)}.${buffer.readUInt8(offset + 3)}`
}

function ipv6Text(buffer: Buffer, offset: number): string {
  if (isMapped(buffer, offset)) return `::ffff:${ipv4Text(buffer, offset + 12)}`
  const { start, length } = longestZeros(buffer, offset)
  if (length < 2) return hextets(buffer, offset, 0, HEXTETS)
  return `${hextets(buffer, offset, 0, start)}::${hextets(buffer, offset, start + length, HEXTETS)}`
}

/** ::ffff:0:0/96, which RFC 5952 section 5 writes with a dotted quad. */
function isMapped(buffer: Buffer, offset: number): boolean {
  return buffer.readUInt32BE(offset + 8) === 0xffff && buffer.readUInt32BE(offset + 4) === 0 && buffer.readUInt32BE(offset) === 0
}

/** The first of the longest runs: 2001:db8:0:0:1:0:0:1 is 2001:db8::1:0:0:1. */
function longestZeros(buffer: Buffer, offset: number): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  for (let start = 0; start < HEXTETS; start++) {
    let end = start
    while (end < HEXTETS && buffer.readUInt16BE(offset + 2 * end) === 0) end++
    if (end - start > longest.length) longest = { start, length: end - start }
  }
  return longest
}

function hextets(buffer: Buffer, offset: number, from: number, to: number): string {
  const words: string[] = []
  for (let at = from; at < to; at++) words.push(buffer.readUInt16BE(offset + 2 * at).toString(16))
  return words.join(':')
}
