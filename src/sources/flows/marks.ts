// What we write beside our table and rules, so that whoever comes next (we, after a crash or an upgrade) knows what it meets.
import { MODES, type Mode } from './layout.js'

export interface TableMark {
  readonly layout: number
  readonly epoch: string
  readonly createdMs: number
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

export const renderTableMark = ({ layout, epoch, createdMs }: TableMark): string =>
  `meshtoll layout=${layout} epoch=${epoch} created=${seconds(createdMs)}`

/** Undefined: not ours. */
export function parseTableMark(comment: string): TableMark | undefined {
  const [, layout, epoch, created] = /^meshtoll layout=(\d+) epoch=([\w-]+) created=(\d+)$/.exec(comment) ?? []
  if (layout === undefined || epoch === undefined) return undefined
  return { layout: Number(layout), epoch, createdMs: Number(created) * 1000 }
}

/** The same on every rule of an installation. */
export interface RuleMark {
  readonly generation: number
  readonly mode: Mode
  readonly shards: number
  /** Of the rules as they were meant. */
  readonly digest: string
  /** Since when the table has counted without a break. */
  readonly sinceMs: number
}

/** `place` counts from 1. */
export const renderRuleMark = ({ generation, mode, shards, digest, sinceMs }: RuleMark, place: number, of: number): string =>
  `g=${generation} mode=${mode} k=${shards} v=${digest} since=${seconds(sinceMs)} rule=${place}/${of}`

const RULE = /^g=(\d+) mode=(\w+) k=(\d+) v=(\w+) since=(\d+) rule=(\d+)\/\d+$/

interface MarkedRule {
  readonly chain: string
  readonly comment: string
}

/** The mark that all rules share. Undefined when one is missing, out of order, or not ours. */
export function readRuleMarks(rules: readonly MarkedRule[]): RuleMark | undefined {
  const [, generation, mode, shards, digest, since] = RULE.exec(rules[0]?.comment ?? '') ?? []
  const known = MODES.find((name) => name === mode)
  if (generation === undefined || digest === undefined || !known) return undefined
  const mark = { generation: Number(generation), mode: known, shards: Number(shards), digest, sinceMs: Number(since) * 1000 }
  return isWhole(rules, mark) ? mark : undefined
}

/** Rules of one chain are listed in their order, chains in the order in which they were made. */
function isWhole(rules: readonly MarkedRule[], mark: RuleMark): boolean {
  const last = new Map<string, number>()
  const places = new Set<number>()
  for (const { chain, comment } of rules) {
    const place = Number(RULE.exec(comment)?.[6])
    const isInOrder = place > (last.get(chain) ?? 0) && place <= rules.length
    if (!isInOrder || comment !== renderRuleMark(mark, place, rules.length)) return false
    last.set(chain, place)
    places.add(place)
  }
  return places.size === rules.length
}
