// Bytes by zones from counters that come and go. Each counter is compared with itself, and only what it gained is added up by zones:
//   before  cart 900, jobs 100 (a to b)
//   now     cart 950           (a to b)      50 more; by sums it would be 950 after 1000, a reset, and 950 counted for 50
// A counter that is new, that is back after it was gone, or that is less than before counts in full, and so do all of a ztunnel that began anew:
// it received less from istiod than before. What was gained is written down together with what the sums were. So after a restart of the agent,
// which knows no counter any more, what the sums grew by is what came meanwhile.
import type { EventReading, Labels, MarkReading } from '../../model.js'
import { bytes } from './families.js'
import type { Known, Series, ZtunnelStats } from './stats.js'
import { createZonePairs, FOLDED, type ZonePairs } from './zone-pairs.js'

export interface Traffic {
  /** What the process before has written down, and when it read last. */
  resume(marks: ReadonlyMap<string, string>, readMs: number | undefined): void
  /** It is there, whether it answers or not. `startedMs`: when its pod began. */
  see(target: Seen): void
  knownOf(name: string): Known
  /** All that one said that was seen. */
  add(name: string, stats: ZtunnelStats): Promise<void>
  /** What was gained since the last time, in a read that began at `atMs`. Those that are not in `names` are gone. */
  take(names: ReadonlySet<string>, atMs: number): readonly (EventReading | MarkReading)[]
}

interface Seen {
  readonly name: string
  readonly startedMs?: number | undefined
}

type Sums = ReadonlyMap<Labels, number>

interface State extends Pick<ZtunnelStats, 'messages'> {
  readonly pairs: ZonePairs
  /** Undefined: only its sums are known. */
  readonly series: Series | undefined
  /** Undefined: all that it says was before anybody looked. */
  readonly sums: Sums | undefined
}

/** As it is written down; zones are from and to. */
interface Kept {
  readonly messages: Readonly<Record<string, number>>
  readonly sums: readonly (readonly [string, string, number])[]
}

interface Parts {
  readonly clock: { monotonic(): number }
  /** Others get theirs. */
  readonly turn: () => Promise<unknown>
}

const SECOND_MS = 1_000
/** Who is not told of for so long is not expected back. */
const FORGET_MS = 600_000
const TURN_LENGTH = 4_096
const NOTHING: Series = new Map()

export function createTraffic({ clock, turn }: Parts): Traffic {
  const states = new Map<string, State>()
  let resumed = new Map<string, string>()
  let resumedMs = 0
  let lastMs: number | undefined
  let gained = new Map<string, EventReading>()

  /** Pods begin in whole seconds, rounded down. */
  const isBorn = (startedMs: number | undefined): boolean =>
    startedMs !== undefined && lastMs !== undefined && startedMs >= Math.floor(lastMs / SECOND_MS) * SECOND_MS

  function firstOf({ name, startedMs }: Seen): State {
    const pairs = createZonePairs()
    const kept = resumed.get(name)
    resumed.delete(name)
    if (kept !== undefined) return { pairs, series: undefined, ...restored(kept, pairs) }
    if (isBorn(startedMs)) return { pairs, series: NOTHING, sums: new Map(), messages: new Map() }
    return { pairs, series: undefined, sums: undefined, messages: new Map() }
  }

  /** Of several ztunnels, each of which has its own objects. */
  function gain(labels: Labels, amount: number): void {
    const key = `${labels.src_zone} ${labels.dst_zone}`
    gained.set(key, { kind: 'event', family: bytes, labels, count: amount + (gained.get(key)?.count ?? 0) })
  }

  function* forgotten(): Generator<MarkReading> {
    if (resumed.size === 0 || clock.monotonic() - resumedMs < FORGET_MS) return
    for (const name of resumed.keys()) yield { kind: 'mark', name, value: undefined }
    resumed = new Map()
  }

  return {
    resume(marks, readMs) {
      resumed = new Map(marks)
      resumedMs = clock.monotonic()
      lastMs = readMs
    },
    see(target) {
      if (!states.has(target.name)) states.set(target.name, firstOf(target))
    },
    knownOf(name) {
      const { series = NOTHING, pairs = createZonePairs() } = states.get(name) ?? {}
      return { series, pairs }
    },
    async add(name, stats) {
      const before = states.get(name)
      if (!before) return
      const { gains, ...now } = await compared(before, stats, turn)
      // It may be gone by now.
      if (states.get(name) !== before) return
      for (const [pair, amount] of gains) gain(pair, amount)
      states.set(name, { pairs: before.pairs, ...now })
    },
    take(names, atMs) {
      const gone = [...states.keys()].filter((name) => !names.has(name))
      for (const name of gone) states.delete(name)
      const marks = [...states].flatMap(([name, state]) => markOf(name, state) ?? [])
      const events = [...gained.values()]
      gained = new Map()
      lastMs = atMs
      return [...events, ...marks, ...gone.map((name): MarkReading => ({ kind: 'mark', name, value: undefined })), ...forgotten()]
    },
  }
}

type Compared = Omit<Required<State>, 'pairs'> & { readonly gains: Sums }

async function compared(before: State, stats: ZtunnelStats, turn: () => Promise<unknown>): Promise<Compared> {
  const last = isAnew(before, stats) ? NOTHING : before.series
  // What could not be understood this time is not gone.
  const series = stats.rejected > 0 && last ? new Map([...last, ...stats.series]) : stats.series
  const [sums, gains] = [new Map<Labels, number>(), new Map<Labels, number>()]
  let count = 0
  for (const [key, { pair, bytes }] of series) {
    addTo(sums, pair, bytes)
    addTo(gains, pair, last ? gainOf(last.get(key)?.bytes, bytes) : 0)
    if (++count % TURN_LENGTH === 0) await turn()
  }
  return { gains: last ? gains : grownOf(sums, before, stats), series, sums, messages: stats.messages }
}

function addTo(sums: Map<Labels, number>, pair: Labels, bytes: number): void {
  sums.set(pair, (sums.get(pair) ?? 0) + bytes)
}

/** Where no counter is known. Less than before in one that received more since: it goes on, and some of its counters are gone. */
function grownOf(sums: Sums, before: State, now: Heard): Sums {
  const goesOn = isAnew(now, before)
  const grown = ([pair, sum]: readonly [Labels, number]): readonly [Labels, number] => {
    const known = before.sums ? (before.sums.get(pair) ?? 0) : sum
    return [pair, goesOn && sum < known ? 0 : gainOf(known, sum)]
  }
  return new Map([...sums].map(grown))
}

type Heard = Pick<ZtunnelStats, 'messages'>

const isAnew = (before: Heard, { messages }: Heard): boolean =>
  [...before.messages].some(([type, count]) => (messages.get(type) ?? count) < count)

/** Less than before: it began anew. */
const gainOf = (before = 0, now: number): number => (now >= before ? now - before : now)

function markOf(name: string, { sums, messages }: State): MarkReading | undefined {
  if (!sums) return undefined
  const rows = [...sums].map(([{ src_zone = '', dst_zone = '' }, sum]) => [src_zone, dst_zone, sum] as const)
  return { kind: 'mark', name, value: JSON.stringify({ messages: Object.fromEntries(messages), sums: rows } satisfies Kept) }
}

function restored(text: string, pairs: ZonePairs): Pick<State, 'sums' | 'messages'> {
  const { messages, sums } = JSON.parse(text) as Kept
  const pairOf = (from: string, to: string): Labels => (from === FOLDED.src_zone ? FOLDED : pairs.of(from, to))
  return { messages: new Map(Object.entries(messages)), sums: new Map(sums.map(([from, to, sum]) => [pairOf(from, to), sum])) }
}
