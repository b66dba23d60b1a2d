// How far a log was read whose lines have the runtime's time before them, and which of the lines that come next were read before. It can be asked
// for from a whole second on, so of that second it is known how many lines were read, and the last of their times: two lines may have the same, and
// the runtime's two streams may be out of order by a little.
//   2026-11-21T05:46:20.275502123Z ...   read, and the last one
//   2026-11-21T05:46:20.275502123Z ...   the second of two, so not read
//   2026-11-21T05:46:20.275502100Z ...   later in the log by an earlier time: the third of two, so not read

/** Of the last second that has a line. */
export interface StampPosition {
  /** 0: nothing was read yet. */
  readonly secondMs: number
  /** The last of the times. */
  readonly nanos: number
  readonly lines: number
}

export interface Stamps {
  /** The log comes again, from the second of the position on or before. */
  startOver(): void
  /** Where the text of a line begins; -1 where it was read before, or has no time: then it is the rest of a line that was. */
  take(bytes: Buffer, start: number, end: number): number
  readonly position: StampPosition
}

const [SPACE, DOT, DIGIT_0, DIGIT_9] = [0x20, 0x2e, 0x30, 0x39]
/** `2026-11-21T05:46:20` */
const SECOND_LENGTH = 19
const LONGEST_TIME = 40
const SECOND_NANOS = 1e9

export function createStamps(from: StampPosition): Stamps {
  let { secondMs, nanos, lines } = from
  let toPass = 0
  let textOfSecond = Buffer.alloc(0)
  let zone = ''
  let parsedMs = Number.NaN

  /** Parsed once for all lines of a second. */
  function secondOf(bytes: Buffer, start: number, zoned: string): number {
    const end = start + SECOND_LENGTH
    if (zoned === zone && textOfSecond.length > 0 && bytes.compare(textOfSecond, 0, SECOND_LENGTH, start, end) === 0) return parsedMs
    textOfSecond = Buffer.from(bytes.subarray(start, end))
    zone = zoned
    parsedMs = Date.parse(`${textOfSecond.toString('latin1')}${zoned}`)
    return parsedMs
  }

  /** Whether it was read before; else it is now. */
  function isOld(atMs: number, atNanos: number): boolean {
    if (atMs === secondMs && toPass > 0) {
      toPass--
      if (atNanos <= nanos) return true
      toPass = 0
    }
    if (atMs > secondMs) {
      secondMs = atMs
      nanos = atNanos
      lines = 1
      toPass = 0
    } else if (atMs === secondMs) {
      nanos = Math.max(nanos, atNanos)
      lines++
    }
    return false
  }

  return {
    startOver() {
      toPass = lines
    },
    take(bytes, start, end) {
      const stop = Math.min(end, start + LONGEST_TIME)
      let at = start + SECOND_LENGTH
      let fraction = 0
      let unit = SECOND_NANOS
      if (bytes[at] === DOT) {
        for (at++; at < stop && isDigit(bytes[at]); at++) {
          unit /= 10
          fraction += ((bytes[at] ?? DIGIT_0) - DIGIT_0) * unit
        }
      }
      const space = spaceIn(bytes, at, stop)
      const second = space < 0 ? Number.NaN : secondOf(bytes, start, bytes.toString('latin1', at, space))
      if (Number.isNaN(second)) return -1
      const isPassed = (toPass > 0 && second < secondMs) || isOld(second, fraction)
      return isPassed ? -1 : space + 1
    },
    get position() {
      return { secondMs, nanos, lines }
    },
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= DIGIT_0 && byte <= DIGIT_9

function spaceIn(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === SPACE) return at
  return -1
}
