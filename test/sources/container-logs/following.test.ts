import { join } from 'node:path'
import t from 'tap'
import type { GrowingFiles } from '../../../src/deps.js'
import { growingFiles } from '../../../src/growing-files.js'
import { createFollowing, type LineCounts, type LogTarget } from '../../../src/sources/container-logs/following.js'
import { podLog } from '../../../src/sources/container-logs/segments.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { createCriLog } from './cri-log.js'

const CHUNK_MS = 40
const PADDING = 'x'.repeat(64 * 1024)
const LINES = 400
const ANY = new AbortController().signal

t.test('logs take turns, so that none waits behind one that is long', async (t) => {
  const root = t.testdir({})
  let nowMs = 1_000_000_000_000
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const files: GrowingFiles = {
    ...growingFiles,
    async open(path) {
      const file = await growingFiles.open(path)
      return (
        file && {
          ...file,
          async read(buffer, position) {
            if (buffer.length > 1_000) nowMs += CHUNK_MS
            return file.read(buffer, position)
          },
        }
      )
    },
  }
  const [long, short] = [createCriLog(join(root, 'long')), createCriLog(join(root, 'short'))]
  const targets = [long, short].map(({ folder }): LogTarget => ({ name: folder, place: podLog(folder), labels: {} }))
  const seen: string[] = []
  const following = createFollowing<LineCounts>(
    {
      source: 'test',
      logs: () => targets,
      wanted: ['wanted'],
      begin: (startedMs) => ({ startedMs, lines: 0 }),
      reader: () => (text) => seen.push(text.trim()),
    },
    { clock, log: createKeptLog(), growingFiles: files },
  )
  following.resume(new Map(), 0)
  for (let i = 0; i < LINES; i++) long.write(`${PADDING} `)
  long.write('wanted of the long one')
  short.write('wanted of the short one')

  const startedMs = nowMs
  const { logs } = await following.read(ANY)
  t.same(seen, ['wanted of the short one'])
  t.ok(logs.every(({ counts }) => counts.lines > 0))
  t.ok(nowMs - startedMs < 5_000, `${nowMs - startedMs} ms in all`)
  for (let i = 0; i < 10 && seen.length === 1; i++) await following.read(ANY)
  t.same(seen.slice(1), ['wanted of the long one'])
  t.same(
    logs.map(({ counts }) => counts.lines),
    [LINES + 1, 1],
    'all of it in the end',
  )
})
