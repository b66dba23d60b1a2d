// Expressions of a rule as nf_tables reads them (include/uapi/linux/netfilter/nf_tables.h: enum nft_<expression>_attributes).
import type { Conntrack, Expression, Hash, Lookup, Payload, Update } from './commands.js'
import { attribute, nested, text, uint32 } from './message.js'

const NFTA_LIST_ELEM = 1
const NFTA_DATA_VALUE = 1
const NFTA_DATA_VERDICT = 2

const REGISTER_VERDICT = 0
const VERDICT = { accept: 1, jump: -3, goto: -4, return: -5 } as const
const META_KEY = { iif: 4, oif: 5, nfproto: 15, l4proto: 16, cgroup: 23 } as const
const OPERATOR = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const
const PAYLOAD_BASE = { network: 1, transport: 2 } as const
const CT_KEY = { direction: 1, status: 2, src_ip: 19, dst_ip: 20, src_ip6: 21, dst_ip6: 22 } as const
const CT_DIRECTION = { original: 0, reply: 1 } as const
const FIB_RESULT = { type: 3 } as const
const FIB_ADDRESS = { saddr: 1, daddr: 2 } as const
const SOCKET_CGROUPV2 = 3
const HASH_JENKINS = 0
const DYNSET_UPDATE = 1
const DYNSET_INVERT = 1
const LOOKUP_INVERT = 1
const OBJECT_COUNTER = 1

/** One of a list of expressions: its name and its attributes. */
const expression = (name: string, ...attributes: readonly Uint8Array[]): Buffer =>
  nested(NFTA_LIST_ELEM, text(1, name), nested(2, ...attributes))

/** A value as sets, compares and masks hold it. */
export const nestedValue = (type: number, value: Uint8Array): Buffer => nested(type, attribute(NFTA_DATA_VALUE, value))

export function nestedVerdict(type: number, verdict: keyof typeof VERDICT, chain?: string): Buffer {
  const target = chain === undefined ? [] : [text(2, chain)]
  return nested(type, nested(NFTA_DATA_VERDICT, uint32(1, VERDICT[verdict]), ...target))
}

export const nestedCounter = (type: number): Buffer => nested(type, text(1, 'counter'), nested(2))

export function encodeExpression(one: Expression): Buffer {
  switch (one.kind) {
    case 'meta':
      return expression('meta', uint32(1, one.register), uint32(2, META_KEY[one.key]))
    case 'compare':
      return expression('cmp', uint32(1, one.register), uint32(2, OPERATOR[one.operator]), nestedValue(3, one.value))
    case 'payload':
      return encodePayload(one)
    case 'lookup':
      return encodeLookup(one)
    case 'update':
      return encodeUpdate(one)
    case 'counter':
      return expression('objref', uint32(1, OBJECT_COUNTER), text(2, one.name))
    case 'hash':
      return encodeHash(one)
    case 'socket cgroup':
      return expression('socket', uint32(1, SOCKET_CGROUPV2), uint32(2, one.register), uint32(3, one.level))
    case 'fib':
      return expression('fib', uint32(1, one.register), uint32(2, FIB_RESULT[one.result]), uint32(3, FIB_ADDRESS[one.address]))
    case 'ct':
      return encodeConntrack(one)
    case 'bitwise':
      return encodeMask(one.register, one.mask)
    case 'accept':
    case 'return':
      return expression('immediate', uint32(1, REGISTER_VERDICT), nestedVerdict(2, one.kind))
    case 'goto':
    case 'jump':
      return expression('immediate', uint32(1, REGISTER_VERDICT), nestedVerdict(2, one.kind, one.chain))
  }
}

const setId = (type: number, id: number | undefined): Buffer[] => (id === undefined ? [] : [uint32(type, id)])

function encodePayload({ base, offset, length, register }: Payload): Buffer {
  return expression('payload', uint32(1, register), uint32(2, PAYLOAD_BASE[base]), uint32(3, offset), uint32(4, length))
}

function encodeLookup({ set, setId: id, register, invert, verdict }: Lookup): Buffer {
  const result = verdict ? [uint32(3, REGISTER_VERDICT)] : []
  const flags = invert ? [uint32(5, LOOKUP_INVERT)] : []
  return expression('lookup', text(1, set), uint32(2, register), ...result, ...setId(4, id), ...flags)
}

function encodeUpdate({ set, setId: id, register, invert }: Update): Buffer {
  const flags = invert ? [uint32(9, DYNSET_INVERT)] : []
  return expression('dynset', text(1, set), ...setId(2, id), uint32(3, DYNSET_UPDATE), uint32(4, register), ...flags)
}

function encodeHash({ source, length, register, modulus, seed }: Hash): Buffer {
  const input = [uint32(1, source), uint32(2, register), uint32(3, length)]
  return expression('hash', ...input, uint32(4, modulus), uint32(5, seed), uint32(7, HASH_JENKINS))
}

function encodeConntrack({ key, direction, register }: Conntrack): Buffer {
  const side = direction === undefined ? [] : [attribute(3, Uint8Array.of(CT_DIRECTION[direction]))]
  return expression('ct', uint32(1, register), uint32(2, CT_KEY[key]), ...side)
}

/** register = (register & mask) ^ 0 */
function encodeMask(register: number, mask: Uint8Array): Buffer {
  const none = new Uint8Array(mask.length)
  return expression('bitwise', uint32(1, register), uint32(2, register), uint32(3, mask.length), nestedValue(4, mask), nestedValue(5, none))
}
