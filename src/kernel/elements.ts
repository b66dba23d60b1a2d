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

/** Where things are in an element, from its beginning; `bytes` is -1 where it has no counter. */
interface Shape {
  readonly length: number
  readonly key: number
  readonly keyLength: number
  readonly bytes: number
  /** Where the headers on the way to them are, and what they say: another element that says the same has the same shape. */
  readonly headers: readonly { readonly at: number; readonly word: number }[]
}

/** One call for each element of a message that has a key and a counter; one that has no counter counts 0. */
export function readElements(buffer: Buffer, start: number, end: number, onElement: OnElement): void {
  const list = find(buffer, start, end, LIST_ELEMENTS)
  if (list < 0) return
  const listEnd = list + buffer.readUInt16LE(list)
  let shape: Shape | undefined
  for (let at = list + ATTRIBUTE_HEADER; at + ATTRIBUTE_HEADER <= listEnd; ) {
    const length = buffer.readUInt16LE(at)
    if (length < ATTRIBUTE_HEADER || at + length > listEnd) return
    if (!shape || !isLike(buffer, at, shape)) shape = shapeOf(buffer, at, length)
    if (shape) onElement(buffer, at + shape.key, shape.keyLength, shape.bytes < 0 ? 0 : uint64At(buffer, at + shape.bytes))
    at += align(length)
  }
}

function isLike(buffer: Buffer, at: number, { length, bytes, headers }: Shape): boolean {
  if (bytes < 0 || buffer.readUInt16LE(at) !== length) return false
  for (const header of headers) if (buffer.readUInt32LE(at + header.at) !== header.word) return false
  return true
}

function shapeOf(buffer: Buffer, start: number, length: number): Shape | undefined {
  const end = start + length
  const key = find(buffer, start + ATTRIBUTE_HEADER, end, ELEMENT_KEY)
  if (key < 0) return undefined
  const value = key + ATTRIBUTE_HEADER
  const counter = counterPath(buffer, start + ATTRIBUTE_HEADER, end)
  const bytes = counter.at(-1) ?? -1
  return {
    length,
    key: value + ATTRIBUTE_HEADER - start,
    keyLength: buffer.readUInt16LE(value) - ATTRIBUTE_HEADER,
    bytes: bytes < 0 ? -1 : bytes + ATTRIBUTE_HEADER - start,
    headers: [key, value, ...counter].filter((at) => at >= 0).map((at) => ({ at: at - start, word: buffer.readUInt32LE(at) })),
  }
}

/** A set with one expression per element has EXPR; a list of them, which newer nft writes, has EXPRESSIONS. The last is -1 without a counter. */
function counterPath(buffer: Buffer, start: number, end: number): readonly number[] {
  const one = find(buffer, start, end, ELEMENT_EXPRESSION)
  const many = one < 0 ? find(buffer, start, end, ELEMENT_EXPRESSIONS) : -1
  if (one < 0 && many < 0) return [-1]
  const expression = one < 0 ? many + ATTRIBUTE_HEADER : one
  const data = inside(buffer, expression, EXPRESSION_DATA)
  return [one, many, expression, data, data < 0 ? -1 : inside(buffer, data, COUNTER_BYTES)]
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
