// Addresses as the kernel hands them over.
import { addressText as textOf } from '../formats/address-text.js'

const MAPPED = 0xffff

/** Of 4 or 16 bytes in network order. ::ffff:0:0/96 ends in a dotted quad (RFC 5952 section 5). */
export function addressText(buffer: Buffer, offset: number, length: number): string {
  const words = Array.from({ length: length / 4 }, (_, index) => buffer.readUInt32BE(offset + 4 * index))
  return isMapped(words) ? `::ffff:${textOf(words.slice(3))}` : textOf(words)
}

const isMapped = (words: readonly number[]): boolean => words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === MAPPED
