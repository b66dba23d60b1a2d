/** Far above what etcd keeps of one object (1.5 MiB); bounds what a broken answer can cost. */
const MAX_LINE_BYTES = 16 << 20

const NEWLINE = 0x0a

/** Whole lines of UTF-8 without their ends, wherever the pieces are cut. Throws where the last line is torn, and a RangeError where one is endless. */
export async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    let from = 0
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const last = piece.subarray(from, end)
      yield begun.length === 0 ? last.toString() : Buffer.concat([...begun, last]).toString()
      begun = []
      bytes = 0
      from = end + 1
    }
    if (from < piece.length) begun.push(piece.subarray(from))
    bytes += piece.length - from
    if (bytes > MAX_LINE_BYTES) throw new RangeError(`a line of more than ${MAX_LINE_BYTES} bytes`)
  }
  if (bytes > 0) throw new Error('the last line is torn')
}
