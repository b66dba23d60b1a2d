// Keeps the table as it should be: whole, and with rules that look for all that goes on around it. Says how long it was not.
import type { Clock, Log, OpenNetlink } from '../../deps.js'
import { createLinkWatch, type LinkWatch } from '../../kernel/link-watch.js'
import type { Nftables } from '../../kernel/nftables.js'
import type { Link } from '../../kernel/rtnetlink.js'
import { isWider } from './mode.js'
import type { Shelf } from './shelf.js'
import { SHARDS, type Shards, shardsFor } from './sizing.js'
import type { Sight, Surroundings } from './surroundings.js'
import type { FlowTable } from './table.js'

export interface KeeperParts {
  readonly name: string
  readonly nft: Nftables
  readonly table: FlowTable
  readonly shelf: Shelf
  readonly surroundings: Surroundings
}

export interface KeeperDeps {
  readonly clock: Clock
  readonly log: Log
  readonly openNetlink: OpenNetlink
}

export interface Keeper {
  open(): Promise<void>
  /** All of it; the devices that were found. */
  look(): Promise<readonly Link[]>
  /** What can be had without a list of everything. */
  lookBriefly(): Promise<void>
  rotate(shards: Shards): void
  /** Elements were reset by somebody: what they counted since the last read is not known. */
  mend(): void
  /** Counters were: a new epoch begins. */
  renew(): Promise<void>
  /** Since the live generation began, by the clock that never jumps. */
  readonly generationAgeMs: number
  /** Time in which not everything was counted, since this was last asked. */
  takeGapMs(): number
  close(): void
}

export function createKeeper({ name, nft, table, shelf, surroundings }: KeeperParts, { clock, log, openNetlink }: KeeperDeps): Keeper {
  let linkWatch: LinkWatch | undefined
  let wholeAtMs = 0
  let lookedAtMs = 0
  let begunAtMs = 0
  let readAtMs = 0
  let gapMs = 0

  const updateShelf = (): void => shelf.update(nft.sets(name), table.installed.layout.generation, clock.monotonic())

  async function checkTable(): Promise<void> {
    const atMs = clock.monotonic()
    const change = await table.check()
    if (change === 'none') {
      wholeAtMs = atMs
      return
    }
    if (change === 'begun') shelf.clear()
    const lostMs = clock.monotonic() - wholeAtMs
    gapMs += lostMs
    wholeAtMs = begunAtMs = clock.monotonic()
    updateShelf()
    log.warn('table of flows was changed by somebody, installed again', { table: name, gap_s: lostMs / 1000, change })
  }

  /** Nothing is known of the time since the last read. */
  function startOver(what: string): void {
    const lostMs = clock.monotonic() - readAtMs
    gapMs += lostMs
    readAtMs = wholeAtMs = begunAtMs = clock.monotonic()
    updateShelf()
    log.warn(what, { table: name, gap_s: lostMs / 1000 })
  }

  function widen({ mode, mayHaveMissed }: Sight, atMs: number): void {
    const before = table.installed.layout.mode
    if (isWider(mode, before)) {
      table.widen(mode)
      const lostMs = mayHaveMissed ? clock.monotonic() - lookedAtMs : 0
      gapMs += lostMs
      log.info('tunnels or address translation appeared, rules look for them now', { before, mode, gap_s: lostMs / 1000 })
    }
    lookedAtMs = atMs
  }

  function rotate(shards: Shards): void {
    table.rotate(shards)
    begunAtMs = clock.monotonic()
    updateShelf()
  }

  /** Before one set is so large that no read of it comes to an end. Older kernels do not say how large: there the next read tells. */
  function spreadInTime(): void {
    if (table.installed.layout.shards === SHARDS) return
    updateShelf()
    const counts = shelf.live?.sets.map(({ count }) => count ?? 0) ?? []
    const shards = shardsFor(Math.max(0, ...counts))
    if (shards === SHARDS) rotate(shards)
  }

  return {
    async open() {
      linkWatch ??= createLinkWatch(openNetlink)
      const { mode } = await surroundings.look()
      await table.open(mode)
      wholeAtMs = lookedAtMs = begunAtMs = readAtMs = clock.monotonic()
      updateShelf()
    },
    async look() {
      await checkTable()
      const atMs = clock.monotonic()
      const sight = await surroundings.look()
      widen(sight, atMs)
      updateShelf()
      return sight.links
    },
    async lookBriefly() {
      await checkTable()
      spreadInTime()
      if (!linkWatch?.changed()) return
      const atMs = clock.monotonic()
      widen(surroundings.lookAtLinks(), atMs)
    },
    rotate,
    mend() {
      table.mend()
      startOver('elements of the flow sets were reset by somebody, counting begins anew')
    },
    async renew() {
      await table.renew()
      shelf.clear()
      startOver('counters of the flow table were reset by somebody, an epoch begins')
    },
    get generationAgeMs() {
      return clock.monotonic() - begunAtMs
    },
    takeGapMs() {
      const taken = gapMs
      readAtMs = clock.monotonic()
      gapMs = 0
      return taken
    },
    close() {
      linkWatch?.close()
      linkWatch = undefined
    },
  }
}
