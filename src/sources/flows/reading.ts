// One read of the kernel, in an order that lets its parts be added up.
import type { Clock } from '../../deps.js'
import type { Nftables } from '../../kernel/nftables.js'
import type { Link } from '../../kernel/rtnetlink.js'
import type { FlowReading } from '../../model/flows.js'
import { closeGeneration, SETTLE_MS } from './closing.js'
import { egressOf } from './egress.js'
import { dumpRest } from './first-dump.js'
import { dumpGenerations, type Fill, type Generation, readingOf } from './generations.js'
import type { PairTable } from './pairs.js'
import type { Shelf } from './shelf.js'
import type { Installed } from './table.js'

/** The event loop is not held longer than this at a time. */
const HOLD_MS = 5

export interface ReadingParts {
  readonly nft: Nftables
  readonly table: string
  readonly clock: Clock
  readonly pairs: PairTable
  readonly shelf: Shelf
}

export interface Moment {
  readonly installed: Installed
  readonly links: readonly Link[]
  /** Indexes of devices with a default route. */
  readonly uplinks: readonly number[]
}

export interface FlowRead {
  readonly reading: Omit<FlowReading, 'gapMs'>
  /** Of the live generation. */
  readonly fill: Fill
  /** Elements of the live generation had counted less than before. */
  readonly isShrunk: boolean
  /** Sets that another process filled may hold pairs that were not read yet. */
  readonly isPartial: boolean
}

/** What is observed comes first and what has no pair last. Between the two the parts only grow, so they never fall short of the whole. */
export async function readFlows(parts: ReadingParts, moment: Moment, signal: AbortSignal): Promise<FlowRead> {
  const { nft, table, clock, pairs, shelf } = parts
  const { installed } = moment
  const dumping = { nft, table, pairs, clock, pause: createPause(clock, signal) }
  const atMs = clock.now()
  const before = nft.counters(table)
  const open = shelf.all.filter(({ closed }) => !closed)
  const dumped = await dumpGenerations(dumping, open)
  const found = open.filter(({ whole }) => !whole)
  const fill = found.length > 0 ? ((await dumpRest(dumping, found)) ?? dumped) : dumped
  for (const generation of shelf.all.filter((one) => isSettled(one, clock.monotonic()))) await closeGeneration(dumping, generation, signal)
  const after = nft.counters(table)
  const reading = {
    kind: 'flows' as const,
    epoch: installed.mark.epoch,
    epochStartMs: installed.mark.createdMs,
    atMs,
    counters: {
      observed: sumOf(before, 'observed_post', 'observed_in'),
      tunnel: sumOf(after, 'tunnel_post', 'tunnel_in'),
      overflow: sumOf(after, 'overflow'),
      viaOverflow: sumOf(after, 'via_overflow'),
    },
    pairs,
    generations: shelf.all.map(readingOf),
    unbrokenSinceMs: installed.sinceMs,
    egress: egressOf({ ...moment, outerSent: sumOf(after, 'tunnel_post') }),
  }
  return { reading, fill, isShrunk: hasShrunk(shelf.live), isPartial: found.some(({ whole }) => !whole) }
}

const hasShrunk = (live: Generation | undefined): boolean =>
  live !== undefined && live.seen.countOf(live.dump).shrunk + live.via.countOf(live.dump).shrunk > 0

/** Counters of one epoch never fall, but by the hand of somebody (`nft reset counters`). */
export function hasFallen(now: FlowRead['reading'], before: FlowRead['reading'] | undefined): boolean {
  if (before?.epoch !== now.epoch) return false
  const { observed, tunnel, overflow, viaOverflow } = before.counters
  const { counters } = now
  return counters.observed < observed || counters.tunnel < tunnel || counters.overflow < overflow || counters.viaOverflow < viaOverflow
}

const isSettled = ({ closed, detachedAtMs }: Generation, nowMs: number): boolean =>
  !closed && detachedAtMs !== undefined && nowMs - detachedAtMs >= SETTLE_MS

const sumOf = (counters: ReadonlyMap<string, number>, ...names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (counters.get(name) ?? 0), 0)

/** Lets others run between the messages of a dump; the kernel keeps its place. */
function createPause(clock: Clock, signal: AbortSignal): () => Promise<void> | undefined {
  let sinceMs = clock.monotonic()
  const rest = async (): Promise<void> => {
    await clock.sleep(0, signal)
    sinceMs = clock.monotonic()
  }
  return () => (clock.monotonic() - sinceMs < HOLD_MS ? undefined : rest())
}
