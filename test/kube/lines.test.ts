import assert from 'node:assert/strict'
import t from 'tap'
import { linesOf } from '../../src/kube/lines.js'
import { fc } from '../property.js'

async function* piecesOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (const [index, from] of edges.slice(0, -1).entries()) yield bytes.subarray(from, edges[index + 1])
}

async function read(pieces: AsyncIterable<Buffer>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(pieces)) lines.push(line)
  return lines
}

t.test('lines are the same wherever they are cut', async () => {
  const anyLine = fc.string({ unit: 'binary' }).filter((line) => !line.includes('\n') && Buffer.from(line).toString() === line)
  await fc.assert(
    fc.asyncProperty(fc.array(anyLine), fc.array(fc.nat(), { maxLength: 30 }), async (lines, cuts) => {
      assert.deepEqual(await read(piecesOf(Buffer.from(lines.map((line) => `${line}\n`).join('')), cuts)), lines)
    }),
    { numRuns: 300 },
  )
})

t.test('a torn last line is an error, after the whole ones', async (t) => {
  const lines: string[] = []
  const readAll = async (): Promise<void> => {
    for await (const line of linesOf(piecesOf(Buffer.from('one\ntwo\nthr'), [5]))) lines.push(line)
  }
  await t.rejects(readAll(), /torn/)
  t.strictSame(lines, ['one', 'two'])
})

t.test('a line without an end does not fill the memory', async (t) => {
  const piece = Buffer.alloc(1 << 20, 'x')
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield piece
  }
  await t.rejects(read(endless()), RangeError)
})
