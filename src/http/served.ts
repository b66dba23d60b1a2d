import type { FamilySnapshot, RowReading, Snapshot } from '../model.js'

export interface SourceStatus {
  readonly name: string
  readonly up: boolean
  readonly readSeconds: number
  readonly error: string
  readonly note: string
  /** What it names one by one, where there is any. */
  readonly rows?: readonly RowReading['row'][]
}

export interface Status {
  readonly ready: boolean
  /** Why not, in one sentence; empty when ready. */
  readonly why: string
  readonly node: string
  readonly sources: readonly SourceStatus[]
}

/** What the server asks of the agent. */
export interface Served {
  /**
   * Reads again when the last read is older than a second, then calls `use` while nothing changes; concurrent calls share the read. `zeroFirst`: as
   * a scraper is to see new series, which is the default.
   */
  withSnapshot<T>(use: (snapshot: Snapshot) => Promise<T>, seen?: { readonly zeroFirst: boolean }): Promise<T>
  self(): Promise<readonly FamilySnapshot[]>
  readonly status: Status
}
