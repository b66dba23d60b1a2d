// Every type that crosses a folder; those of flows are beside it. Imports nothing else.
import type { FlowReading } from './model/flows.js'

// ---- metrics: a family is data, so that docs, rules and dashboards can be checked against it

export type Labels = Readonly<Record<string, string>>

export interface Family {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** Without the `le` of a histogram. */
  readonly labels: readonly string[]
  /** What the values of one owner come to; absent: their sum. */
  readonly ofOwner?: 'minimum' | 'maximum'
  /** Series at most; what is beyond goes to `_other`, in all labels but those of its owner. */
  readonly limit?: number
  /** A new series is served at 0 for a minute: what it begins with is what an alert looks for. */
  readonly zeroFirst?: true
  /** One sentence, starts with a capital, ends with a full stop. */
  readonly help: string
}

/** One line of exposition; of a histogram all its lines, and `value` is their count. `sinceMs`: when it began to count (`_created` in OpenMetrics). */
export interface Series {
  readonly labels: Labels
  readonly value: number
  readonly sinceMs?: number
  readonly histogram?: {
    readonly sum: number
    /** How many observations are not above `le`. Ascending; the last `le` is infinite. */
    readonly buckets: readonly { readonly le: number; readonly count: number }[]
  }
}

export interface FamilySnapshot {
  readonly family: Family
  readonly series: Iterable<Series>
}

// ---- sources: what a file, a socket or an endpoint said; no zone, no owner, no exporter

/** Something a source cannot do without; compared with the deployment by a test. */
export type Need =
  | { readonly kind: 'capability'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'kernel'; readonly feature: string }
  /** Of RBAC, in a ClusterRole; `resource` with its subresource. */
  | { readonly kind: 'rule'; readonly resource: string; readonly verb: string }

/** The pod that a reading is of. */
export interface OfPod {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Of its network, which a pod on its node's network has none of. `perhaps node`: the numbers are much like the node's. */
  readonly network?: 'own' | 'perhaps node'
}

/** Whoever has an address, which a source does not know: by label, or by field of a row, what is said of it behind the others. */
export interface Peer {
  readonly address: string
  /** Whoever had it then, throughout; otherwise whoever has it now. */
  readonly during?: Stretch
  /** `ended`: whether that pod had ended by then: yes, no, _unknown, or nothing where it is no pod. */
  readonly says: Readonly<Record<string, 'zone' | 'namespace' | 'kind' | 'name' | 'ended'>>
}

/** A value of the moment or the running total of a counter that is not ours, both served as they were read. */
export interface ValueReading {
  readonly kind: 'value'
  readonly family: Family
  readonly labels: Labels
  readonly value: number
  /** Then its owner's labels come first, and the values of one owner are added up. */
  readonly pod?: OfPod
  readonly peer?: Peer
}

/** One of the few that the snapshot names, and nothing else serves: there are too many of them for labels. */
export interface RowReading {
  readonly kind: 'row'
  readonly row: Readonly<Record<string, unknown>>
  readonly peer?: Peer
}

/** The running total of one of many counters that come and go: served is what they add up to by labels, whichever of them are there. */
export interface TotalReading {
  readonly kind: 'total'
  readonly family: Family
  /** Beside those of the pod's owner. */
  readonly labels: Labels
  readonly pod?: OfPod
  /** What keeps the counter, by a name that nothing else ever has: a pod by its uid, a container of it. */
  readonly target: string
  /** Its name within the target and the family. */
  readonly series: string
  /** Of a histogram: its sum, or how many observations are in the bucket that ends there and in none before. */
  readonly part?: 'sum' | number | undefined
  /** Undefined: the target is there, and says nothing yet. */
  readonly value: number | undefined
  /** When the counter began at zero, where that is known. */
  readonly startedMs?: number | undefined
}

/** Something that happened so many times, to be added to what its labels add up to. */
export interface EventReading {
  readonly kind: 'event'
  readonly family: Family
  readonly labels: Labels
  readonly count: number
  /** Then its owner's labels come first. */
  readonly pod?: OfPod
  readonly peer?: Peer
}

/** How far a source has read what it reads once only: written down with what it counted there. Undefined: there is nothing more. */
export interface MarkReading {
  readonly kind: 'mark'
  readonly name: string
  readonly value: string | undefined
}

export type Reading = ValueReading | TotalReading | EventReading | MarkReading | RowReading | FlowReading

export interface Readings {
  readonly readings: readonly Reading[]
  /** Rows that could not be understood. */
  readonly rejected: number
}

export interface Source {
  readonly name: string
  readonly families: readonly Family[]
  readonly needs: readonly Need[]
  read(signal: AbortSignal): Promise<Readings>
  /** Gathers in the background, until aborted, what `read` hands on. */
  run?(signal: AbortSignal): Promise<void>
  /** Before the first read: the marks that are written down, and when the last read began. */
  resume?(marks: ReadonlyMap<string, string>, readMs: number | undefined): void
}

// ---- identity: who an address is

/** Three answers: where nothing is known yet, bytes wait. */
export type Known = 'yes' | 'no' | 'unknown'

/** `region` decides the scope, the other four are labels. `''` = not applicable, `_unknown` = not known. */
export interface Who {
  readonly zone: string
  readonly region: string
  readonly namespace: string
  readonly kind: string
  readonly name: string
  readonly external: boolean
}

/**
 * `local`: lives on this node; `joining`: it does, but others may still post its bytes. `covered`: another node's agent posts its bytes;
 * `perhaps`: it does or did, but not all of them. `ambiguous`: two could claim the bytes.
 */
export interface Placement {
  readonly who: Who
  readonly local: Known | 'joining'
  readonly covered: Known | 'perhaps'
  readonly ambiguous?: true
  /** When the pod ended that had it; the bytes came later, and before anybody else has it. */
  readonly endedMs?: number
}

/** After `fromMs` and not after `toMs`. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** What another process knew at its last reading, from its beginning until it was posted. `had`: whether it was the holder (`Identity.holderOf`), undefined where that is not known. */
export interface LeftOff {
  readonly readAtMs: number
  readonly atMs: number
  readonly addresses: readonly string[]
  /** For how long bytes of these have waited by now, in ms; absent where none do, or that is not known. */
  readonly waited?: ReadonlyMap<string, number> | undefined
  had(address: string, holder: string): boolean | undefined
}

/** One row of inventory.yaml. `node`: the node with an agent that the address lives on; `''` = none. */
export interface InventoryEntry {
  readonly cidr: string
  readonly zone: string
  readonly region: string
  readonly namespace: string
  readonly ownerKind: string
  readonly ownerName: string
  readonly node: string
  readonly external: boolean
}

export interface Identity {
  /** Total: never throws, never undefined. */
  place(address: string): Placement
  /** Whose the bytes are that came since then. `before`: who it was until the last reading, undefined at first sight. */
  placeSince(address: string, before: Placement | undefined, sinceMs: number): Placement
  /** Whose bytes were that came in a time that is over, where more is known by now than that they are of `now`. */
  placeDuring(address: string, now: Placement, stretch: Stretch): Placement
  /** Who has it or had it last: to another process the same text for as long as nobody else got it. Undefined where that is not known. */
  holderOf?(address: string): string | undefined
  /** Counts up whenever an answer of `place` may have changed. */
  readonly version: number
  /** Zones that are known, with their regions; their pairs are served at 0 from the start. */
  readonly zones: readonly { readonly zone: string; readonly region: string }[]
}

export type Scope = 'same_zone' | 'cross_zone' | 'cross_region' | 'to_external' | 'from_external' | 'unknown'

// ---- ledger: what it adds up to

/** Bytes since the ledger began. observed = posted + elsewhere + tunnel + multicast + overflow + pending. */
export interface Books {
  readonly observed: number
  readonly posted: number
  readonly elsewhere: number
  readonly tunnel: number
  readonly multicast: number
  readonly overflow: number
  readonly pending: number
  /** Of the two sides; added up apart, since numbers above 2^53 are rounded. */
  readonly difference?: number
}

export interface Snapshot {
  readonly atMs: number
  readonly books: Books
  readonly families: readonly FamilySnapshot[]
}
