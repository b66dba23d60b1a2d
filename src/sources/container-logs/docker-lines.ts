// The other format that a pod's log may have: Docker's json-file, where the kubelet's runtime is cri-dockerd. Its files are links to a folder of
// Docker's (/var/lib/docker/containers). A line of more than 16 KiB comes in several, of which the last ends in a line feed.
//   {"log":"2026-11-21T05:46:20.275502Z\tinfo\tads\tPush debounce stable[2] 1 ...\n","stream":"stdout","time":"2026-11-21T05:46:20.275502123Z"}
import type { LineFormat } from './lines.js'

const BEGINNING = Buffer.from('{"log":"')
/** No quote stands for itself within a text, so the first of these ends it. */
const STREAM = Buffer.from('","stream":"std')
const [LETTER_O, LETTER_N, BACKSLASH] = [0x6f, 0x6e, 0x5c]

export const isDocker = (bytes: Buffer): boolean =>
  bytes.length >= BEGINNING.length && bytes.compare(BEGINNING, 0, BEGINNING.length, 0, BEGINNING.length) === 0

export const DOCKER: LineFormat = {
  headOf(bytes, start, end) {
    if (!isDocker(bytes.subarray(start, end))) return undefined
    const begin = start + BEGINNING.length
    const length = bytes.subarray(begin, end).indexOf(STREAM)
    if (length < 0) return undefined
    const isStdout = bytes[begin + length + STREAM.length] === LETTER_O
    const isWhole = endsInLineFeed(bytes, begin, begin + length)
    return { isStdout, isPartial: !isWhole, start: begin, end: begin + length - (isWhole ? 2 : 0) }
  },
  writtenOf: (text) => JSON.stringify(text).slice(1, -1),
  textOf(bytes, start, end) {
    const written = bytes.toString('utf8', start, end)
    if (!written.includes('\\')) return written
    try {
      return JSON.parse(`"${written}"`) as string
    } catch {
      // Not Docker's doing: a line of no use.
      return ''
    }
  },
}

/** As `\n`, whose backslash is not one that is escaped itself. */
function endsInLineFeed(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[end - 1] !== LETTER_N) return false
  let first = end - 1
  while (first > start && bytes[first - 1] === BACKSLASH) first--
  return (end - 1 - first) % 2 === 1
}
