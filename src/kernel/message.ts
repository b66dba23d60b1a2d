// Netlink messages and attributes (include/uapi/linux/netlink.h). Headers are in host order, little endian where we run;
// nftables has its numbers in network order, rtnetlink in host order.

export const HEADER_BYTES = 16
export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_DUMP = 0x300
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
const NLA_F_NESTED = 0x8000
/** Without the flags "nested" and "network byte order". */
export const NLA_TYPE_MASK = 0x3fff

export const align = (length: number): number => (length + 3) & ~3

export interface Message {
  readonly type: number
  readonly flags: number
  readonly body: Uint8Array
}

export function encodeMessage({ type, flags, body }: Message, sequence: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(HEADER_BYTES + body.length, 0)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt32LE(sequence, 8)
  return Buffer.concat([header, body])
}

export function attribute(type: number, data: Uint8Array): Buffer {
  const encoded = Buffer.alloc(align(4 + data.length))
  encoded.writeUInt16LE(4 + data.length, 0)
  encoded.writeUInt16LE(type, 2)
  encoded.set(data, 4)
  return encoded
}

export const nested = (type: number, ...parts: readonly Uint8Array[]): Buffer => attribute(type | NLA_F_NESTED, Buffer.concat(parts))

export const text = (type: number, value: string): Buffer => attribute(type, Buffer.from(`${value}\0`))

export function uint32(type: number, value: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeUInt32BE(value >>> 0)
  return attribute(type, data)
}

export function uint64(type: number, value: number): Buffer {
  const data = Buffer.alloc(8)
  data.writeBigUInt64BE(BigInt(value))
  return attribute(type, data)
}

export type Attributes = ReadonlyMap<number, Buffer>

/** By type; of a repeated type the last. What does not fit into `data` is left out. */
export function attributesOf(data: Buffer | undefined): Attributes {
  const found = new Map<number, Buffer>()
  if (!data) return found
  let at = 0
  while (at + 4 <= data.length) {
    const length = data.readUInt16LE(at)
    if (length < 4 || at + length > data.length) break
    found.set(data.readUInt16LE(at + 2) & NLA_TYPE_MASK, data.subarray(at + 4, at + length))
    at += align(length)
  }
  return found
}

export const textOf = (data: Buffer | undefined): string => data?.toString('utf8').replace(/\0.*$/s, '') ?? ''
export const uint32Of = (data: Buffer | undefined): number => (data && data.length >= 4 ? data.readUInt32BE(0) : 0)
export const uint64Of = (data: Buffer | undefined): number => (data && data.length >= 8 ? uint64At(data, 0) : 0)

/** Exact up to 9 PB (2^53). */
export const uint64At = (buffer: Buffer, offset: number): number =>
  buffer.readUInt32BE(offset) * 0x1_0000_0000 + buffer.readUInt32BE(offset + 4)
