// Commands as nf_tables reads them (include/uapi/linux/netfilter/nf_tables.h: enum nft_{table,chain,rule,set,object}_attributes),
// with the types and remarks beside them by which the nft program prints them as it would its own.
import type { AddChain, AddConstantSet, AddRule, AddSet, AddVerdictMap, Command } from './commands.js'
import { encodeExpression, nestedCounter, nestedValue, nestedVerdict } from './expressions.js'
import { attribute, type Message, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, nested, text, uint32, uint64 } from './message.js'

const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH_BEGIN = 16
const NFNL_MSG_BATCH_END = 17
const NFPROTO_UNSPEC = 0
export const NFPROTO_INET = 1

/** enum nf_tables_msg_types */
export const NFT = {
  newTable: 0,
  getTable: 1,
  delTable: 2,
  newChain: 3,
  getChain: 4,
  delChain: 5,
  newRule: 6,
  getRule: 7,
  delRule: 8,
  newSet: 9,
  getSet: 10,
  delSet: 11,
  newElement: 12,
  getElement: 13,
  getGeneration: 16,
  newObject: 18,
  getObject: 19,
  getFlowtable: 23,
} as const

export const NFT_OBJECT_COUNTER = 1
const NFT_DATA_VERDICT = 0xffffff00
const HOOK = { input: 1, output: 3, postrouting: 4 } as const
const POLICY_ACCEPT = 1
const SET_FLAG = { anonymous: 1, constant: 2, map: 8, timeout: 0x10, eval: 0x20 } as const

/** Data types as nft numbers them (enum datatypes); a concatenation shifts each by 6 bits. */
const TYPE = { integer: 4, ipv4Address: 7, ipv6Address: 8, inetProtocol: 12, inetService: 13, cgroup: 46 } as const
const PAIR_KEY = {
  'ipv4 pair': { type: (TYPE.ipv4Address << 6) | TYPE.ipv4Address, length: 8 },
  'ipv6 pair': { type: (TYPE.ipv6Address << 6) | TYPE.ipv6Address, length: 32 },
  'cgroup and ipv4 pair': { type: (TYPE.cgroup << 12) | (TYPE.ipv4Address << 6) | TYPE.ipv4Address, length: 16 },
  'cgroup and ipv6 pair': { type: (TYPE.cgroup << 12) | (TYPE.ipv6Address << 6) | TYPE.ipv6Address, length: 40 },
} as const
const CONSTANT_KEY = {
  l4proto: { type: TYPE.inetProtocol, length: 1 },
  port: { type: TYPE.inetService, length: 2 },
} as const

/** nft's own type-length-value list in the field for the user (libnftnl: enum nftnl_udata_*_types). */
const UDATA_COMMENT = 0
const UDATA_KEY_BYTE_ORDER = 0
const HOST_BYTE_ORDER = [1, 0, 0, 0]

export const nftType = (type: number): number => (NFNL_SUBSYS_NFTABLES << 8) | type

/** struct nfgenmsg: family, version, resource id in network order. */
export const nfgenmsg = (family: number, resource = 0): Buffer => Buffer.from([family, 0, resource >> 8, resource & 0xff])

/** Between these a batch is done whole or not at all. */
export const BATCH_BEGIN = batchMark(NFNL_MSG_BATCH_BEGIN)
export const BATCH_END = batchMark(NFNL_MSG_BATCH_END)

export function encodeCommand(command: Command): readonly Message[] {
  switch (command.op) {
    case 'add table':
      return [create(NFT.newTable, text(1, command.table), uint32(2, command.flags), ...remark(6, command.comment))]
    case 'delete table':
      return [change(NFT.delTable, text(1, command.table))]
    case 'add counter':
      return [create(NFT.newObject, text(1, command.table), text(2, command.name), uint32(3, NFT_OBJECT_COUNTER), nested(4))]
    case 'add set':
      return [encodeSet(command)]
    case 'add constant set':
      return encodeConstantSet(command)
    case 'add verdict map':
      return encodeVerdictMap(command)
    case 'delete set':
      return [change(NFT.delSet, text(1, command.table), text(2, command.name))]
    case 'add chain':
      return [encodeChain(command)]
    case 'flush chain':
      return [change(NFT.delRule, text(1, command.table), text(2, command.name))]
    case 'delete chain':
      return [change(NFT.delChain, text(1, command.table), text(3, command.name))]
    case 'add rule':
      return [encodeRule(command)]
  }
}

/** What a command is called in an error: its operation and what it is done to. */
export function nameOf(command: Command): string {
  if (command.op === 'add rule') return `add a rule to chain ${command.chain}`
  if (command.op === 'add table' || command.op === 'delete table') return `${command.op} ${command.table}`
  return `${command.op} ${command.name}`
}

function encodeSet({ table, name, keyType, size, timeoutMs }: AddSet): Message {
  const key = PAIR_KEY[keyType]
  const flags = timeoutMs ? SET_FLAG.eval | SET_FLAG.timeout : SET_FLAG.eval
  const timeout = timeoutMs ? [uint64(11, timeoutMs)] : []
  const type = [uint32(3, flags), uint32(4, key.type), uint32(5, key.length), nested(9, uint32(1, size))]
  return create(NFT.newSet, text(1, table), text(2, name), ...type, uint32(10, 0), ...timeout, nestedCounter(17))
}

function encodeConstantSet({ table, name, id, key, values }: AddConstantSet): Message[] {
  const { type, length } = CONSTANT_KEY[key]
  const flags = SET_FLAG.anonymous | SET_FLAG.constant
  const description = [uint32(3, flags), uint32(4, type), uint32(5, length), nested(9, uint32(1, values.length)), uint32(10, id)]
  const elements = values.map((value) => nestedValue(1, bigEndian(value, length)))
  return [create(NFT.newSet, text(1, table), text(2, name), ...description), encodeElements({ table, name, id, elements })]
}

function encodeVerdictMap({ table, name, id, entries }: AddVerdictMap): Message[] {
  const flags = SET_FLAG.anonymous | SET_FLAG.constant | SET_FLAG.map
  const type = [uint32(3, flags), uint32(4, TYPE.integer), uint32(5, 4), uint32(6, NFT_DATA_VERDICT), uint32(7, 0)]
  const description = [
    ...type,
    nested(9, uint32(1, entries.length)),
    uint32(10, id),
    attribute(13, udata(UDATA_KEY_BYTE_ORDER, HOST_BYTE_ORDER)),
  ]
  const elements = entries.map(({ key, goto }) => Buffer.concat([nestedValue(1, hostOrder(key)), nestedVerdict(2, 'goto', goto)]))
  return [create(NFT.newSet, text(1, table), text(2, name), ...description), encodeElements({ table, name, id, elements })]
}

interface Elements {
  readonly table: string
  readonly name: string
  readonly id: number
  readonly elements: readonly Uint8Array[]
}

function encodeElements({ table, name, id, elements }: Elements): Message {
  const list = nested(3, ...elements.map((element) => nested(1, element)))
  return create(NFT.newElement, text(1, table), text(2, name), uint32(4, id), list)
}

function encodeChain({ table, name, base }: AddChain): Message {
  if (!base) return create(NFT.newChain, text(1, table), text(3, name))
  const hook = nested(4, uint32(1, HOOK[base.hook]), uint32(2, base.priority))
  return create(NFT.newChain, text(1, table), text(3, name), hook, uint32(5, POLICY_ACCEPT), text(7, 'filter'))
}

function encodeRule({ table, chain, comment, expressions }: AddRule): Message {
  const list = nested(4, ...expressions.map(encodeExpression))
  const body = [text(1, table), text(2, chain), list, ...remark(7, comment)]
  return { ...create(NFT.newRule, ...body), flags: NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND }
}

/** Acknowledged only when asked for: see `acknowledged`. */
const change = (type: number, ...attributes: readonly Uint8Array[]): Message => ({
  type: nftType(type),
  flags: NLM_F_REQUEST,
  body: Buffer.concat([nfgenmsg(NFPROTO_INET), ...attributes]),
})

const create = (type: number, ...attributes: readonly Uint8Array[]): Message => {
  const message = change(type, ...attributes)
  return { ...message, flags: message.flags | NLM_F_CREATE }
}

export const acknowledged = (message: Message): Message => ({ ...message, flags: message.flags | NLM_F_ACK })

function batchMark(type: number): Message {
  return { type, flags: NLM_F_REQUEST, body: nfgenmsg(NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES) }
}

/** A length of one byte holds up to 255; nft itself allows comments of 128. */
const udata = (type: number, value: ArrayLike<number>): Buffer => Buffer.from([type, value.length, ...Array.from(value)])

const remark = (type: number, comment: string): Buffer[] =>
  comment === '' ? [] : [attribute(type, udata(UDATA_COMMENT, Buffer.from(`${comment}\0`)))]

/** The comment in nft's list, '' where there is none. */
export function remarkOf(data: Buffer | undefined): string {
  let at = 0
  while (data && at + 2 <= data.length) {
    const end = at + 2 + data.readUInt8(at + 1)
    if (data.readUInt8(at) === UDATA_COMMENT) return data.toString('utf8', at + 2, end).replace(/\0.*$/s, '')
    at = end
  }
  return ''
}

function bigEndian(value: number, length: number): Buffer {
  const data = Buffer.alloc(length)
  data.writeUIntBE(value, 0, length)
  return data
}

function hostOrder(value: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeUInt32LE(value)
  return data
}
