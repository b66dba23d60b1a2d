// The sets that pairs are counted in, each one set or sixteen with a chain before each, and the rules that lead there. Pure.
import type { KeyType } from '../../kernel/commands.js'
import { type Family, type Rule, settlePair, spread, spreadGroup, takeGroup, takePair } from './rules.js'
import { SHARDS, type Shards } from './sizing.js'

/** Which end of its pairs a cgroup of this node is at. */
export const SIDES = ['from', 'to'] as const
export type Side = (typeof SIDES)[number]

export const FAMILIES = [4, 6] as const

interface Options {
  readonly generation: number
  readonly shards: Shards
  /** Pairs of one address family. */
  readonly limit: number
}

export interface GroupOptions extends Options {
  /** As rules count it. */
  readonly cgroupLevel: number
}

/** How pairs of one kind and family are counted, whatever the number of sets. */
export interface Counting {
  readonly sets: readonly { readonly name: string; readonly keyType: KeyType; readonly size: number }[]
  /** Nothing comes back from these: a packet that reaches their end is accepted. */
  readonly chains: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
  /** Counts what it can and is done, or goes on with the next rule. */
  readonly take: Rule
}

/** Of all pairs; those without room in a set are overflow where `settle` counts them. */
export function pairSets(family: Family, options: Options): Counting & { readonly settle: Rule } {
  const { sets, only, shards } = setsOf('pair', family, options)
  if (only !== undefined) return { sets, chains: [], take: takePair(family, only), settle: settlePair(family, only) }
  const chains = shards.map(({ chain, set }) => ({ name: chain, rules: [settlePair(family, set)] }))
  const to = spread(
    family,
    shards.map(({ chain }) => chain),
  )
  return { sets, chains, take: to, settle: to }
}

/** Of pairs with a socket of this node in a cgroup at one end; what has no room there is settled with the other pairs. */
export function groupSets(side: Side, family: Family, settle: Rule, options: GroupOptions): Counting {
  const { cgroupLevel } = options
  const { sets, only, shards } = setsOf(side, family, options)
  if (only !== undefined) return { sets, chains: [], take: takeGroup(family, only, cgroupLevel) }
  const chains = shards.map(({ chain, set }) => ({ name: chain, rules: [takeGroup(family, set, cgroupLevel), settle] }))
  const to = spreadGroup(
    family,
    shards.map(({ chain }) => chain),
    cgroupLevel,
  )
  return { sets, chains, take: to }
}

const KEY_TYPES = {
  pair: { 4: 'ipv4 pair', 6: 'ipv6 pair' },
  from: { 4: 'cgroup and ipv4 pair', 6: 'cgroup and ipv6 pair' },
  to: { 4: 'cgroup and ipv4 pair', 6: 'cgroup and ipv6 pair' },
} as const

function setsOf(kind: 'pair' | Side, family: Family, { generation, shards: count, limit }: Options) {
  const name = `${kind}${family}_g${generation}`
  const shards = Array.from({ length: count }, (_, shard) => ({ chain: `${kind}${family}_s${shard}`, set: `${name}_s${shard}` }))
  const names = count === SHARDS ? shards.map(({ set }) => set) : [name]
  const sets = names.map((set) => ({ name: set, keyType: KEY_TYPES[kind][family], size: Math.ceil(limit / count) }))
  return { sets, only: count === SHARDS ? undefined : name, shards }
}
