// Keeps the table as it should be: whole, and with rules that look for all that goes on around it. Says how long it was not.
import type { Clock, Log, OpenNetlink } from '../../deps.js'
import type { CgroupLevel } from '../../kernel/cgroups.js'
import { KernelError } from '../../kernel/errors.js'
import { createLinkWatch, type LinkWatch } from '../../kernel/link-watch.js'
import type { Nftables } from '../../kernel/nftables.js'
import type { Link } from '../../kernel/rtnetlink.js'
import { isWider, missedBy } from './mode.js'
import { createPace } from './pace.js'
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
  /** By which cgroups what this node's own sockets send and receive is told apart; undefined: by none. */
  readonly findCgroupLevel: () => Promise<CgroupLevel | undefined>
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

// ENOENT, EINVAL, ERANGE, EOPNOTSUPP: an expression that the kernel does not know, or not so.
const UNKNOWN_TO_KERNEL = [2, 22, 34, 95]

export function createKeeper(parts: KeeperParts, { clock, log, openNetlink }: KeeperDeps): Keeper {
  const { name, nft, table, shelf, surroundings } = parts
  const pace = createPace({ clock, log })
  let linkWatch: LinkWatch | undefined
  /** What failed is due until it is done. */
  let due: 'nothing' | 'mend' | 'renew' = 'nothing'
  let hasLinkNews = true
  let wholeAtMs = 0
  /** When tunnels and NAT were last looked at. */
  let looked = { links: 0, nat: 0 }
  let begunAtMs = 0
  let readAtMs = 0
  let gapMs = 0

  const updateShelf = (): void => shelf.update(nft.sets(name), table.installed.layout.generation, clock.monotonic())

  async function openTable(): Promise<void> {
    const sight = await surroundings.look()
    const cgroupLevel = await parts.findCgroupLevel()
    try {
      await table.open(sight, cgroupLevel)
    } catch (error) {
      if (cgroupLevel === undefined || !(error instanceof KernelError) || !UNKNOWN_TO_KERNEL.includes(error.errno)) throw error
      await table.open(sight)
      log.warn("kernel cannot tell this node's own sockets apart, their bytes are the node's", { table: name, error: error.message })
    }
  }

  function startShelf(): void {
    shelf.clear()
    due = 'nothing'
  }

  async function checkTable(): Promise<void> {
    const atMs = clock.monotonic()
    const change = await table.check(pace.takeRepair)
    if (change === 'none') {
      wholeAtMs = atMs
      return
    }
    if (change === 'begun') startShelf()
    const lostMs = clock.monotonic() - wholeAtMs
    gapMs += lostMs
    wholeAtMs = clock.monotonic()
    if (change === 'left') {
      pace.warn('table of flows is changed by somebody again and again, left for some seconds', { table: name })
      return
    }
    begunAtMs = wholeAtMs
    updateShelf()
    pace.warn('table of flows was changed by somebody, installed again', { table: name, gap_s: lostMs / 1000, change })
  }

  /** Nothing is known of the time since the last read. */
  function startOver(what: string): void {
    const lostMs = clock.monotonic() - readAtMs
    gapMs += lostMs
    readAtMs = wholeAtMs = begunAtMs = clock.monotonic()
    updateShelf()
    pace.warn(what, { table: name, gap_s: lostMs / 1000 })
  }

  function mend(): void {
    due = 'mend'
    table.mend()
    due = 'nothing'
    startOver('elements of the flow sets were reset by somebody, counting begins anew')
  }

  async function renew(): Promise<void> {
    due = 'renew'
    await table.renew()
    startShelf()
    startOver('the kernel counts less than it did, an epoch begins')
  }

  function widen(sight: Sight, at: Partial<typeof looked>): void {
    const { mode } = sight
    const before = table.installed.layout.mode
    if (isWider(mode, before)) {
      const { translated, tunnelled } = missedBy(before, sight)
      table.widen(mode, translated || tunnelled)
      const nowMs = clock.monotonic()
      const lostMs = nowMs - Math.min(translated ? looked.nat : nowMs, tunnelled ? looked.links : nowMs)
      gapMs += lostMs
      log.info('tunnels or address translation appeared, rules look for them now', { before, mode, gap_s: lostMs / 1000 })
    }
    looked = { ...looked, ...at }
  }

  /** Without word of a change they are as they were. */
  function lookAtLinks(): void {
    const atMs = clock.monotonic()
    hasLinkNews = linkWatch?.changed() || hasLinkNews
    if (hasLinkNews) widen(surroundings.lookAtLinks(), { links: atMs })
    hasLinkNews = false
    looked = { ...looked, links: atMs }
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
      if (linkWatch) return
      linkWatch = createLinkWatch(openNetlink)
      const atMs = clock.monotonic()
      await openTable()
      looked = { links: atMs, nat: atMs }
      wholeAtMs = begunAtMs = readAtMs = clock.monotonic()
      updateShelf()
    },
    async look() {
      if (due === 'renew') await renew()
      else await checkTable()
      if (due === 'mend') mend()
      const atMs = clock.monotonic()
      const sight = await surroundings.look()
      widen(sight, { links: atMs, nat: atMs })
      updateShelf()
      return sight.links
    },
    async lookBriefly() {
      if (due === 'renew') return
      await checkTable()
      spreadInTime()
      lookAtLinks()
    },
    rotate,
    mend,
    renew,
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
