// The logs that a source follows: which there are, how far each is read, and what of that is written down with what was counted of it, so that
// nothing is counted twice and what was not served yet is read again.
import type { Clock, GrowingFiles, Log } from '../../deps.js'
import type { Labels, MarkReading, OfPod } from '../../model.js'
import { type ApiPlace, followOverApi } from './api-tail.js'
import { type Begun, createLines, type Lines, type LinesParts } from './lines.js'
import type { LogPlace } from './segments.js'
import type { StampPosition } from './stamps.js'
import { createTail, type Position, type Tail } from './tail.js'

/** A log of this node. */
export interface LogTarget {
  /** Nothing else ever has it. */
  readonly name: string
  readonly place: LogPlace | ApiPlace
  readonly pod?: OfPod
  /** When it was begun at the earliest, where that is known. */
  readonly startedMs?: number
  /** Of its owner, where there is no pod that has one. */
  readonly labels: Labels
}

/** What was counted of a log, since it is followed. */
export interface LineCounts {
  startedMs: number
  lines: number
}

export interface FollowingParts<Counts extends LineCounts> {
  readonly source: string
  /** All there are now. */
  readonly logs: () => Iterable<LogTarget>
  /** Whichever line has one of them is read. */
  readonly wanted: readonly string[]
  /** By the words that it has: whether there is room for it. All are read where nobody says. */
  readonly takes?: (counts: Counts, words: string) => boolean
  /** Of a log that nobody has read. */
  readonly begin: (startedMs: number) => Counts
  /** What becomes of the lines of one. */
  readonly reader: (counts: Counts) => (text: string) => void
}

export interface FollowingDeps {
  readonly clock: Clock
  readonly log: Log
  readonly growingFiles: GrowingFiles
}

export interface ReadLog<Counts> {
  readonly target: LogTarget
  readonly counts: Counts
  /** There is nothing more of it. */
  readonly isLast: boolean
}

export interface Following<Counts> {
  /** Before the first read. */
  resume(marks: ReadonlyMap<string, string>, lastMs: number | undefined): void
  /** What was written until now, as far as there is time. Rejects where none can be read. */
  read(signal: AbortSignal): Promise<Read<Counts>>
  /** No log is read any more. */
  close(): Promise<void>
}

interface Read<Counts> {
  readonly logs: readonly ReadLog<Counts>[]
  /** How far they are read, and their counts as they are by now. */
  marks(): readonly MarkReading[]
}

type At = Position | StampPosition

interface Kept<Counts> {
  readonly position: At
  readonly counts: Counts
  readonly begun?: Begun
}

interface Followed<Counts> {
  target: LogTarget
  readonly tail: Tail<At>
  readonly counts: Counts
  readonly lines: Lines
  failure: string
}

/** Of all together; who stands behind is read in pieces. */
const READ_FOR_MS = 4_000
/** Of one, until it is the turn of the next. */
const PIECE_MS = 50
/** A log that was read before and is nowhere now is not expected back. */
const FORGET_MS = 600_000
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))[ \t]/

export function createFollowing<Counts extends LineCounts>(parts: FollowingParts<Counts>, deps: FollowingDeps): Following<Counts> {
  const { source, logs, wanted, takes = () => true, begin, reader } = parts
  const { clock, log, growingFiles: files } = deps
  const followed = new Map<string, Followed<Counts>>()
  let readMs: number | undefined
  let resumed = new Map<string, string>()
  let resumedMs = clock.monotonic()

  function follow(target: LogTarget): Followed<Counts> {
    const kept = parseKept<Counts>(resumed.get(target.name))
    // Should it go and come back, more was read of it by then.
    resumed.delete(target.name)
    const counts = kept?.counts ?? begin(clock.now())
    const lines = { wanted, takes: (words: string) => takes(counts, words), onWanted: reader(counts), begun: kept?.begun }
    return { target, counts, failure: '', ...tailOf(target, lines, kept?.position) }
  }

  /** What was read in another way says nothing in this one. */
  function tailOf(
    { place, startedMs = 0 }: LogTarget,
    parts: LinesParts,
    position: At | undefined,
  ): Pick<Followed<Counts>, 'tail' | 'lines'> {
    const lastMs = readMs ?? clock.now()
    if ('open' in place) {
      const stamped = position && 'secondMs' in position ? position : undefined
      return followOverApi({ place, position: stamped, isNew: startedMs >= lastMs, lines: parts }, { clock })
    }
    const lines = createLines(parts)
    const isNew = (beginning: string): boolean => timeOf(beginning) >= lastMs
    const tail = createTail({ place, lines, position: position && 'file' in position ? position : undefined, isNew }, { files, clock })
    return { lines, tail }
  }

  /** Returns those that are no more. */
  function compare(): readonly Followed<Counts>[] {
    const gone = new Set(followed.keys())
    for (const target of logs()) {
      gone.delete(target.name)
      const known = followed.get(target.name)
      if (known) known.target = target
      else followed.set(target.name, follow(target))
    }
    return [...gone].flatMap((name) => followed.get(name) ?? [])
  }

  /** Resolves with whether all of it was read. */
  async function readOne(one: Followed<Counts>, failures: Map<Followed<Counts>, unknown>, signal: AbortSignal): Promise<boolean> {
    // Until it is found nothing is counted.
    if (!one.tail.position) one.counts.startedMs = clock.now()
    const where = whereOf(one.target.place)
    try {
      const isRead = await one.tail.readOn({ signal, untilMs: clock.monotonic() + PIECE_MS })
      if (one.failure !== '') log.info('log can be read again', { source, log: where })
      one.failure = ''
      return isRead
    } catch (error) {
      signal.throwIfAborted()
      const message = troubleOf(error)
      if (one.failure !== message) log.warn('log cannot be read', { source, log: where, error: message })
      one.failure = message
      failures.set(one, error)
      return true
    } finally {
      one.counts.lines += one.lines.count()
    }
  }

  /** Each once at least, and those that have more in turn. Resolves with why some could not be read. */
  async function readAll(all: readonly Followed<Counts>[], signal: AbortSignal): Promise<ReadonlyMap<Followed<Counts>, unknown>> {
    const failures = new Map<Followed<Counts>, unknown>()
    const untilMs = clock.monotonic() + READ_FOR_MS
    let behind = all
    do {
      const more: Followed<Counts>[] = []
      for (const one of behind) if (!(await readOne(one, failures, signal))) more.push(one)
      behind = more
    } while (behind.length > 0 && clock.monotonic() < untilMs)
    return failures
  }

  /** What the process before has read of logs that nobody has heard of yet. */
  function* forgotten(): Generator<MarkReading> {
    if (resumed.size === 0 || clock.monotonic() - resumedMs < FORGET_MS) return
    for (const name of resumed.keys()) yield { kind: 'mark', name, value: undefined }
    resumed = new Map()
  }

  return {
    resume(marks, lastMs) {
      resumed = new Map(marks)
      readMs = lastMs
      resumedMs = clock.monotonic()
    },
    async read(signal) {
      signal.throwIfAborted()
      const startedMs = clock.now()
      const gone = compare()
      const all = [...followed.values()]
      const failures = await readAll(all, signal)
      for (const one of gone) {
        followed.delete(one.target.name)
        await one.tail.close()
      }
      const [failure] = failures.values()
      if (gone.length === 0 && failure !== undefined && failures.size === all.length) throw failure
      readMs = startedMs
      const found = all.filter(({ tail }) => tail.position !== undefined)
      return {
        logs: found.map((one) => ({ target: one.target, counts: one.counts, isLast: gone.includes(one) })),
        marks: () => [...found.map(markOf), ...gone.map(endOf), ...forgotten()],
      }
    },
    async close() {
      await Promise.all([...followed.values()].map(({ tail }) => tail.close()))
    },
  }
}

function markOf<Counts>({ target: { name }, tail: { position }, counts, lines: { begun } }: Followed<Counts>): MarkReading {
  const kept = { position, counts, ...(begun.stdout + begun.stderr === '' ? {} : { begun }) }
  return { kind: 'mark', name, value: JSON.stringify(kept) }
}

const endOf = ({ target: { name } }: Followed<unknown>): MarkReading => ({ kind: 'mark', name, value: undefined })

const parseKept = <Counts>(text: string | undefined): Kept<Counts> | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as Kept<Counts>)

/** To be told to people. */
export const whereOf = (place: LogTarget['place']): string => ('open' in place ? place.path : place.folder)

/** NaN where it does not begin with one. */
const timeOf = (beginning: string): number => Date.parse(TIME.exec(beginning)?.[1] ?? '')

function troubleOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'EACCES' ? `${message}; let the agent's user read it, in a pod runAsUser: 0` : message
}
