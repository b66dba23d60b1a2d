// The nftables layout as data: which sets, chains and rules there are for given options, and the transaction that makes them. Pure.
//
//   post  postrouting 50   after every DNAT and before SNAT (100): shows who really talks to whom
//   in    input 50         before SNAT of input (100), after which replies to a service address would be counted twice
//   via   postrouting 150  after SNAT: transit whose source is rewritten here, which nobody else can tell
//   out   output 150       where cgroups are told apart, all that a socket of this node sends, instead of `post`
//
// A packet that is not loopback passes `post` or `in`, never both, so both feed the same sets.
import { createHash } from 'node:crypto'
import type { CgroupLevel } from '../../kernel/cgroups.js'
import type { BaseHook, Command, KeyType } from '../../kernel/commands.js'
import { type Counting, FAMILIES, type GroupOptions, groupSets, pairSets, SIDES, type Side } from './counting-sets.js'
import {
  type Family,
  type Hook,
  type HookOptions,
  handOver,
  hookRules,
  passSent,
  type Rule,
  sentHere,
  sentRules,
  viaRules,
} from './rules.js'
import type { Shards } from './sizing.js'

export const LAYOUT = 1

/** `plain`: nothing but pairs. `tunnel`: outer packets apart. `full`: those, and transit whose source is rewritten. */
export const MODES = ['plain', 'tunnel', 'full'] as const
export type Mode = (typeof MODES)[number]

export interface Layout {
  readonly generation: number
  readonly mode: Mode
  readonly shards: Shards
  /** Pairs of one address family. */
  readonly limit: number
  readonly tunnelPorts: readonly number[]
  /** By which cgroups packets of this node's own sockets are told apart, in the mode `full`; undefined: by none. */
  readonly cgroupLevel?: CgroupLevel | undefined
}

export interface PlannedChain {
  readonly name: string
  readonly base?: { readonly hook: BaseHook; readonly priority: number }
  readonly rules: readonly Rule[]
}

export interface PlannedSet {
  readonly name: string
  readonly keyType: KeyType
  readonly size: number
}

export interface Plan {
  readonly sets: readonly PlannedSet[]
  readonly chains: readonly PlannedChain[]
}

const COUNTERS = ['observed_post', 'observed_in', 'tunnel_post', 'tunnel_in', 'overflow', 'via_overflow'] as const

const setsOf = ({ sets }: Counting): Counting['sets'] => sets

const VIA = { 4: 'ipv4 pair', 6: 'ipv6 pair' } as const

export function planOf(layout: Layout): Plan {
  const { generation, mode, shards, limit, tunnelPorts } = layout
  const cgroupLevel = mode === 'full' ? layout.cgroupLevel?.relative : undefined
  const wanted = { generation, shards, limit }
  const pairs = { 4: pairSets(4, wanted), 6: pairSets(6, wanted) } as const
  const groups = cgroupLevel === undefined ? undefined : groupsOf({ ...wanted, cgroupLevel }, pairs)
  const ofPairs = Object.values(pairs)
  const ofGroups = groups ? SIDES.flatMap((side) => Object.values(groups[side])) : []
  const viaSets = FAMILIES.map((family) => ({ name: `via${family}_g${generation}`, keyType: VIA[family], size: limit }))
  const optionsOf = (hook: Hook, family: Family, side?: Side): HookOptions => ({
    hook,
    tunnels: mode !== 'plain',
    tunnelPorts,
    take: pairs[family].take,
    settle: pairs[family].settle,
    group: side && groups?.[side][family].take,
  })
  const hookChains = (hook: Hook, side?: Side, first: readonly Rule[] = []): readonly PlannedChain[] => [
    { name: `${hook}6`, rules: hookRules(optionsOf(hook, 6, side)) },
    { name: hook, base: BASE[hook], rules: [...first, handOver(6, `${hook}6`), ...hookRules(optionsOf(hook, 4, side))] },
  ]
  const sentChains = (): readonly PlannedChain[] => [
    { name: 'sent6', rules: sentRules(optionsOf('post', 6, 'from')) },
    { name: 'sent', rules: [handOver(6, 'sent6'), ...sentRules(optionsOf('post', 4, 'from'))] },
    { name: 'out', base: { hook: 'output', priority: 150 }, rules: sentHere('sent') },
  ]
  return {
    sets: [...ofPairs.flatMap(setsOf), ...(mode === 'full' ? viaSets : []), ...ofGroups.flatMap(setsOf)],
    chains: [
      ...[...ofPairs, ...ofGroups].flatMap(({ chains }) => chains),
      ...(groups ? [...sentChains(), ...hookChains('post', undefined, [passSent])] : hookChains('post')),
      ...hookChains('in', 'to'),
      ...(mode === 'full' ? [viaChain(generation)] : []),
    ],
  }
}

type ByFamily<T> = Readonly<Record<Family, T>>

function groupsOf(options: GroupOptions, pairs: ByFamily<{ readonly settle: Rule }>): Readonly<Record<Side, ByFamily<Counting>>> {
  const of = (side: Side, family: Family): Counting => groupSets(side, family, pairs[family].settle, options)
  return { from: { 4: of('from', 4), 6: of('from', 6) }, to: { 4: of('to', 4), 6: of('to', 6) } }
}

const BASE = { post: { hook: 'postrouting', priority: 50 }, in: { hook: 'input', priority: 50 } } as const

const viaChain = (generation: number): PlannedChain => ({
  name: 'via',
  base: { hook: 'postrouting', priority: 150 },
  rules: viaRules({ 4: `via4_g${generation}`, 6: `via6_g${generation}` }),
})

/** The same for every generation: says whether the rules in the kernel are what these options mean. */
export function digestOf(layout: Layout): string {
  const plan = planOf({ ...layout, generation: 0 })
  // The same rule means another level to whoever is deeper.
  const meant = layout.mode === 'full' && layout.cgroupLevel ? [plan, layout.cgroupLevel.absolute] : plan
  return createHash('sha256').update(JSON.stringify(meant)).digest('hex').slice(0, 8)
}

export type SetKind = 'pair' | 'via' | Side

export interface NamedSet {
  readonly name: string
  readonly kind: SetKind
  readonly generation: number
}

/** Of every layout: this naming is what a later version finds our sets by. Undefined: not one of these. */
export function parseSetName(name: string): NamedSet | undefined {
  const [, kind, generation] = /^(pair|via|from|to)[46]_g(\d+)(?:_s\d+)?$/.exec(name) ?? []
  if (generation === undefined) return undefined
  return { name, kind: kind as SetKind, generation: Number(generation) }
}

/** What the table holds before the transaction. */
export interface Present {
  readonly chains: readonly { readonly name: string; readonly hook?: number; readonly priority?: number; readonly type: string }[]
  readonly counters: readonly string[]
  readonly sets: readonly string[]
}

export const NOTHING: Present = { chains: [], counters: [], sets: [] }

/** Replaces all rules of the table, whoever wrote them, and leaves sets and counters that are there as they are. */
export function installCommands(table: string, plan: Plan, present: Present, comment: (place: number, of: number) => string): Command[] {
  const kept = present.chains.filter((chain) => plan.chains.some((planned) => isSameChain(chain, planned))).map(({ name }) => name)
  const missing = plan.chains.filter(({ name }) => !kept.includes(name))
  return [
    ...COUNTERS.filter((name) => !present.counters.includes(name)).map((name) => ({ op: 'add counter', table, name }) as const),
    ...plan.sets.filter(({ name }) => !present.sets.includes(name)).map((set) => ({ op: 'add set', table, ...set, timeoutMs: 0 }) as const),
    ...present.chains.map(({ name }) => ({ op: 'flush chain', table, name }) as const),
    ...present.chains.filter(({ name }) => !kept.includes(name)).map(({ name }) => ({ op: 'delete chain', table, name }) as const),
    ...missing.map(({ name, base }) => ({ op: 'add chain', table, name, ...(base ? { base } : {}) }) as const),
    ...ruleCommands(table, plan, comment),
  ]
}

/** enum nf_inet_hooks */
const HOOK = { input: 1, output: 3, postrouting: 4 } as const

export function isSameChain(chain: Present['chains'][number], { name, base }: PlannedChain): boolean {
  if (chain.name !== name) return false
  if (!base) return chain.hook === undefined
  return chain.type === 'filter' && chain.hook === HOOK[base.hook] && chain.priority === base.priority
}

function ruleCommands(table: string, plan: Plan, comment: (place: number, of: number) => string): Command[] {
  const rules = plan.chains.flatMap(({ name, rules }) => rules.map((steps) => ({ chain: name, steps })))
  let id = 0
  return rules.flatMap(({ chain, steps }, index) => {
    const constants: Command[] = []
    const expressions = steps.map((step) => {
      if (!('constant' in step)) return step
      const { constant, ...lookup } = step
      id++
      const name = constant.type === 'set' ? '__set%d' : '__map%d'
      constants.push(
        constant.type === 'set'
          ? { op: 'add constant set', table, name, id, key: constant.key, values: constant.values }
          : { op: 'add verdict map', table, name, id, entries: constant.entries },
      )
      return { ...lookup, set: name, setId: id }
    })
    return [...constants, { op: 'add rule', table, chain, comment: comment(index + 1, rules.length), expressions } as const]
  })
}
