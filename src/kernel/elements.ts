// Elements of a set in a dump, the only path that is walked 100,000 times a cycle: offsets instead of objects.
//   ELEMENTS { ELEM { KEY { VALUE } [TIMEOUT] EXPIRATION EXPR { NAME "counter", DATA { BYTES PACKETS } } } ... }
import { align, NLA_TYPE_MASK, uint64At } from './message.js'

const LIST_ELEMENTS = 3
const ELEMENT_KEY = 1
const ELEMENT_EXPRESSION = 7
const ELEMENT_EXPRESSIONS = 11
const EXPRESSION_DATA = 2
const COUNTER_BYTES = 1
const ATTRIBUTE_HEADER = 4

export type OnElement = (buffer: Buffer, offset: number, length: number, bytes: number) => void

/** One call for each element of a message that has a key and a counter; one that has no counter counts 0. */
export function readElements(buffer: Buffer, start: number, end: number, onElement: OnElement): void {
  const list = find(buffer, start, end, LIST_ELEMENTS)
  if (list < 0) return
  const listEnd = list + buffer.readUInt16LE(list)
  for (let at = list + ATTRIBUTE_HEADER; at + ATTRIBUTE_HEADER <= listEnd; ) {
    const length = buffer.readUInt16LE(at)
    if (length < ATTRIBUTE_HEADER || at + length > listEnd) return
    readElement(buffer, at + ATTRIBUTE_HEADER, at + length, onElement)
    at += align(length)
  }
}

function readElement(buffer: Buffer, start: number, end: number, onElement: OnElement): void {
  const key = find(buffer, start, end, ELEMENT_KEY)
  if (key < 0) return
  const value = key + ATTRIBUTE_HEADER
  onElement(buffer, value + ATTRIBUTE_HEADER, buffer.readUInt16LE(value) - ATTRIBUTE_HEADER, counterAt(buffer, value, end))
}

/** A set with one expression per element has EXPR; a list of them, which newer nft writes, has EXPRESSIONS. */
function counterAt(buffer: Buffer, start: number, end: number): number {
  const one = find(buffer, start, end, ELEMENT_EXPRESSION)
  const many = one < 0 ? find(buffer, start, end, ELEMENT_EXPRESSIONS) : -1
  const expression = one < 0 ? many + ATTRIBUTE_HEADER : one
  if (one < 0 && many < 0) return 0
  const data = inside(buffer, expression, EXPRESSION_DATA)
  const bytes = data < 0 ? -1 : inside(buffer, data, COUNTER_BYTES)
  return bytes < 0 ? 0 : uint64At(buffer, bytes + ATTRIBUTE_HEADER)
}

const inside = (buffer: Buffer, parent: number, type: number): number =>
  find(buffer, parent + ATTRIBUTE_HEADER, parent + buffer.readUInt16LE(parent), type)

/** Where the attribute begins, -1 where there is none. */
function find(buffer: Buffer, start: number, end: number, type: number): number {
  for (let at = start; at + ATTRIBUTE_HEADER <= end; ) {
    const length = buffer.readUInt16LE(at)
    if (length < ATTRIBUTE_HEADER || at + length > end) return -1
    if ((buffer.readUInt16LE(at + 2) & NLA_TYPE_MASK) === type) return at
    at += align(length)
  }
  return -1
}
