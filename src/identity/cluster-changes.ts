// What a cluster has told since the last time, and what its names go by.
import type { Clock, ClockSettings } from '../deps.js'
import type { Stretch } from '../model.js'
import type { Address } from './address.js'
import type { Standing } from './node-coverage.js'
import type { NodeRange, Tenancy, Zone } from './tenancies.js'

/** What is left out stays. */
export interface ClusterChanges {
  readonly tenancies?: readonly Tenancy[]
  readonly ranges?: readonly NodeRange[] | undefined
  readonly zones?: readonly Zone[] | undefined
  readonly unheard?: readonly Stretch[]
  /** Names of the nodes whose agents post what lives there. */
  readonly covering?: ReadonlySet<string> | undefined
  /** Nodes of which that was told; absent: all there are. */
  readonly toldOf?: ReadonlySet<string> | undefined
  /** Of this node. */
  readonly standing?: Standing
  /** All that was there has been told, and changes follow at once. */
  readonly isCurrent?: boolean
  /** Whether who tells was asked for an address, and has heard it; another function where that has changed. Absent: all are told of. */
  readonly isAsked?: (address: string) => boolean
  /** `isCurrent` of this node's own pods alone; absent: as of all. */
  readonly isOwnCurrent?: boolean
}

export interface ClusterOptions {
  /** The node that this agent runs on. */
  readonly node: string
  readonly patienceMs: number
  readonly skewMs: number
  /** How often the kernel is read; absent: as seldom as it may be. */
  readonly readEveryMs?: number
  /** Patience goes by it; absent: by the clock of the answers. */
  readonly monotonic?: Clock['monotonic']
  /** As of `ClockSettings`. */
  readonly doubtMs?: ClockSettings['doubtMs']
  /** How often this process stood still so far; absent: never. */
  readonly stops?: () => number
  /** Whether the kernel routes to it over a device that is no uplink: it lives here, whoever it is. */
  readonly isBehindUs: (address: Address) => boolean
}
