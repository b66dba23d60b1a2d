// The rules of the layout, in the kernel's expressions. Pure. A base chain hands IPv6 to a chain of its own and does IPv4 itself, so that
// the rest need not ask for the family. For each of the two, where no tunnels are looked for:
//
//   not loopback -> observed += bytes -> pair, or overflow
//
// and where they are:
//
//   1  not loopback -> observed += bytes -> TCP -> pair -> accept
//   2  loopback -> accept
//   3  UDP, but not to a tunnel -> pair -> accept
//   4  outer packets of tunnels (in two rules) -> tunnel += bytes -> accept
//   5  all else -> pair, or overflow
//
// An expression that does not match ends its rule, and the next one is tried (NFT_BREAK, net/netfilter/nf_tables_core.c). An update ends
// its rule where it finds no room; an inverted one where it does, so that only what has no place comes to the counter of overflow behind
// it (nft_dynset_eval; nft prints both alike). So: only the first rule counts what is observed, before anything in it that may fail for
// a packet that is not loopback, and every such packet comes to exactly one update that holds, one tunnel counter, or overflow.
// Where packets of this node's own sockets are told apart by cgroup (`group`), those go to a set of their own, or to their pair where they are of
// none. Only in output does the kernel know the sender's: so what a socket sends is counted there, and passed over in postrouting. `meta cgroup`
// finds the socket in both, the same one, whatever becomes of it between the two (nft_meta_get_eval); `meta skuid` does not.
// What is common comes first, and without a verdict where the end of the chain will do: a verdict takes longer than a match.
import type { Expression, Lookup } from '../../kernel/commands.js'

export type Hook = 'post' | 'in'
export type Family = 4 | 6

/** What a rule looks up in a constant set or map of its own. */
export type Constant =
  | { readonly type: 'set'; readonly key: 'l4proto' | 'port'; readonly values: readonly number[] }
  | { readonly type: 'map'; readonly entries: readonly { readonly key: number; readonly goto: string }[] }

/** `set` and `setId` are known only in the transaction. */
export interface ConstantLookup extends Omit<Lookup, 'set' | 'setId'> {
  readonly constant: Constant
}

export type Step = Expression | ConstantLookup
export type Rule = readonly Step[]

/** Registers 1 and 2 hold the addresses of a packet, or what a match looks at, and 3 what a cgroup before them moves on; the next a hash over them. */
const KEY = 1
const HASH = 3
const HASH_BEHIND = 4
/** Within register 1, behind the four bytes of an IPv4 source. */
const SECOND_WORD = 9
const THIRD_WORD = 10
const FOURTH_WORD = 11
const SECOND_ADDRESS = 2

const NFPROTO = { 4: 2, 6: 10 } as const
const TCP = 6
const UDP = 17
/** IPIP, IPv6 in IP, GRE, ESP, AH. */
const TUNNEL_PROTOCOLS = [4, 41, 47, 50, 51]
/** The first device of every network namespace (net/core/dev.c: loopback is registered before any other). */
const LOOPBACK = 1
const RTN_LOCAL = 2
const CT_ORIGINAL = 0
const IPS_SRC_NAT = 1 << 4
const SEED = 0x6d657368

/** A number as the kernel keeps it in a register; it runs on this machine. */
const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

const compare = (value: Uint8Array, operator: 'eq' | 'neq' | 'gte' = 'eq'): Expression => ({
  kind: 'compare',
  register: KEY,
  operator,
  value,
})
const meta = (key: 'iif' | 'oif' | 'nfproto' | 'l4proto' | 'cgroup'): Expression => ({ kind: 'meta', key, register: KEY })
const device = (hook: Hook, operator: 'eq' | 'neq', index: number): Rule => [
  meta(hook === 'in' ? 'iif' : 'oif'),
  compare(word(index), operator),
]
const family = (which: Family): Rule => [meta('nfproto'), compare(Uint8Array.of(NFPROTO[which]))]
const protocol = (number: number): Rule => [meta('l4proto'), compare(Uint8Array.of(number))]
const counter = (name: string): Expression => ({ kind: 'counter', name })
const accept: Expression = { kind: 'accept' }
const lookup = (constant: Constant, options: { readonly invert?: boolean } = {}): ConstantLookup => ({
  kind: 'lookup',
  register: KEY,
  constant,
  ...options,
})

const load = (offset: number, length: number, register: number): Expression => ({
  kind: 'payload',
  base: 'network',
  offset,
  length,
  register,
})

/**
 * Source and destination, side by side in the registers as in the header. Loads of 4 bytes have a short way (nft_payload_fast_eval): two
 * of them take less time than one of 8.
 */
const ADDRESSES: Readonly<Record<Family, Rule>> = {
  4: [load(12, 4, KEY), load(16, 4, SECOND_WORD)],
  6: [load(8, 32, KEY)],
}
const KEY_LENGTH = { 4: 8, 6: 32 } as const

const CGROUP_LENGTH = 8

/** Behind the id of a cgroup. */
const ADDRESSES_BEHIND: Readonly<Record<Family, Rule>> = {
  4: [load(12, 4, THIRD_WORD), load(16, 4, FOURTH_WORD)],
  6: [load(8, 32, THIRD_WORD)],
}

/** Breaks for a fragment without a transport header (nft_payload_eval). */
const destinationPort: Expression = { kind: 'payload', base: 'transport', offset: 2, length: 2, register: KEY }

/** Counts the pair and is done, or goes on with the next rule. */
export const takePair = (which: Family, set: string): Rule => [...ADDRESSES[which], { kind: 'update', set, register: KEY }, accept]

/** Breaks for a packet without a socket, or whose socket is in no cgroup of that level. */
const group = (which: Family, level: number): Rule => [{ kind: 'socket cgroup', level, register: KEY }, ...ADDRESSES_BEHIND[which]]

/** Counts the pair of a socket in a cgroup of that level and is done, or goes on with the next rule. */
export const takeGroup = (which: Family, set: string, level: number): Rule => [
  ...group(which, level),
  { kind: 'update', set, register: KEY },
  accept,
]

/** Counts the pair, or overflow. */
export const settlePair = (which: Family, set: string): Rule => [
  ...ADDRESSES[which],
  { kind: 'update', set, register: KEY, invert: true },
  counter('overflow'),
]

const toOneOf = (chains: readonly string[], length: number, register: number): Rule => [
  { kind: 'hash', source: KEY, length, register, modulus: chains.length, seed: SEED },
  {
    kind: 'lookup',
    register,
    verdict: true,
    constant: { type: 'map', entries: chains.map((chain, key) => ({ key, goto: chain })) },
  },
]

/** To one of the chains by a hash of both addresses. */
export const spread = (which: Family, chains: readonly string[]): Rule => [...ADDRESSES[which], ...toOneOf(chains, KEY_LENGTH[which], HASH)]

/** To one of the chains by a hash of cgroup and addresses, or goes on with the next rule where the socket is in no cgroup of that level. */
export const spreadGroup = (which: Family, chains: readonly string[], level: number): Rule => [
  ...group(which, level),
  ...toOneOf(chains, CGROUP_LENGTH + KEY_LENGTH[which], HASH_BEHIND),
]

export interface HookOptions {
  readonly hook: Hook
  readonly tunnels: boolean
  readonly tunnelPorts: readonly number[]
  readonly take: Rule
  readonly settle: Rule
  /** Only where tunnels are looked for. */
  readonly group?: Rule | undefined
}

/** Of one address family. */
export function hookRules(options: HookOptions): readonly Rule[] {
  const { hook, tunnels, take, settle, group } = options
  const observed = [...device(hook, 'neq', LOOPBACK), counter(`observed_${hook}`)]
  if (!tunnels) return [[...observed, ...settle]]
  const loopback: Rule = [...device(hook, 'eq', LOOPBACK), accept]
  const first = [...observed, ...protocol(TCP)]
  if (!group) return [[...first, ...take], loopback, ...otherRules(options)]
  return [[...first, ...group], loopback, [...protocol(TCP), ...take], ...otherRules(options)]
}

/** Of one address family, behind `sentHere`: neither loopback nor uncounted. */
export function sentRules(options: HookOptions): readonly Rule[] {
  const { take, group = [] } = options
  return [[...protocol(TCP), ...group], [...protocol(TCP), ...take], ...otherRules(options)]
}

/** Of what is not TCP, or found no room. */
function otherRules({ hook, tunnelPorts, take, settle, group }: HookOptions): readonly Rule[] {
  const datagram = [...protocol(UDP), ...notToTunnel(tunnelPorts)]
  return [
    ...(group ? [[...datagram, ...group]] : []),
    [...datagram, ...take],
    ...tunnelRules(hook, tunnelPorts),
    ...(group ? [group] : []),
    settle,
  ]
}

/** Of this network namespace; the comparison always holds, and lets nft print what is asked. */
const HAS_SOCKET: Rule = [meta('cgroup'), compare(word(0), 'gte')]

/** In output: what stays on this node leaves, whatever device it was routed to before DNAT; what a socket sends goes on in `chain`. */
export const sentHere = (chain: string): readonly Rule[] => [
  [{ kind: 'fib', address: 'daddr', result: 'type', register: KEY }, compare(word(RTN_LOCAL)), accept],
  [...HAS_SOCKET, counter('observed_post'), { kind: 'goto', chain }],
]

/** In postrouting: counted in output. */
export const passSent: Rule = [...HAS_SOCKET, accept]

export const handOver = (which: Family, chain: string): Rule => [...family(which), { kind: 'goto', chain }]

function notToTunnel(ports: readonly number[]): Rule {
  if (ports.length === 0) return []
  return [destinationPort, lookup({ type: 'set', key: 'port', values: ports }, { invert: true })]
}

/** Outer packets that this node sends or receives; a tunnel that a pod builds passes by and is a pair. */
function tunnelRules(hook: Hook, ports: readonly number[]): readonly Rule[] {
  const address = hook === 'post' ? 'saddr' : 'daddr'
  const ours: Rule = [{ kind: 'fib', address, result: 'type', register: KEY }, compare(word(RTN_LOCAL)), counter(`tunnel_${hook}`), accept]
  const byProtocol: Rule = [meta('l4proto'), lookup({ type: 'set', key: 'l4proto', values: TUNNEL_PROTOCOLS }), ...ours]
  if (ports.length === 0) return [byProtocol]
  return [byProtocol, [...protocol(UDP), destinationPort, lookup({ type: 'set', key: 'port', values: ports }), ...ours]]
}

/** Transit with a rewritten source, by its original source and its destination after DNAT; all else leaves early. */
export function viaRules(sets: Readonly<Record<Family, string>>): readonly Rule[] {
  const sourceNat: Rule = [
    { kind: 'ct', key: 'status', register: KEY },
    { kind: 'bitwise', register: KEY, mask: word(IPS_SRC_NAT) },
  ]
  return [
    [...device('in', 'eq', 0), accept],
    [...sourceNat, compare(word(0)), accept],
    [{ kind: 'ct', key: 'direction', register: KEY }, compare(Uint8Array.of(CT_ORIGINAL), 'neq'), accept],
    [
      ...family(4),
      { kind: 'ct', key: 'src_ip', direction: 'original', register: KEY },
      load(16, 4, SECOND_WORD),
      { kind: 'update', set: sets[4], register: KEY },
      accept,
    ],
    [
      ...family(6),
      { kind: 'ct', key: 'src_ip6', direction: 'original', register: KEY },
      load(24, 16, SECOND_ADDRESS),
      { kind: 'update', set: sets[6], register: KEY },
      accept,
    ],
    [...sourceNat, compare(word(0), 'neq'), counter('via_overflow')],
  ]
}
