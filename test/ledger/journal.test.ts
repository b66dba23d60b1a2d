import t from 'tap'
import type { Fields, Log } from '../../src/deps.js'
import { createJournal } from '../../src/ledger/journal.js'
import type { Decided } from '../../src/ledger/ledger.js'
import type { Batch, StateRows } from '../../src/ledger/state.js'
import { NOTHING_COUNTED, renderBatch, VERSION } from '../../src/ledger/state.js'
import { createModelDisk } from './disk-model.js'

const FILE = 'ledger.journal'

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
  return { disk, log, journal: createJournal({ disk, log }), size: () => disk.files.get(FILE)?.length ?? 0 }
}

t.test('what was written is loaded by the next process', async (t) => {
  const { disk, log, journal } = setUp()
  t.equal(await journal.load(), undefined, 'at first there is nothing')
  t.ok(await journal.write({ kind: 'checkpoint' }, async () => rows(1)))
  t.ok(await journal.write(decided(2), async () => rows(2)))
  t.ok(await journal.write({ kind: 'nothing' }, async () => rows(3)))
  const state = await createJournal({ disk, log }).load()
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
      log.lines.map(([level]) => level),
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
    t.match(await createJournal({ disk, log }).load(), { head: { atMs: 5 } }, `${mode}: nothing that was not durable is missed`)
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
  const { disk, log } = setUp()
  const broken = { ...disk, read: () => Promise.reject(new Error('EIO: i/o error, read')) }
  t.equal(await createJournal({ disk: broken, log }).load(), undefined, 'a file that cannot be read')
  t.match(log.lines[0], ['warn', 'state cannot be read', { error: /EIO/ }])
})
