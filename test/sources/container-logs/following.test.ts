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

t.test('what was read since the start is not read again where a log is gone for a while', async (t) => {
  const log = createCriLog(join(t.testdir({}), 'istiod'))
  const target: LogTarget = { name: 'istiod', place: podLog(log.folder), labels: {} }
  const seen: string[] = []
  let targets = [target]
  const create = () =>
    createFollowing<LineCounts>(
      {
        source: 'test',
        logs: () => targets,
        wanted: ['wanted'],
        begin: (startedMs) => ({ startedMs, lines: 0 }),
        reader: () => (text) => seen.push(text.trim()),
      },
      { clock: { now: Date.now, monotonic: () => performance.now(), sleep: async () => undefined }, log: createKeptLog(), growingFiles },
    )
  const before = create()
  before.resume(new Map(), 0)
  log.write('wanted 1')
  const marks = (await before.read(ANY)).marks()
  await before.close()

  const following = create()
  following.resume(new Map(marks.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))), Date.now())
  log.write('wanted 2')
  await following.read(ANY)
  targets = []
  await following.read(ANY)
  targets = [target]
  await following.read(ANY)
  await following.close()
  t.same(seen, ['wanted 1', 'wanted 2'])
})

t.test('a file that is packed, and still there as it was, is one file', async (t) => {
  const names = ['0.log', '0.log.20261121-054512', '0.log.20261121-054512.gz', '0.log.20261120-054512.gz']
  const once = ['0.log.20261120-054512.gz', '0.log.20261121-054512', '0.log']
  t.same(podLog('any').inOrder(names), once)
  t.same(podLog('any').inOrder(names.toReversed()), once)
})
