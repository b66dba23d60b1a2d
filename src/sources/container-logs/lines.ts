// Bytes of a log -> how many lines, and the text of those that are wanted. All are counted; only the wanted are made text of, since a busy
// istiod writes tens of thousands a second that tell nothing of causes. In the format of the CRI (a kubelet's pod log) a long line comes in
// parts:
//   2026-11-21T05:46:20.275502123Z stdout P 2026-11-21T05:46:20.275502Z	info	ads	Push debounce
//   2026-11-21T05:46:20.275502123Z stdout F  stable[2] 1 for config ...
// Whatever is neither of that format nor of Docker's is a line as it is.
import { DOCKER, isDocker } from './docker-lines.js'

export interface Lines {
  /** All whole lines of them; returns how many bytes they are. What is left belongs before the bytes that come next. */
  take(bytes: Buffer): number
  /** All of them, though no line ends there: more than there is room for. */
  passOver(): void
  /** Since the last call. */
  count(): number
  /** What there is of lines whose end has not come: to go on from after a restart. */
  readonly begun: Begun
}

/** A line for each stream, which do not wait for each other. */
export interface Begun {
  readonly stdout: string
  readonly stderr: string
}

/** What stands before the text of a line. */
export interface Head {
  readonly isStdout: boolean
  /** The rest of the line comes with the next one of its stream. */
  readonly isPartial: boolean
  /** Where the text begins. */
  readonly start: number
  /** Where it ends, where that is before the end of the line. */
  readonly end?: number
}

/** Undefined where it has none: then it is a line as it is. `none`: it is no line of this log, or was read before. */
export type HeadOf = (bytes: Buffer, start: number, end: number) => Head | 'none' | undefined

export interface LineFormat {
  readonly headOf: HeadOf
  /** How a text stands in a line. */
  writtenOf(text: string): string
  textOf(bytes: Buffer, start: number, end: number): string
}

const LINE_FEED = 0x0a
const SPACE = 0x20
const COLON = 0x3a
const [PARTIAL, FULL] = [0x50, 0x46]
const [LETTER_S, LETTER_O, LETTER_E] = [0x73, 0x6f, 0x65]
const LONGEST_TIME = 40
const STREAM_LENGTH = 6
const MAX_TEXT = 64 * 1024

export interface LinesParts {
  readonly wanted: readonly string[]
  /** Of a line that is wanted, by the first of the words that it has: whether it is to be made text of. All are where nobody says. */
  readonly takes?: (words: string) => boolean
  readonly onWanted: (text: string) => void
  readonly begun?: Begun | undefined
  /** Of the CRI's or Docker's format where nobody says. */
  readonly headOf?: HeadOf | undefined
}

export function createLines(parts: LinesParts): Lines {
  const { wanted, takes = () => true, onWanted, begun: before = { stdout: '', stderr: '' }, headOf } = parts
  const plain = searched(wanted, headOf ? { ...CRI, headOf } : CRI)
  const docker = headOf ? undefined : searched(wanted, DOCKER)
  let { format, needles } = plain
  const begun = { ...before }
  let isWithin = false
  let counted = 0

  const textOf = (head: Head | undefined, bytes: Buffer, line: { readonly start: number; readonly end: number }): string =>
    head ? format.textOf(bytes, head.start, head.end ?? line.end) : bytes.toString('utf8', line.start, line.end)

  function part(head: Head, bytes: Buffer, end: number): void {
    const stream = head.isStdout ? 'stdout' : 'stderr'
    const text = textOf(head, bytes, { start: head.start, end })
    if (begun[stream].length + text.length <= MAX_TEXT) begun[stream] += text
  }

  /** What came of the line before. */
  function finish(head: Head | undefined): string {
    if (!head) return ''
    const stream = head.isStdout ? 'stdout' : 'stderr'
    const before = begun[stream]
    begun[stream] = ''
    return before
  }

  /** `words`: that are in it, as far as it is in these bytes. */
  function line(bytes: Buffer, start: number, { end, words }: { readonly end: number; readonly words: string | undefined }): void {
    const head = format.headOf(bytes, start, end)
    if (head === 'none') return
    if (head?.isPartial) {
      part(head, bytes, end)
      return
    }
    counted++
    const before = finish(head)
    if (before === '') {
      if (words !== undefined && takes(words)) onWanted(textOf(head, bytes, { start, end }))
      return
    }
    const text = before + textOf(head, bytes, { start, end })
    const found = wanted.find((one) => text.includes(one))
    if (found !== undefined && takes(found)) onWanted(text)
  }

  return {
    take(bytes) {
      // Within a line it cannot be seen.
      if (!isWithin) ({ format, needles } = docker && isDocker(bytes) ? docker : plain)
      const wordsIn = searchOf(needles, bytes)
      let start = 0
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        // The end of a line that was passed over.
        if (isWithin) counted++
        else line(bytes, start, { end, words: wanted[wordsIn(start, end)] })
        isWithin = false
        start = end + 1
      }
      return start
    },
    passOver() {
      isWithin = true
    },
    count() {
      const count = counted
      counted = 0
      return count
    },
    get begun() {
      return { ...begun }
    },
  }
}

/** `needles`: what is wanted, as it stands in a line. */
const searched = (wanted: readonly string[], format: LineFormat) => ({
  format,
  needles: wanted.map((text) => Buffer.from(format.writtenOf(text))),
})

/** Which needle a line has, -1 where it has none. Each is looked for once over all bytes, not in each line. */
function searchOf(needles: readonly Buffer[], bytes: Buffer): (start: number, end: number) => number {
  const find = (needle: Buffer, from: number): number => {
    const at = bytes.indexOf(needle, from)
    return at < 0 ? bytes.length : at
  }
  const hits = needles.map((needle) => find(needle, 0))
  /** Before it there is nothing. */
  let next = Math.min(...hits)
  return (start, end) => {
    if (next >= end) return -1
    for (let i = 0; i < hits.length; i++) {
      const needle = needles[i]
      if (needle && (hits[i] ?? 0) < start) hits[i] = find(needle, start)
    }
    next = Math.min(...hits)
    return next < end ? hits.indexOf(next) : -1
  }
}

/** Undefined where the line is of another format. By bytes: most lines need not be text. */
function criOf(bytes: Buffer, start: number, end: number): Head | undefined {
  const space = spaceIn(bytes, start, Math.min(end, start + LONGEST_TIME))
  const tag = space + 1 + STREAM_LENGTH + 1
  if (space < 0 || tag >= end) return undefined
  const isStdout = bytes[space + 4] === LETTER_O
  const isStream = bytes[space + 1] === LETTER_S && (isStdout || bytes[space + 4] === LETTER_E) && bytes[tag - 1] === SPACE
  const isPartial = bytes[tag] === PARTIAL
  const isTag = (isPartial || bytes[tag] === FULL) && (tag + 1 === end || bytes[tag + 1] === SPACE || bytes[tag + 1] === COLON)
  if (!isStream || !isTag) return undefined
  const after = bytes[tag + 1] === SPACE ? tag + 1 : bytes.indexOf(SPACE, tag)
  return { isStdout, isPartial, start: after < 0 || after >= end ? end : after + 1 }
}

/** For so few bytes a call to look for it takes longer. */
function spaceIn(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === SPACE) return at
  return -1
}

const CRI: LineFormat = {
  headOf: criOf,
  writtenOf: (text) => text,
  textOf: (bytes, start, end) => bytes.toString('utf8', start, end),
}
