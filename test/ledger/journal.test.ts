import t from 'tap'
import type { Clock, Fields, Log } from '../../src/deps.js'
import { createJournal } from '../../src/ledger/journal.js'
import { renderLastRead } from '../../src/ledger/last-read.js'
import type { Batch, StateRows } from '../../src/ledger/state.js'
import { NOTHING_COUNTED, renderBatch, VERSION } from '../../src/ledger/state.js'
import type { Decided } from '../../src/ledger/writing.js'
import type { Pairs } from '../../src/model/flows.js'
import { createModelDisk } from './disk-model.js'

const FILE = 'ledger.journal'
const clock: Pick<Clock, 'monotonic' | 'sleep'> = { monotonic: () => 0, sleep: async () => undefined }

function createMemoryLog(): Log & { readonly lines: readonly (readonly [string, string, Fields | undefined])[] } {
  const lines: [string, string, Fields | undefined][] = []
  const at = (level: string) => (message: string, fields?: Fields) => void lines.push([level, message, fields])
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const rows = (atMs: number): StateRows => ({
  head: {
    version: VERSION,
    epoch: 'e1',
    atMs,
    unbrokenSinceMs: 0,
    counters: NOTHING_COUNTED,
    complete: false,
    closed: [],
    live: [1],
    settled: 0,
    closedTransit: 0,
  },
  owners: [],
  addresses: [],
  accounts: [['b:posted', 0, 0, 0, 0]],
  folded: [],
  marks: [],
})
const batch = (atMs: number, adjustments = 1): Batch => ({
  atMs,
  unbrokenSinceMs: 0,
  counters: NOTHING_COUNTED,
  live: [1],
  settled: 0,
  closedTransit: 0,
  owners: [],
  addresses: [],
  opened: [],
  withdrawn: [],
  folded: [],
  marks: [],
  adjust: Array.from({ length: adjustments }, () => ['b:posted', 1]),
})
const decided = (atMs: number, adjustments = 1): Decided => ({ kind: 'batch', batch: batch(atMs, adjustments) })

function setUp() {
  const disk = createModelDisk()
  const log = createMemoryLog()
  return { disk, log, journal: createJournal({ clock, disk, log }), size: () => disk.files.get(FILE)?.length ?? 0 }
}

t.test('what was written is loaded by the next process', async (t) => {
  const { disk, log, journal } = setUp()
  t.equal(await journal.load(), undefined, 'at first there is nothing')
  t.ok(await journal.write({ kind: 'checkpoint' }, async () => rows(1)))
  t.ok(await journal.write(decided(2), async () => rows(2)))
  t.ok(await journal.write({ kind: 'nothing' }, async () => rows(3)))
  const state = await createJournal({ clock, disk, log }).load()
  t.match(state, { head: { atMs: 2 } })
  t.same(state?.accounts.get('b:posted'), ['b:posted', 1, 0, 0, 0])
  t.same(log.lines, [], 'nothing to say')
})

t.test('a journal that has grown is written anew, and goes on with lines', async (t) => {
  const WRITES = 2_500
  const { disk, journal, size } = setUp()
  await journal.write({ kind: 'checkpoint' }, async () => rows(1))
  const checkpointBytes = size()
  const lineBytes = renderBatch(batch(1, 100)).length
  let largest = 0
  let compactions = 0
  for (let i = 0; i < WRITES; i++) {
    const before = size()
    await journal.write(decided(1, 100), async () => rows(1))
    largest = Math.max(largest, size())
    if (size() < before) compactions++
  }
  t.equal(compactions, Math.floor((WRITES * lineBytes) / ((1 << 20) + lineBytes)), 'as often as a mebibyte was added')
  t.ok(largest < (1 << 20) + checkpointBytes + 2 * lineBytes, `${largest} bytes at most`)
  t.ok(disk.files.size === 1)
})

t.test('a disk that fails', async (t) => {
  for (const mode of ['full', 'full in the middle of a write', 'read-only'] as const) {
    const { disk, log, journal } = setUp()
    await journal.write({ kind: 'checkpoint' }, async () => rows(1))
    disk.mode = mode
    for (let i = 2; i < 5; i++) t.notOk(await journal.write(decided(i), async () => rows(i)), `${mode}: not durable`)
    t.notOk(journal.writable, `${mode}: says so`)
    t.same(
      log.lines.flatMap(([level]) => (level === 'debug' ? [] : [level])),
      ['error'],
      `${mode}: one line`,
    )
    disk.mode = 'works'
    t.ok(await journal.write({ kind: 'nothing' }, async () => rows(5)), `${mode}: the next reading is durable, even if it decided nothing`)
    t.ok(journal.writable)
    t.same(
      log.lines.map(([level, message]) => [level, message]).at(-1),
      ['info', 'state can be written again'],
      `${mode}: says when it ends`,
    )
    t.match(await createJournal({ clock, disk, log }).load(), { head: { atMs: 5 } }, `${mode}: nothing that was not durable is missed`)
  }
})

t.test('what could not be written over', async (t) => {
  const cases = [
    { name: 'it is good for its table, but not the last word', mode: 'full', moves: false, found: { atMs: 1, complete: false } },
    { name: 'bytes are served for somebody else since', mode: 'full', moves: true, found: undefined },
    { name: 'nothing can be done', mode: 'read-only', moves: true, found: { atMs: 1, complete: true } },
  ] as const
  for (const { name, mode, moves, found } of cases) {
    const { disk, log, journal } = setUp()
    const whole = rows(1)
    await journal.checkpoint({ ...whole, head: { ...whole.head, complete: true } })
    disk.mode = mode
    t.notOk(await journal.write({ kind: 'checkpoint', moves }, async () => rows(2)))
    const next = createJournal({ clock, disk, log })
    const state = await next.load()
    t.same(state && { atMs: state.head.atMs, complete: state.head.complete }, found, name)
    disk.mode = 'works'
    await next.write({ kind: 'checkpoint' }, async () => rows(3))
    t.same([...disk.files.keys()], [FILE], `${name}: nothing of it is left once it could be written`)
  }
})

t.test('load says what it found', async (t) => {
  const good = setUp()
  await good.journal.write({ kind: 'checkpoint' }, async () => rows(1))
  const whole = good.disk.files.get(FILE) ?? Buffer.alloc(0)
  const cases = [
    { name: 'a torn last line', file: Buffer.concat([whole, Buffer.from('0123 {"ba')]), level: 'info', message: /torn/, atMs: 1 },
    { name: 'damage', file: Buffer.concat([Buffer.from('x'), whole]), level: 'warn', message: /not usable/, atMs: undefined },
  ]
  for (const { name, file, level, message, atMs } of cases) {
    const { disk, log, journal } = setUp()
    disk.files.set(FILE, file)
    t.equal((await journal.load())?.head.atMs, atMs, name)
    t.match(log.lines[0], [level, message], `${name}: says so`)
    t.same(disk.files.get(`${FILE}.unusable`), undefined, `${name}: nothing is touched before something is written`)
    await journal.write({ kind: 'checkpoint' }, async () => rows(2))
    t.same(disk.files.get(`${FILE}.unusable`), atMs === undefined ? file : undefined, `${name}: only what cannot be used is kept aside`)
  }
})

t.test('a state that cannot be read is there still', async (t) => {
  const good = setUp()
  await good.journal.write({ kind: 'checkpoint' }, async () => rows(1))
  for (const { failures, read } of [
    { failures: 4, read: 'read' },
    { failures: 5, read: 'refused' },
  ]) {
    const { disk, log } = setUp()
    disk.files.set(FILE, good.disk.files.get(FILE) ?? Buffer.alloc(0))
    let left = failures
    const failing = { ...disk, read: (path: string) => (left-- > 0 ? Promise.reject(new Error('EIO: i/o error, read')) : disk.read(path)) }
    const loading = createJournal({ clock, disk: failing, log }).load()
    if (read === 'read') t.match(await loading, { head: { atMs: 1 } }, `after ${failures} failures`)
    else await t.rejects(loading, { name: 'StateUnreadable', message: /EIO: i\/o error, read.*move ledger\.journal away/ })
    t.same([...disk.files.keys()], [FILE], 'nothing is touched')
  }
})

t.test('of what cannot be used the first ones stay', async (t) => {
  const { disk, log } = setUp()
  for (const text of ['one', 'two', 'three', 'four']) {
    disk.files.set(FILE, Buffer.from(text))
    const journal = createJournal({ clock, disk, log })
    await journal.load()
    await journal.write({ kind: 'checkpoint' }, async () => rows(2))
  }
  const kept = ['', '.2', '.3'].map((end) => String(disk.files.get(`${FILE}.unusable${end}`)))
  t.same(kept, ['one', 'two', 'four'])
})

t.test('what was read last is of the state that was written with it or before it, whatever became of the clock', async (t) => {
  const at = (atMs: number, orderMs?: number) => ({ atMs, orderMs })
  const cases = [
    { name: 'the clock was set back since', state: at(100_000, 100_000), read: at(95_000, 100_001), isOf: true },
    { name: 'it could not be written since', state: at(100_000, 100_000), read: at(99_000, 99_000), isOf: false },
    { name: 'nor after the clock was set back', state: at(95_000, 100_001), read: at(100_000, 100_000), isOf: false },
    { name: 'both by an earlier version', state: at(100_000), read: at(100_000), isOf: true },
    { name: 'the state by an earlier version, afterwards', state: at(100_000), read: at(99_000, 99_000), isOf: false },
  ]
  const options = { pairs: { size: 0, addresses: 0 } as unknown as Pairs, textOf: () => undefined, pause: async () => undefined }
  for (const { name, state, read, isOf } of cases) {
    const { disk, log, journal } = setUp()
    const { head, ...others } = rows(0)
    await journal.checkpoint({ ...others, head: { ...head, atMs: 0 } })
    await journal.keep(await renderLastRead({ epoch: 'e1', readAtMs: read.atMs, ...read }, [], options))
    await journal.write({ kind: 'batch', batch: { ...batch(0), ...state } }, async () => rows(0))
    const loaded = await createJournal({ clock, disk, log }).load()
    t.equal(loaded?.lastRead !== undefined, isOf, name)
  }
})
