// What nftables can be told, in its own terms. Registers as the kernel numbers them (enum nft_registers): 1 to 4 hold 16 bytes each,
// 8 to 23 are the same space in words of 4 bytes, so that 1 is 8 to 11.

export type Command =
  | { readonly op: 'add table'; readonly table: string; readonly flags: number; readonly comment: string }
  | { readonly op: 'delete table'; readonly table: string }
  | { readonly op: 'add counter'; readonly table: string; readonly name: string }
  | AddSet
  | AddConstantSet
  | AddVerdictMap
  | { readonly op: 'delete set'; readonly table: string; readonly name: string }
  | AddChain
  | { readonly op: 'flush chain'; readonly table: string; readonly name: string }
  | { readonly op: 'delete chain'; readonly table: string; readonly name: string }
  | AddRule

/** `cgroup`: of version 2, its id before the pair. */
export type KeyType = 'ipv4 pair' | 'ipv6 pair' | 'cgroup and ipv4 pair' | 'cgroup and ipv6 pair'

/** Filled by rules, with a counter per element; elements time out when `timeoutMs` is not 0. */
export interface AddSet {
  readonly op: 'add set'
  readonly table: string
  readonly name: string
  readonly keyType: KeyType
  readonly size: number
  readonly timeoutMs: number
}

/** Anonymous: named `__set%d`, numbered by the kernel, found by its id within the transaction. */
export interface AddConstantSet {
  readonly op: 'add constant set'
  readonly table: string
  readonly name: string
  readonly id: number
  readonly key: 'l4proto' | 'port'
  readonly values: readonly number[]
}

/** Anonymous like a constant set, named `__map%d`; from a number in a register to a chain. */
export interface AddVerdictMap {
  readonly op: 'add verdict map'
  readonly table: string
  readonly name: string
  readonly id: number
  readonly entries: readonly { readonly key: number; readonly goto: string }[]
}

export type BaseHook = 'input' | 'output' | 'postrouting'

/** With `base` a chain of type filter with policy accept. */
export interface AddChain {
  readonly op: 'add chain'
  readonly table: string
  readonly name: string
  readonly base?: { readonly hook: BaseHook; readonly priority: number }
}

export interface AddRule {
  readonly op: 'add rule'
  readonly table: string
  readonly chain: string
  readonly comment: string
  readonly expressions: readonly Expression[]
}

export type Expression =
  /** `cgroup`: a class that is of no interest here, loaded for every packet that a socket of this network namespace sends. */
  | { readonly kind: 'meta'; readonly key: 'iif' | 'oif' | 'nfproto' | 'l4proto' | 'cgroup'; readonly register: number }
  | { readonly kind: 'compare'; readonly register: number; readonly operator: Operator; readonly value: Uint8Array }
  | Payload
  | Lookup
  | Update
  | { readonly kind: 'counter'; readonly name: string }
  | Hash
  | SocketCgroup
  | { readonly kind: 'fib'; readonly address: 'saddr' | 'daddr'; readonly result: 'type'; readonly register: number }
  | Conntrack
  /** Leaves register & mask in the same register. */
  | { readonly kind: 'bitwise'; readonly register: number; readonly mask: Uint8Array }
  | { readonly kind: 'accept' }
  | { readonly kind: 'return' }
  | { readonly kind: 'goto'; readonly chain: string }
  | { readonly kind: 'jump'; readonly chain: string }

export type Operator = 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte'

export interface Payload {
  readonly kind: 'payload'
  readonly base: 'network' | 'transport'
  readonly offset: number
  readonly length: number
  readonly register: number
}

/** `setId`: of a set added in the same transaction. `verdict`: what the map says is done. */
export interface Lookup {
  readonly kind: 'lookup'
  readonly set: string
  readonly setId?: number
  readonly register: number
  readonly invert?: boolean
  readonly verdict?: boolean
}

/** Adds the key to the set, or counts at the one there is. Ends the rule when there is no room; with `invert` when there was. */
export interface Update {
  readonly kind: 'update'
  readonly set: string
  readonly setId?: number
  readonly register: number
  readonly invert?: boolean
}

/** jhash of `length` bytes from register `source`, modulo `modulus`. */
export interface Hash {
  readonly kind: 'hash'
  readonly source: number
  readonly length: number
  readonly register: number
  readonly modulus: number
  readonly seed: number
}

/**
 * Id of the cgroup (version 2) that the packet's socket was made in: of the ancestor `level` below the root of the cgroup namespace of who
 * writes the rule. Breaks where the socket is in none so deep (nft_socket_eval; in postrouting it is not to be had).
 */
export interface SocketCgroup {
  readonly kind: 'socket cgroup'
  readonly level: number
  readonly register: number
}

export interface Conntrack {
  readonly kind: 'ct'
  readonly key: 'direction' | 'status' | 'src_ip' | 'dst_ip' | 'src_ip6' | 'dst_ip6'
  readonly direction?: 'original' | 'reply'
  readonly register: number
}
