// What the table looks like to somebody who did not write it just now: the agent at start, and `check`.
import type { ChainInfo, Nftables, RuleInfo, TableInfo } from '../../kernel/nftables.js'
import { digestOf, isSameChain, LAYOUT, type Layout, planOf } from './layout.js'
import { parseTableMark, type RuleMark, readRuleMarks, type TableMark } from './marks.js'
import { SHARDS } from './sizing.js'

export type Finding = { readonly state: 'absent' } | { readonly state: 'foreign' } | Ours

export interface Ours {
  /** `outdated`: whole, but not as these options want it. */
  readonly state: 'intact' | 'outdated' | 'broken' | 'other layout'
  readonly info: TableInfo
  readonly mark: TableMark
  /** When the rules are whole. */
  readonly rules?: RuleMark
}

export interface TableFacts {
  readonly info: TableInfo | undefined
  readonly chains: readonly ChainInfo[]
  readonly rules: readonly RuleInfo[]
}

export function readTableFacts(nft: Nftables, table: string): TableFacts {
  const info = nft.table(table)
  return info ? { info, chains: nft.chains(table), rules: nft.rules(table) } : { info, chains: [], rules: [] }
}

export type Options = Pick<Layout, 'limit' | 'tunnelPorts' | 'cgroupLevel'>

export function inspectTable({ info, chains, rules }: TableFacts, options: Options): Finding {
  if (!info) return { state: 'absent' }
  const mark = parseTableMark(info.comment)
  if (!mark) return { state: 'foreign' }
  const found = isDormant(info) ? undefined : readRuleMarks(rules)
  // A table keeps the comment that it was made with: after a migration only its rules tell.
  if (!found) return { state: mark.layout === LAYOUT ? 'broken' : 'other layout', info, mark }
  const layout = layoutOf(found, options)
  if (found.digest !== digestOf(layout)) return { state: 'outdated', info, mark, rules: found }
  const planned = planOf(layout).chains
  const isIntact = chains.length === planned.length && planned.every((plan) => chains.some((chain) => isSameChain(chain, plan)))
  return isIntact ? { state: 'intact', info, mark, rules: found } : { state: 'broken', info, mark }
}

export const layoutOf = ({ generation, mode, shards }: RuleMark, options: Options): Layout => ({
  generation,
  mode,
  shards: shards === SHARDS ? SHARDS : 1,
  ...options,
})

/** Nobody was at the table since we wrote its rules. */
export const isAsLeft = ({ state, rules }: Ours, layout: Layout): boolean =>
  state === 'intact' && rules?.generation === layout.generation && rules.digest === digestOf(layout)

/** NFT_TABLE_F_DORMANT: its chains are unhooked. */
const isDormant = ({ flags }: TableInfo): boolean => (flags & 1) !== 0
