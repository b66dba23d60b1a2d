// Follows one log over the API server, which hands on what the kubelet reads of it. It goes on where it was after whatever broke off, by the time of
// each line (stamps.ts). When its container ends so does the answer: then what the last one wrote at its end is asked for, and the next one
// followed. What was rotated away while nobody followed cannot be had: the kubelet reads the youngest file only.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from '../../deps.js'
import { createIntake, type Mark } from './intake.js'
import { createLines, type HeadOf, type Lines, type LinesParts } from './lines.js'
import { createStamps, type StampPosition, type Stamps } from './stamps.js'
import type { Reading, Tail } from './tail.js'

export interface AskedLog {
  /** Absent: all there is. */
  readonly sinceMs?: number | undefined
  /** Of the container before. */
  readonly previous: boolean
  readonly follow: boolean
}

/** A log that the API server hands on. */
export interface ApiPlace {
  /** To be told to people. */
  readonly path: string
  /** Undefined where there is no such container, or not yet. */
  open(asked: AskedLog, signal: AbortSignal): Promise<AsyncIterable<Buffer> | undefined>
}

interface ApiTailParts {
  readonly place: ApiPlace
  /** What the process before has read. */
  readonly position: StampPosition | undefined
  /** Of a log that nobody has read: whether all of it is new. */
  readonly isNew: boolean
  readonly lines: LinesParts
}

const MAX_WAITING_BYTES = 2 << 20
/** As much of a line as is waited for; of a longer one so much is looked at. */
const [MAX_LINE_BYTES, CUT_BYTES] = [256 * 1024, 4 * 1024]
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [1_000, 30_000]
/** One failure is a server that is replaced. */
const TROUBLE_AFTER = 2
/** Until more has come of what was held up. */
const REFILL_MS = 5
const TURN_BYTES = 256 * 1024
const LINE_FEED = 0x0a
const NOTHING: Buffer = Buffer.alloc(0)
/** All until a time, however many there are. */
const ALL_LINES = Number.MAX_SAFE_INTEGER
const SECOND_MS = 1_000
const NANOS = 1e6

/** Of a log that nobody has read: all of it where that is new, else what comes from now on. */
const firstPosition = (isNew: boolean, nowMs: number): StampPosition =>
  isNew
    ? { secondMs: 0, nanos: 0, lines: 0 }
    : { secondMs: Math.floor(nowMs / SECOND_MS) * SECOND_MS, nanos: Math.floor(nowMs % SECOND_MS) * NANOS, lines: ALL_LINES }

/** Lines with a time before them: what has none is the rest of a line that was read. */
const stampedHead =
  (stamps: Stamps): HeadOf =>
  (bytes, start, end) => {
    const text = stamps.take(bytes, start, end)
    return text < 0 ? 'none' : { isStdout: true, isPartial: false, start: text }
  }

export interface FollowedOverApi {
  readonly tail: Tail<StampPosition>
  readonly lines: Lines
}

export function followOverApi(parts: ApiTailParts, { clock }: { readonly clock: Clock }): FollowedOverApi {
  const { place, position, isNew } = parts
  const stamps = createStamps(position ?? firstPosition(isNew, clock.now()))
  const lines = createLines({ ...parts.lines, headOf: stampedHead(stamps) })
  const life = new AbortController()
  const intake = createIntake(MAX_WAITING_BYTES)
  let following: Promise<void> | undefined
  let failures = 0
  let failure: unknown
  let waitMs = FIRST_WAIT_MS
  let isBegun = position !== undefined
  let rest = NOTHING
  let isWithin = false

  async function takeIn(asked: Omit<AskedLog, 'sinceMs'>): Promise<void> {
    const { secondMs } = stamps.position
    const pieces = await place.open({ ...asked, sinceMs: secondMs === 0 ? undefined : secondMs }, life.signal)
    if (!pieces) return
    isBegun = true
    intake.mark('answer')
    for await (const piece of pieces) {
      failures = 0
      if (asked.follow) waitMs = FIRST_WAIT_MS
      await intake.put(piece, life.signal)
    }
  }

  async function follow(): Promise<void> {
    for (;;) {
      try {
        intake.mark('again')
        await takeIn({ previous: true, follow: false })
        await takeIn({ previous: false, follow: true })
        failures = 0
      } catch (error) {
        failures++
        failure = error
      }
      await clock.sleep(waitMs, life.signal)
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
    }
  }

  /** Of a line that is too long its beginning is looked at, and the rest passed over. */
  function cut(): void {
    lines.take(Buffer.concat([rest.subarray(0, CUT_BYTES), Buffer.from([LINE_FEED])]))
    rest = NOTHING
    isWithin = true
  }

  function look(piece: Buffer): void {
    const from = isWithin ? piece.indexOf(LINE_FEED) + 1 : 0
    if (isWithin && from === 0) return
    isWithin = false
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece.subarray(from)]) : piece.subarray(from)
    rest = bytes.subarray(lines.take(bytes))
    if (rest.length >= MAX_LINE_BYTES) cut()
  }

  /** Where an answer broke off within a line, the whole line comes again. */
  function between(mark: Mark): void {
    if (mark === 'again') stamps.startOver()
    rest = NOTHING
    isWithin = false
  }

  async function lookAtAll({ signal, untilMs }: Reading): Promise<boolean> {
    let looked = 0
    for (let item = intake.take(); item !== undefined; item = intake.take()) {
      if (typeof item === 'string') {
        between(item)
        continue
      }
      look(item)
      looked += item.length
      if (looked < TURN_BYTES) continue
      looked = 0
      await turnOfTheLoop()
      signal.throwIfAborted()
      if (clock.monotonic() >= untilMs) return false
    }
    return true
  }

  const tail: Tail<StampPosition> = {
    async readOn(reading) {
      following ??= follow().catch(() => undefined)
      while (intake.isFull) {
        if (!(await lookAtAll(reading)) || clock.monotonic() >= reading.untilMs) return false
        await clock.sleep(REFILL_MS, reading.signal)
      }
      const isAll = await lookAtAll(reading)
      if (failures >= TROUBLE_AFTER) throw failure
      return isAll
    },
    get position() {
      return isBegun ? stamps.position : undefined
    },
    async close() {
      life.abort(new Error('the log is no longer followed'))
      await following
    },
  }
  return { tail, lines }
}
