// A file of lines: one JSON text each behind its CRC-32, so that a torn tail is seen and cut off.
//   5f9c0e31 {"head":{...}}
//   0c4f77aa {"end":true}
import { crc32 } from 'node:zlib'

export interface ReadLines {
  /** False: a line that was written to its end is not whole. That is damage, and nothing is to be believed. */
  readonly isSound: boolean
  /** Bytes behind the last line that was read. */
  readonly tornBytes: number
}

const ROWS_PER_LINE = 500
const CHECKSUM_LENGTH = 8
const LINE_BREAK = 10

export function renderLine(line: unknown): string {
  const text = JSON.stringify(line)
  return `${checksumOf(text)} ${text}\n`
}

/** What is done between two lines: a file may have 100,000. */
export type Pause = () => Promise<void>

/** A line that was not written to its end is the last one. `hear` comes to false where the rest of the file is not known. */
export async function readLines<Line>(file: Buffer, hear: (line: Line) => boolean | Promise<boolean>, pause: Pause): Promise<ReadLines> {
  let at = 0
  for (let end = file.indexOf(LINE_BREAK); end >= 0; end = file.indexOf(LINE_BREAK, at)) {
    const line = parseLine(file.toString('utf8', at, end))
    if (line === undefined) return { isSound: false, tornBytes: 0 }
    if (!(await hear(line as Line))) break
    at = end + 1
    await pause()
  }
  return { isSound: true, tornBytes: file.length - at }
}

/** So that no line of a checkpoint is long. */
export function* slices<T>(rows: Iterable<T>, most = ROWS_PER_LINE): Generator<T[]> {
  let slice: T[] = []
  for (const row of rows) {
    slice.push(row)
    if (slice.length < most) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}

function parseLine(line: string): unknown {
  const text = line.slice(CHECKSUM_LENGTH + 1)
  return line === `${checksumOf(text)} ${text}` ? JSON.parse(text) : undefined
}

const checksumOf = (text: string): string => crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0')
