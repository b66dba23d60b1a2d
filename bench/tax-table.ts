// The rules that a node's packets pass, a program that is asked for one variant after the other.
import type { Command, Expression } from '../src/kernel/commands.js'
import { loadNetlink } from '../src/kernel/netlink.js'
import { createNftables } from '../src/kernel/nftables.js'
import { installCommands, type Mode, NOTHING, planOf } from '../src/sources/flows/layout.js'
import { answerEach } from './asked.js'

/** `bare`: a set, a chain, and one rule that updates the set. The others are layouts of the product. */
export type Variant = 'none' | 'bare' | Mode

const TABLE = 'tax'
const LIMIT = 65_536
const TUNNEL_PORTS = [4789, 6081, 8285, 8472, 51820, 51821, 51871]

const addTable: Command = { op: 'add table', table: TABLE, flags: 0, comment: '' }

/** What nft makes of `update @pairs { ip saddr . ip daddr }` in a table of the family inet. */
const UPDATE: readonly Expression[] = [
  { kind: 'meta', key: 'nfproto', register: 1 },
  { kind: 'compare', register: 1, operator: 'eq', value: Uint8Array.of(2) },
  { kind: 'payload', base: 'network', offset: 12, length: 4, register: 1 },
  { kind: 'payload', base: 'network', offset: 16, length: 4, register: 9 },
  { kind: 'update', set: 'pairs', register: 1 },
]

const BARE: readonly Command[] = [
  addTable,
  { op: 'add set', table: TABLE, name: 'pairs', keyType: 'ipv4 pair', size: LIMIT, timeoutMs: 0 },
  { op: 'add chain', table: TABLE, name: 'post', base: { hook: 'postrouting', priority: 50 } },
  { op: 'add rule', table: TABLE, chain: 'post', comment: '', expressions: UPDATE },
]

function commandsOf(variant: Variant): readonly Command[] {
  if (variant === 'none') return []
  if (variant === 'bare') return BARE
  const plan = planOf({ generation: 1, mode: variant, shards: 1, limit: LIMIT, tunnelPorts: TUNNEL_PORTS })
  return [addTable, ...installCommands(TABLE, plan, NOTHING, () => '')]
}

const nft = createNftables(await loadNetlink())

await answerEach(({ variant }: { readonly variant: Variant }) => {
  if (nft.table(TABLE)) nft.commit([{ op: 'delete table', table: TABLE }])
  const commands = commandsOf(variant)
  if (commands.length > 0) nft.commit(commands)
  return { variant }
})
