// What the kernel counted between addresses: the types of it that cross a folder. Imports nothing.

/** Interned address pairs: ids are small integers, stable while any generation holds the pair. */
export interface Pairs {
  /** One more than the largest id in use. */
  readonly size: number
  readonly addresses: number
  sourceOf(pair: number): number
  destinationOf(pair: number): number
  /** Canonical text of an address id: dotted quad, or RFC 5952; of the sockets in a cgroup of this node with `@` and the cgroup's id behind it. */
  addressText(address: number): string
}

/** Totals by pair: the first `count` entries of both columns are valid; a pair occurs once. */
export interface PairColumn {
  readonly count: number
  readonly pair: Int32Array
  readonly bytes: Float64Array
}

/** One generation of kernel sets. `closed`: detached from traffic and read until two dumps agreed, so its values are final. */
export interface GenerationReading {
  readonly id: number
  readonly closed: boolean
  readonly seen: PairColumn
  /** Bytes of SNATed transit by (original source, final destination); each is also in `seen`. */
  readonly via: PairColumn
}

/** Named counters of the kernel table, running totals in bytes since the epoch began. */
export type KernelCounters = Readonly<Record<'observed' | 'tunnel' | 'overflow' | 'viaOverflow', number>>

/** Bytes for the coverage ratio, running totals: sent by uplinks less 14 a frame; sent into tunnel devices; outer packets sent. */
export interface Egress {
  readonly uplinks: number
  readonly intoTunnels: number
  readonly outerSent: number
}

export interface FlowReading {
  readonly kind: 'flows'
  /** Identity of the kernel table's incarnation: random, kept in the table itself. */
  readonly epoch: string
  readonly epochStartMs: number
  readonly atMs: number
  readonly counters: KernelCounters
  readonly pairs: Pairs
  /** Oldest first; the last one is live. */
  readonly generations: readonly GenerationReading[]
  /** Time in which nothing was counted, found since the reading before; measured by a clock that never jumps. */
  readonly gapMs: number
  /** Since when counting is known to be without a break: the table's creation, or its last repair. */
  readonly unbrokenSinceMs: number
  readonly egress: Egress
}
