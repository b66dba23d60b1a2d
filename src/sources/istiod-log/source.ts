// istiod's log, from the files that a kubelet keeps of it: which resources made it push. See formats/istiod-log.ts for its lines.
// Needs /var/log/pods, and to be the user that may read it. Absent where there is no istiod on this node.
// All lines are counted. Of those that tell of a push 5,000 are looked into at each read, 300 a second with the usual interval, where an istiod
// writes ten at most; further ones are counted as sampled out.

import type { Clock, GrowingFiles, Log } from '../../deps.js'
import { TELLING } from '../../formats/istiod-log.js'
import type { Labels, MarkReading, OfPod, Reading, Source, TotalReading } from '../../model.js'
import { type Begun, createLines, type Lines } from '../container-logs/lines.js'
import type { LogPlace } from '../container-logs/segments.js'
import { createTail, type Position, type Tail } from '../container-logs/tail.js'
import { type CauseReader, createCauses } from './causes.js'
import { families, logLines, pushEvents, sampledOut } from './families.js'

/** A log of this node. */
export interface LogTarget {
  /** Nothing else ever has it. */
  readonly name: string
  readonly place: LogPlace
  readonly pod?: OfPod
  /** Of its owner, where there is no pod that has one. */
  readonly labels: Labels
}

interface Parts {
  /** All there are now. */
  readonly logs: () => Iterable<LogTarget>
}

interface SourceDeps {
  readonly clock: Clock
  readonly log: Log
  readonly growingFiles: GrowingFiles
}

/** What was counted of a log, since it is followed. */
interface Counts {
  startedMs: number
  lines: number
  events: number
  sampledOut: number
}

interface Kept {
  readonly position: Position
  readonly counts: Counts
  readonly begun?: Begun
}

interface Followed {
  target: LogTarget
  readonly tail: Tail
  readonly counts: Counts
  readonly lines: Lines
  failure: string
}

/** One that stands behind is read in pieces. */
const READ_FOR_MS = 4_000
const MAX_TELLING = 5_000
/** A log that was read before and is nowhere now is not expected back. */
const FORGET_MS = 600_000
/** Where a kubelet keeps them. */
export const PODS = '/var/log/pods'
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))[ \t]/

export function createIstiodLog({ logs }: Parts, { clock, log, growingFiles: files }: SourceDeps): Source {
  const followed = new Map<string, Followed>()
  const causes = createCauses()
  let left = MAX_TELLING
  let readMs: number | undefined
  let resumed: ReadonlyMap<string, string> = new Map()
  let resumedMs = clock.monotonic()

  function follow(target: LogTarget): Followed {
    const kept = parseKept(resumed.get(target.name))
    const counts: Counts = kept?.counts ?? { startedMs: clock.now(), lines: 0, events: 0, sampledOut: 0 }
    const reader = causes.ofLog((events) => {
      counts.events += events
    })
    const lines = createLines({ wanted: TELLING, onWanted: (text) => look(reader, counts, text), begun: kept?.begun })
    const lastMs = readMs ?? clock.now()
    const isNew = (beginning: string): boolean => timeOf(beginning) >= lastMs
    const tail = createTail({ place: target.place, lines, position: kept?.position, isNew }, { files, clock })
    return { target, tail, counts, lines, failure: '' }
  }

  function look(reader: CauseReader, counts: Counts, text: string): void {
    if (left > 0) reader.line(text)
    else counts.sampledOut++
    left--
  }

  /** Returns those that are no more. */
  function compare(): readonly Followed[] {
    const gone = new Set(followed.keys())
    for (const target of logs()) {
      gone.delete(target.name)
      const known = followed.get(target.name)
      if (known) known.target = target
      else followed.set(target.name, follow(target))
    }
    return [...gone].flatMap((name) => followed.get(name) ?? [])
  }

  async function readOne(one: Followed, { signal, untilMs }: { readonly signal: AbortSignal; readonly untilMs: number }): Promise<unknown> {
    // Until it is found nothing is counted.
    if (!one.tail.position) one.counts.startedMs = clock.now()
    try {
      await one.tail.readOn({ signal, untilMs })
      if (one.failure !== '') log.info('log can be read again', { source: 'istiod-log', log: one.target.place.folder })
      one.failure = ''
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      const message = troubleOf(error)
      if (one.failure !== message) log.warn('log cannot be read', { source: 'istiod-log', log: one.target.place.folder, error: message })
      one.failure = message
      return error
    } finally {
      one.counts.lines += one.lines.count()
    }
  }

  /** What the process before has read of logs that nobody has heard of yet. */
  function* forgotten(): Generator<MarkReading> {
    if (resumed.size === 0 || clock.monotonic() - resumedMs < FORGET_MS) return
    for (const name of resumed.keys()) if (!followed.has(name)) yield { kind: 'mark', name, value: undefined }
    resumed = new Map()
  }

  return {
    name: 'istiod-log',
    families,
    needs: [{ kind: 'file', path: PODS }],
    resume(marks, lastMs) {
      resumed = marks
      readMs = lastMs
      resumedMs = clock.monotonic()
    },
    async read(signal) {
      signal.throwIfAborted()
      const startedMs = clock.now()
      const gone = compare()
      left = MAX_TELLING
      const untilMs = clock.monotonic() + READ_FOR_MS
      const all = [...followed.values()]
      const failures = new Map<Followed, unknown>()
      for (const one of all) failures.set(one, await readOne(one, { signal, untilMs }))
      for (const one of gone) {
        followed.delete(one.target.name)
        failures.delete(one)
        await one.tail.close()
      }
      const [failure] = failures.values()
      const isDown = failure !== undefined && [...failures.values()].every((one) => one !== undefined)
      if (isDown && gone.length === 0) throw failure
      readMs = startedMs
      const { events, rejected } = causes.take()
      return { readings: [...all.flatMap((one) => [...readingsOf(one)]), ...events, ...gone.map(endOf), ...forgotten()], rejected }
    },
  }
}

function* readingsOf({ target, tail, counts, lines: { begun } }: Followed): Generator<Reading> {
  const { position } = tail
  if (!position) return
  const { name, pod, labels } = target
  const { startedMs, lines, events, sampledOut: left } = counts
  const common = { kind: 'total', labels, target: name, series: '', startedMs, ...(pod ? { pod } : {}) } as const
  yield { ...common, family: logLines, value: lines } satisfies TotalReading
  yield { ...common, family: pushEvents, value: events }
  yield { ...common, family: sampledOut, value: left }
  const kept: Kept = { position, counts, ...(begun.stdout + begun.stderr === '' ? {} : { begun }) }
  yield { kind: 'mark', name, value: JSON.stringify(kept) }
}

const endOf = ({ target: { name } }: Followed): MarkReading => ({ kind: 'mark', name, value: undefined })

function parseKept(text: string | undefined): Kept | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Kept)
}

/** NaN where it does not begin with one. */
const timeOf = (beginning: string): number => Date.parse(TIME.exec(beginning)?.[1] ?? '')

function troubleOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'EACCES' ? `${message}; let the agent's user read it, in a pod runAsUser: 0` : message
}
