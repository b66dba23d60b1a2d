// Bytes by address pair, counted by the kernel in nftables sets (layout.ts says how) and read from there over netlink.
//   set pair4_g1 { 10.1.0.10 . 10.1.2.7 counter packets 5 bytes 7420 }
// Needs CAP_NET_ADMIN in the network namespace that it counts in, and nf_tables with the family inet (Linux >= 5.10).
import type { Deps } from '../../deps.js'
import type { CgroupLevel } from '../../kernel/cgroups.js'
import type { Lock, TakeLock } from '../../kernel/lock.js'
import { createNftables } from '../../kernel/nftables.js'
import { createRtnetlink } from '../../kernel/rtnetlink.js'
import type { Readings, Source } from '../../model.js'
import { readingOf } from '../source.js'
import { SETTLE_MS } from './closing.js'
import { FirstReadPartial, refusalAtFirst, refusalLater, TableInUse } from './errors.js'
import { families } from './families.js'
import type { Fill } from './generations.js'
import { createKeeper } from './keeper.js'
import type { Mode } from './layout.js'
import { createPairs } from './pairs.js'
import { type FlowRead, hasFallen, readFlows } from './reading.js'
import { isDue, MOST_WAITING } from './rotation.js'
import { createShelf } from './shelf.js'
import { pairLimit, shardsFor } from './sizing.js'
import { createSurroundings } from './surroundings.js'
import { createTable } from './table.js'
import { createTurns } from './turns.js'

export interface FlowOptions {
  readonly table: string
  readonly maxPairs: 'auto' | number
  readonly ownership: 'auto' | 'off'
  readonly tunnelPorts: readonly number[]
  readonly rotateEveryMs: number
  readonly kubernetes: boolean
  readonly cpus: number
  readonly memoryBytes: number
}

export interface FlowDeps extends Pick<Deps, 'clock' | 'log' | 'openNetlink' | 'readFile' | 'random'> {
  readonly takeLock: TakeLock
  /** Awaited before a table with this epoch is made, so that a crash between the two loses nothing. */
  readonly announceEpoch: (epoch: string) => Promise<void>
  /** Asked when the table is opened: by cgroups of which level this node's own sockets are told apart; undefined: by none. */
  readonly findCgroupLevel: () => Promise<CgroupLevel | undefined>
}

export interface FlowSource extends Source {
  /** Takes the lock, adopts or creates the table. Throws TableInUse, TableForeign, FlowsRefused, KernelError. */
  open(): Promise<void>
  /** Deletes closed generations from the kernel: only once their bytes are durable. */
  release(generations: readonly number[]): Promise<void>
  /** A table and an epoch of their own now, for one that counts less than it did before this agent began. */
  renew(): Promise<void>
  /** Asks for a new generation at the end of the next read. */
  rotate(): void
  /** A cheap look between reads, so that a destroyed table is noticed within a second. */
  watch(): void
  /** Takes the lock, and says whether there is a table, whoever made it. Makes none. Throws as `open` does. */
  find(): Promise<boolean>
  /** Removes the table, and with it what was not read. */
  uninstall(): Promise<void>
  close(): void
  readonly status: FlowStatus
}

export interface FlowStatus {
  readonly owned: boolean
  readonly mode: Mode
  readonly limit: number
  readonly note: string
}

export function createFlows(options: FlowOptions, deps: FlowDeps): FlowSource {
  const { clock, log, openNetlink } = deps
  const { table: name } = options
  const limit = pairLimit(options.maxPairs, options)
  const nft = createNftables(openNetlink)
  const rtnetlink = createRtnetlink(openNetlink)
  const pairs = createPairs(seedOf(deps.random()))
  const shelf = createShelf(pairs)
  const table = createTable({ ...options, limit }, { ...deps, nft })
  const surroundings = createSurroundings({ nft, rtnetlink, readFile: deps.readFile, kubernetes: options.kubernetes })
  const keeper = createKeeper({ name, nft, table, shelf, surroundings, findCgroupLevel: deps.findCgroupLevel }, deps)
  const turns = createTurns()
  let lock: Lock | undefined
  let isRotationRequested = false
  let mayNotRotate = false
  let last: FlowRead['reading'] | undefined

  async function open(): Promise<void> {
    lock ??= deps.takeLock(name)
    if (!lock) throw new TableInUse(name, 'its lock is held')
    try {
      await keeper.open()
    } catch (error) {
      close()
      throw refusalAtFirst(error)
    }
  }

  async function readOnce(signal: AbortSignal): Promise<FlowRead> {
    signal.throwIfAborted()
    const links = await keeper.look()
    const moment = { installed: table.installed, links, uplinks: rtnetlink.defaultRouteDevices() }
    return readFlows({ nft, table: name, clock, pairs, shelf }, moment, signal)
  }

  /** A set that grows all the while is never read to its end: it makes way for a new one, and rests. */
  async function readWhole(signal: AbortSignal): Promise<FlowRead> {
    for (let reads = 0; reads < MOST_FIRST_READS; reads++) {
      const found = await readOnce(signal)
      if (!found.isPartial) return found
      if (shelf.live?.whole === false && shelf.all.length <= MOST_WAITING) keeper.rotate(shardsFor(found.fill.pairs))
      await clock.sleep(SETTLE_MS, signal)
    }
    throw new FirstReadPartial(name)
  }

  async function read(signal: AbortSignal): Promise<Readings> {
    let found = await readWhole(signal)
    if (hasFallen(found.reading, last)) {
      await keeper.renew()
      found = await readWhole(signal)
    }
    const { reading, fill, isShrunk } = found
    last = reading
    if (isShrunk) keeper.mend()
    else rotateWhenDue(fill)
    const values = [readingOf(families[0], {}, fill.pairs), readingOf(families[1], {}, limit)]
    return { readings: [{ ...reading, gapMs: keeper.takeGapMs() }, ...values], rejected: 0 }
  }

  function rotateWhenDue(fill: Fill): void {
    const { shards } = table.installed.layout
    const waiting = shelf.all.length - 1
    const requested = isRotationRequested
    const everyMs = options.rotateEveryMs
    if (!isDue({ requested, ageMs: keeper.generationAgeMs, everyMs, fill, shards, waiting })) return
    try {
      keeper.rotate(shardsFor(fill.pairs))
      isRotationRequested = mayNotRotate = false
    } catch (error) {
      // The generation there is goes on counting, and what was read of it stands.
      if (!mayNotRotate) log.warn('flow sets cannot be rotated', { table: name, error: String(error) })
      mayNotRotate = true
    }
  }

  function release(ids: readonly number[]): void {
    const leaving = shelf.all.filter(({ id, closed }) => closed && ids.includes(id))
    const names = leaving.flatMap(({ sets }) => sets.map((set) => set.name))
    const present = nft.sets(name).filter((set) => names.includes(set.name))
    table.deleteSets(present.map((set) => set.name))
    shelf.remove(ids)
  }

  function close(): void {
    keeper.close()
    nft.close()
    rtnetlink.close()
    lock?.release()
    lock = undefined
  }

  function find(): boolean {
    lock ??= deps.takeLock(name)
    if (!lock) throw new TableInUse(name, 'its lock is held', 'stop that agent first')
    try {
      const isThere = nft.table(name) !== undefined
      if (!isThere) close()
      return isThere
    } catch (error) {
      close()
      throw refusalAtFirst(error)
    }
  }

  function uninstall(): void {
    table.remove()
    shelf.clear()
    close()
  }

  return {
    name: 'flows',
    families,
    needs: [
      { kind: 'capability', name: 'NET_ADMIN' },
      { kind: 'kernel', feature: 'nf_tables' },
    ],
    open: () => turns.take(open),
    read: (signal) => turns.take(() => read(signal)).catch((error: unknown) => Promise.reject(refusalLater(error))),
    release: (generations) => turns.take(() => release(generations)).catch((error: unknown) => Promise.reject(refusalLater(error))),
    renew: () => turns.take(keeper.renew).catch((error: unknown) => Promise.reject(refusalLater(error))),
    rotate() {
      isRotationRequested = true
    },
    watch() {
      if (!turns.isIdle) return
      // The next read meets the same fault, and says so.
      turns.take(keeper.lookBriefly).catch((error: unknown) => log.debug('look at the table of flows failed', { error: String(error) }))
    },
    find: () => turns.take(find),
    uninstall: () => turns.take(uninstall),
    close,
    get status() {
      return { owned: table.owned, mode: table.mode, limit, note: noteOf(options.ownership, table.owned) }
    },
  }
}

const MOST_FIRST_READS = 3

/** For hash tables: anything that differs from start to start. */
const seedOf = (random: string): number => [...random].reduce((seed, letter) => (Math.imul(seed, 31) + letter.charCodeAt(0)) | 0, 7)

function noteOf(ownership: 'auto' | 'off', owned: boolean): string {
  if (owned) return ''
  const why = ownership === 'off' ? 'flows.ownership is off' : 'it was made unowned, or the kernel is older than 6.9'
  return `the table is not protected from others (${why}): a flush of the ruleset leaves a gap`
}
