// Our end of nf_tables: what there is, what it has counted, and one way to change it.
import type { Netlink, OpenNetlink } from '../deps.js'
import type { Command } from './commands.js'
import { createConversation, type Pause, type Question } from './conversation.js'
import { type OnElement, readElements } from './elements.js'
import { ENOENT, KernelError } from './errors.js'
import { type Attributes, attributesOf, NLM_F_DUMP, NLM_F_REQUEST, text, textOf, uint32, uint32Of, uint64Of } from './message.js'
import { NFPROTO_INET, NFT, NFT_OBJECT_COUNTER, nfgenmsg, nftType, remarkOf } from './nftables-encode.js'
import { createTransactions } from './transaction.js'

/** `ownerPort`: netlink port of the socket that owns the table, 0 when nobody does. */
export interface TableInfo {
  readonly name: string
  readonly handle: number
  readonly flags: number
  readonly comment: string
  readonly ownerPort: number
}

/** `hook` and `priority` of a base chain only; `type` is '' for the others. */
export interface ChainInfo {
  readonly name: string
  readonly type: string
  readonly hook?: number
  readonly priority?: number
}

export interface RuleInfo {
  readonly chain: string
  readonly handle: number
  readonly comment: string
}

/** `count`: its elements, where the kernel says so. */
export interface SetInfo {
  readonly name: string
  readonly keyLength: number
  readonly size: number
  readonly count?: number
}

export interface DumpRequest {
  readonly table: string
  readonly set: string
  readonly onElement: OnElement
  /** Asked after every netlink message of up to some 500 elements; awaited when it returns a promise. */
  readonly pause: Pause
}

/** Tables of the family inet, except where it says otherwise. */
export interface Nftables {
  /** Id of the ruleset, which every transaction of anybody changes. */
  generation(): number
  table(name: string): TableInfo | undefined
  chains(table: string): readonly ChainInfo[]
  rules(table: string): readonly RuleInfo[]
  sets(table: string): readonly SetInfo[]
  /** Bytes by name of the counter. */
  counters(table: string): ReadonlyMap<string, number>
  /** In any table of any family. */
  hasNatChains(): boolean
  /** Names, in any table of any family. */
  flowtables(): readonly string[]
  /** One at a time. False when the kernel calls the dump interrupted; a resize of the set, which it does not announce, may miss and repeat elements too. */
  dumpSet(request: DumpRequest): Promise<boolean>
  commit(commands: readonly Command[]): void
  close(): void
}

const NFPROTO_ANY = 0
const NETFILTER_HEADER = 4

export function createNftables(open: OpenNetlink): Nftables {
  const socket = (): Netlink => open('netfilter')
  const questions = createConversation(socket)
  const dumps = createConversation(socket)
  const transactions = createTransactions(socket)
  let lastDump: Promise<unknown> = Promise.resolve()

  const list = (request: ListRequest): readonly Attributes[] => questions.ask(listQuestion(request)).map(payloadOf)
  const ask = (type: number, attempt: string, ...attributes: readonly Uint8Array[]): Attributes | undefined =>
    questions.ask(question({ type, flags: NLM_F_REQUEST, family: NFPROTO_INET, attempt, attributes })).map(payloadOf)[0]

  return {
    generation: () => uint32Of(ask(NFT.getGeneration, 'read the generation of the ruleset')?.get(1)),
    table: (name) => absentAsUndefined(() => ask(NFT.getTable, `read table ${name}`, text(1, name)), tableInfo),
    chains: (table) =>
      list({ type: NFT.getChain, what: `chains of table ${table}` })
        .filter(isOf(table))
        .map(chainInfo),
    rules: (table) =>
      list({ type: NFT.getRule, what: `rules of table ${table}`, attributes: [text(1, table)] })
        .filter(isOf(table))
        .map(ruleInfo),
    sets: (table) =>
      list({ type: NFT.getSet, what: `sets of table ${table}`, attributes: [text(1, table)] })
        .filter(isOf(table))
        .map(setInfo),
    counters(table) {
      const attributes = [text(1, table), uint32(3, NFT_OBJECT_COUNTER)]
      const found = list({ type: NFT.getObject, what: `counters of table ${table}`, attributes }).filter(isOf(table))
      return new Map(found.map((counter) => [textOf(counter.get(2)), uint64Of(attributesOf(counter.get(4)).get(1))]))
    },
    hasNatChains: () => list({ type: NFT.getChain, what: 'chains', family: NFPROTO_ANY }).some((chain) => textOf(chain.get(7)) === 'nat'),
    flowtables: () => list({ type: NFT.getFlowtable, what: 'flowtables', family: NFPROTO_ANY }).map((found) => textOf(found.get(2))),
    dumpSet({ table, set, onElement, pause }) {
      const attributes = [text(1, table), text(2, set)]
      const request = listQuestion({ type: NFT.getElement, what: `elements of set ${set}`, attributes })
      const onAnswer = (buffer: Buffer, start: number, end: number): void => readElements(buffer, start + NETFILTER_HEADER, end, onElement)
      const dump = lastDump.then(() => dumps.stream(request, onAnswer, pause))
      lastDump = dump.catch(() => undefined)
      return dump
    },
    commit: transactions.commit,
    close() {
      questions.close()
      dumps.close()
      transactions.close()
    },
  }
}

interface ListRequest {
  readonly type: number
  readonly what: string
  readonly family?: number
  readonly attributes?: readonly Uint8Array[]
}

function listQuestion({ type, what, family = NFPROTO_INET, attributes = [] }: ListRequest): Question {
  return question({ type, flags: NLM_F_REQUEST | NLM_F_DUMP, family, attempt: `list the ${what}`, attributes })
}

interface QuestionParts {
  readonly type: number
  readonly flags: number
  readonly family: number
  readonly attempt: string
  readonly attributes: readonly Uint8Array[]
}

function question({ type, flags, family, attempt, attributes }: QuestionParts): Question {
  return { type: nftType(type), flags, body: Buffer.concat([nfgenmsg(family), ...attributes]), attempt }
}

const payloadOf = (body: Buffer): Attributes => attributesOf(body.subarray(NETFILTER_HEADER))

/** The attribute 1 of chains, rules, sets and objects is their table; older kernels list those of other tables as well. */
const isOf =
  (table: string) =>
  (found: Attributes): boolean =>
    textOf(found.get(1)) === table

function absentAsUndefined<T>(read: () => Attributes | undefined, infoOf: (found: Attributes) => T): T | undefined {
  try {
    const found = read()
    return found && infoOf(found)
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENOENT) return undefined
    throw error
  }
}

const tableInfo = (found: Attributes): TableInfo => ({
  name: textOf(found.get(1)),
  handle: uint64Of(found.get(4)),
  flags: uint32Of(found.get(2)),
  comment: remarkOf(found.get(6)),
  ownerPort: uint32Of(found.get(7)),
})

function chainInfo(found: Attributes): ChainInfo {
  const chain = { name: textOf(found.get(3)), type: textOf(found.get(7)) }
  const hook = found.get(4)
  if (!hook) return chain
  const parts = attributesOf(hook)
  return { ...chain, hook: uint32Of(parts.get(1)), priority: uint32Of(parts.get(2)) | 0 }
}

const ruleInfo = (found: Attributes): RuleInfo => ({
  chain: textOf(found.get(2)),
  handle: uint64Of(found.get(3)),
  comment: remarkOf(found.get(7)),
})

function setInfo(found: Attributes): SetInfo {
  const set = { name: textOf(found.get(2)), keyLength: uint32Of(found.get(5)), size: uint32Of(attributesOf(found.get(9)).get(1)) }
  const count = found.get(20)
  return count ? { ...set, count: uint32Of(count) } : set
}
