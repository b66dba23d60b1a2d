// A table that uses every command and expression there is, once as data for our encoder and once in nft's own language.
import type { Command, Expression } from '../../src/kernel/commands.js'

export const TIMEOUT_MS = 365 * 86_400_000
const TABLE = 'ours'
const SEED = 0x6d657368

const counter = (name: string): Expression => ({ kind: 'counter', name })
const accept: Expression = { kind: 'accept' }
const is = (value: Uint8Array | readonly number[]): Expression => ({
  kind: 'compare',
  register: 1,
  operator: 'eq',
  value: Uint8Array.from(value),
})
const meta = (key: 'iif' | 'oif' | 'nfproto' | 'l4proto'): Expression => ({ kind: 'meta', key, register: 1 })
const load = (offset: number, length: number, register: number): Expression => ({
  kind: 'payload',
  base: 'network',
  offset,
  length,
  register,
})
const rule = (chain: string, expressions: readonly Expression[], comment = ''): Command => ({
  op: 'add rule',
  table: TABLE,
  chain,
  comment,
  expressions,
})
const chain = (name: string): Command => ({ op: 'add chain', table: TABLE, name })

const ipv4 = [meta('nfproto'), is([2])]
const ipv6 = [meta('nfproto'), is([10])]
const local = (address: 'saddr' | 'daddr'): Expression[] => [{ kind: 'fib', address, result: 'type', register: 1 }, is([2, 0, 0, 0])]
const originalAndSnat: readonly Expression[] = [
  { kind: 'ct', key: 'direction', register: 1 },
  is([0]),
  { kind: 'ct', key: 'status', register: 1 },
  { kind: 'bitwise', register: 1, mask: Uint8Array.of(0x10, 0, 0, 0) },
  { kind: 'compare', register: 1, operator: 'neq', value: new Uint8Array(4) },
]
const hash = (length: number): Expression[] => [
  { kind: 'hash', source: 2, length, register: 1, modulus: 2, seed: SEED },
  { kind: 'lookup', set: '__map%d', setId: length, register: 1, verdict: true },
]

export const commands: readonly Command[] = [
  { op: 'add table', table: TABLE, flags: 0, comment: 'layout=1' },
  ...['total', 'overflow', 'tunnel', 'multicast'].map((name): Command => ({ op: 'add counter', table: TABLE, name })),
  { op: 'add set', table: TABLE, name: 'pairs4', keyType: 'ipv4 pair', size: 4096, timeoutMs: TIMEOUT_MS },
  { op: 'add set', table: TABLE, name: 'pairs6', keyType: 'ipv6 pair', size: 4096, timeoutMs: TIMEOUT_MS },
  { op: 'add set', table: TABLE, name: 'via4', keyType: 'ipv4 pair', size: 512, timeoutMs: 0 },
  { op: 'add set', table: TABLE, name: 'via6', keyType: 'ipv6 pair', size: 512, timeoutMs: 0 },
  ...['update4', 'update6', 'tun', 'tunudp', 'v4', 'v6', 'viaset'].map(chain),
  { op: 'add chain', table: TABLE, name: 'post', base: { hook: 'postrouting', priority: 50 } },
  { op: 'add chain', table: TABLE, name: 'in', base: { hook: 'input', priority: -50 } },
  { op: 'add chain', table: TABLE, name: 'via', base: { hook: 'postrouting', priority: 150 } },
  { op: 'add constant set', table: TABLE, name: '__set%d', id: 1, key: 'port', values: [4789, 6081] },
  { op: 'add constant set', table: TABLE, name: '__set%d', id: 2, key: 'l4proto', values: [4, 41] },
  { op: 'add verdict map', table: TABLE, name: '__map%d', id: 8, entries: [0, 1].map((key) => ({ key, goto: 'update4' })) },
  { op: 'add verdict map', table: TABLE, name: '__map%d', id: 32, entries: [0, 1].map((key) => ({ key, goto: 'update6' })) },
  rule('update4', [...ipv4, load(12, 4, 1), load(16, 4, 9), { kind: 'update', set: 'pairs4', register: 1 }, accept]),
  rule('update4', [counter('overflow'), accept]),
  rule('update6', [...ipv6, load(8, 16, 1), load(24, 16, 2), { kind: 'update', set: 'pairs6', register: 1 }, accept]),
  rule('update6', [counter('overflow'), accept]),
  rule('tun', [...local('saddr'), counter('tunnel'), accept], 'outgoing outer packet'),
  rule('tun', [...local('daddr'), counter('tunnel'), accept]),
  rule('tunudp', [
    meta('l4proto'),
    is([17]),
    { kind: 'payload', base: 'transport', offset: 2, length: 2, register: 1 },
    { kind: 'lookup', set: '__set%d', setId: 1, register: 1 },
    { kind: 'goto', chain: 'tun' },
  ]),
  rule('v4', [
    ...ipv4,
    load(16, 4, 1),
    { kind: 'compare', register: 1, operator: 'gte', value: Uint8Array.of(224, 0, 0, 0) },
    counter('multicast'),
    accept,
  ]),
  rule('v4', [meta('l4proto'), { kind: 'lookup', set: '__set%d', setId: 2, register: 1 }, { kind: 'jump', chain: 'tun' }]),
  rule('v4', [...ipv4, load(12, 4, 2), load(16, 4, 13), ...hash(8)]),
  rule('v6', [
    ...ipv6,
    load(24, 16, 1),
    { kind: 'bitwise', register: 1, mask: Uint8Array.of(0xff, ...new Uint8Array(15)) },
    is([0xff, ...new Uint8Array(15)]),
    counter('multicast'),
    accept,
  ]),
  rule('v6', [...ipv6, load(8, 16, 2), load(24, 16, 3), ...hash(32)]),
  ...['post', 'in'].flatMap((base) => [
    rule(base, [meta(base === 'in' ? 'iif' : 'oif'), is([1, 0, 0, 0]), accept]),
    rule(base, [counter('total')]),
    rule(base, [...ipv4, { kind: 'goto', chain: 'v4' }]),
    rule(base, [...ipv6, { kind: 'goto', chain: 'v6' }]),
  ]),
  rule('via', [...originalAndSnat, { kind: 'jump', chain: 'viaset' }]),
  rule('viaset', [
    ...ipv4,
    { kind: 'ct', key: 'src_ip', direction: 'original', register: 1 },
    load(16, 4, 9),
    { kind: 'update', set: 'via4', register: 1 },
  ]),
  rule('viaset', [
    ...ipv6,
    { kind: 'ct', key: 'src_ip6', direction: 'original', register: 1 },
    load(24, 16, 2),
    { kind: 'update', set: 'via6', register: 1 },
  ]),
  rule('viaset', [{ kind: 'return' }]),
]

export const text = `
table inet theirs {
  comment "layout=1"
  counter total {
  }
  counter overflow {
  }
  counter tunnel {
  }
  counter multicast {
  }
  set pairs4 { type ipv4_addr . ipv4_addr; size 4096; flags dynamic,timeout; counter; timeout 365d; }
  set pairs6 { type ipv6_addr . ipv6_addr; size 4096; flags dynamic,timeout; counter; timeout 365d; }
  set via4 { type ipv4_addr . ipv4_addr; size 512; flags dynamic; counter; }
  set via6 { type ipv6_addr . ipv6_addr; size 512; flags dynamic; counter; }
  chain update4 {
    update @pairs4 { ip saddr . ip daddr } accept
    counter name overflow accept
  }
  chain update6 {
    update @pairs6 { ip6 saddr . ip6 daddr } accept
    counter name overflow accept
  }
  chain tun {
    fib saddr type local counter name tunnel accept comment "outgoing outer packet"
    fib daddr type local counter name tunnel accept
  }
  chain tunudp {
    udp dport { 4789, 6081 } goto tun
  }
  chain v4 {
    ip daddr >= 224.0.0.0 counter name multicast accept
    meta l4proto { 4, 41 } jump tun
    jhash ip saddr . ip daddr mod 2 seed 0x6d657368 vmap { 0 : goto update4, 1 : goto update4 }
  }
  chain v6 {
    ip6 daddr & ff00:: == ff00:: counter name multicast accept
    jhash ip6 saddr . ip6 daddr mod 2 seed 0x6d657368 vmap { 0 : goto update6, 1 : goto update6 }
  }
  chain viaset {
    update @via4 { ct original ip saddr . ip daddr }
    update @via6 { ct original ip6 saddr . ip6 daddr }
    return
  }
  chain post {
    type filter hook postrouting priority 50; policy accept;
    oif 1 accept
    counter name total
    meta nfproto ipv4 goto v4
    meta nfproto ipv6 goto v6
  }
  chain in {
    type filter hook input priority -50; policy accept;
    iif 1 accept
    counter name total
    meta nfproto ipv4 goto v4
    meta nfproto ipv6 goto v6
  }
  chain via {
    type filter hook postrouting priority 150; policy accept;
    ct direction original ct status snat jump viaset
  }
}
`
