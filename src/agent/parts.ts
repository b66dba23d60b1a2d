// What the agent is made of, and what can be asked of it.
import type { Config } from '../config/fields.js'
import type { ParseInventory } from '../config/inventory.js'
import type { Inventory } from '../config/load.js'
import type { Deps, Disk } from '../deps.js'
import type { TakeLock } from '../kernel/lock.js'
import type { FamilySnapshot, Snapshot } from '../model.js'
import type { SourceStatus } from './readers.js'

export interface AgentParts {
  readonly config: Config
  readonly inventory: Inventory
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly host: { readonly cpus: number; readonly memoryBytes: number; readonly nodeVersion: string }
}

export interface AgentDeps extends Deps {
  readonly disk: Disk
  readonly takeLock: TakeLock
  readonly parseInventory: ParseInventory
  readonly cpuUsage: () => { readonly user: number; readonly system: number }
}

export interface Agent {
  /** First read; after it there is something to serve. Rejects when the agent could not do its job. */
  start(signal: AbortSignal): Promise<void>
  /** Reads in time until aborted, then reads and writes down a last time. The kernel table stays and goes on counting, unless no agent comes after. */
  run(signal: AbortSignal): Promise<void>
  /** Reads a last time, writes down, and removes the kernel table. False when there was none. */
  uninstall(signal: AbortSignal): Promise<boolean>
  withSnapshot<T>(use: (snapshot: Snapshot) => Promise<T>, seen?: { readonly zeroFirst: boolean }): Promise<T>
  self(): Promise<readonly FamilySnapshot[]>
  readonly status: { readonly ready: boolean; readonly why: string; readonly node: string; readonly sources: readonly SourceStatus[] }
}
