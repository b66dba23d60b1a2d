import t from 'tap'
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import { renderTotals, TOTALS_STATE, type TotalsState } from '../../../src/ledger/totals/state.js'
import { createTotals, type TotalEntry, type TotalsOptions } from '../../../src/ledger/totals/totals.js'
import type { Family } from '../../../src/model.js'
import { createModelDisk } from '../disk-model.js'

const FAMILY: Family = { name: 'meshtoll_things_total', kind: 'counter', labels: ['owner_name'], help: 'Things.' }
const START_MS = 1_000_000_000
const OPTIONS: TotalsOptions = { idleMs: 3_600_000, families: [FAMILY] }

function createHandClock() {
  let nowMs = START_MS
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async () => undefined,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

const entry = (target: string, value: number | undefined, more: Partial<TotalEntry> = {}): TotalEntry => ({
  family: FAMILY,
  labels: { owner_name: 'cart' },
  target,
  series: 'in',
  value,
  whose: 'certain',
  ...more,
})

interface Read {
  readonly afterMs?: number
  readonly entries: readonly TotalEntry[]
}

function createReader(options = OPTIONS, restored?: TotalsState) {
  const clock = createHandClock()
  const totals = createTotals(options, { clock }, restored)
  const served = (): Record<string, number> =>
    Object.fromEntries([...(totals.families()[0]?.series ?? [])].map(({ labels, value }) => [labels.owner_name, value]))
  const read = ({ afterMs = 15_000, entries }: Read): number => {
    clock.pass(afterMs)
    return totals.post('things', entries, clock.now())
  }
  return { totals, clock, read, served }
}

const at = (afterStartMs: number) => ({ startedMs: START_MS + afterStartMs })

t.test('what a counter adds', async (t) => {
  const known = { entries: [entry('a', 900)] }
  const stock = { labels: { owner_name: 'stock' } }
  const cases: readonly { name: string; reads: readonly Read[]; served: Record<string, number>; resets?: number }[] = [
    { name: 'the first sight of a target is its baseline', reads: [known], served: { cart: 0 } },
    { name: 'then what is new', reads: [known, { entries: [entry('a', 950)] }], served: { cart: 50 } },
    {
      name: 'a target that is gone takes nothing with it',
      reads: [known, { entries: [entry('a', 950)] }, { entries: [] }],
      served: { cart: 50 },
    },
    {
      name: 'one of several is gone: no reset of their sum',
      reads: [{ entries: [entry('a', 900), entry('b', 100)] }, { entries: [entry('a', 950)] }],
      served: { cart: 50 },
    },
    { name: 'a target that comes later is counted from its baseline', reads: [known, { entries: [entry('b', 70)] }], served: { cart: 0 } },
    {
      name: 'in full where it began after the last read',
      reads: [known, { entries: [entry('b', 70, at(16_000))] }],
      served: { cart: 70 },
    },
    {
      name: 'also within the second of the last read, since starts are rounded down',
      reads: [{ afterMs: 15_700, entries: [] }, { entries: [entry('b', 70, at(15_000))] }],
      served: { cart: 70 },
    },
    { name: 'not where it began before', reads: [known, { entries: [entry('b', 70, at(14_000))] }], served: { cart: 0 } },
    { name: 'nor at the first read of all', reads: [{ entries: [entry('b', 70, at(16_000))] }], served: { cart: 0 } },
    {
      name: 'a series that appears in a known target counts in full',
      reads: [known, { entries: [entry('a', 900), entry('a', 40, { series: 'out' })] }],
      served: { cart: 40 },
    },
    {
      name: 'but not beside another one of a target that is new',
      reads: [{ entries: [entry('a', 900), entry('a', 40, { series: 'out' })] }],
      served: { cart: 0 },
    },
    { name: 'a smaller value is a reset', reads: [known, { entries: [entry('a', 30)] }], served: { cart: 30 }, resets: 1 },
    {
      name: 'so is one that began anew after the last read, however large',
      reads: [{ entries: [entry('a', 900, at(0))] }, { entries: [entry('a', 1000, at(20_000))] }],
      served: { cart: 1000 },
      resets: 1,
    },
    {
      name: 'not one whose beginning is only told otherwise',
      reads: [{ entries: [entry('a', 900, at(0))] }, { entries: [entry('a', 1000, at(5_000))] }],
      served: { cart: 100 },
    },
    {
      name: 'nor one that is read again within the second it began in',
      reads: [
        { afterMs: 15_100, entries: [] },
        { afterMs: 500, entries: [entry('b', 5, at(15_000))] },
        { entries: [entry('b', 9, at(15_000))] },
      ],
      served: { cart: 9 },
    },
    {
      name: 'born without a value: at zero, and all is new',
      reads: [known, { entries: [entry('b', undefined, at(16_000))] }, { entries: [entry('b', 70, at(16_000))] }],
      served: { cart: 70 },
    },
    {
      name: 'without a value at first sight: not known yet',
      reads: [{ entries: [entry('a', undefined)] }, { entries: [entry('a', 70)] }],
      served: { cart: 0 },
    },
    {
      name: 'diff by key first, label second: an owner that changes takes only what is new',
      reads: [known, { entries: [entry('a', 950)] }, { entries: [entry('a', 960, stock)] }],
      served: { cart: 50, stock: 10 },
    },
    {
      name: 'what waits for its owner is not served',
      reads: [known, { entries: [entry('a', 950, { labels: { owner_name: '_unknown' }, whose: 'waiting' })] }],
      served: { cart: 0 },
    },
    {
      name: 'and comes with it',
      reads: [
        { entries: [entry('a', 900, { whose: 'waiting' })] },
        { entries: [entry('a', 950, { whose: 'waiting' })] },
        { entries: [entry('a', 20, { whose: 'waiting' })] },
        { entries: [entry('a', 21, stock)] },
        { entries: [entry('a', 23, stock)] },
      ],
      served: { stock: 73 },
      resets: 1,
    },
    {
      name: 'gone while it waits: posted as it is, in the end',
      reads: [
        known,
        { entries: [entry('a', 950, { labels: { owner_name: '_unknown' }, whose: 'waiting' })] },
        { entries: [] },
        { afterMs: 600_000, entries: [] },
      ],
      served: { cart: 0, _unknown: 50 },
    },
    {
      name: "nobody's: not served, and what waited is no more",
      reads: [
        known,
        { entries: [entry('a', 950, { labels: { owner_name: '_unknown' }, whose: 'waiting' })] },
        { entries: [entry('a', 960, { whose: 'nobody' })] },
        { entries: [] },
        { afterMs: 600_000, entries: [] },
      ],
      served: { cart: 0 },
    },
    {
      name: 'missed by a read, it goes on',
      reads: [known, { entries: [] }, { afterMs: 599_000, entries: [entry('a', 950)] }],
      served: { cart: 50 },
    },
    {
      name: 'after a while it is forgotten, and seen for the first time',
      reads: [known, { entries: [] }, { afterMs: 600_000, entries: [] }, { entries: [entry('a', 950)] }],
      served: { cart: 0 },
    },
  ]
  for (const { name, reads, served: wanted, resets = 0 } of cases) {
    const { read, served } = createReader()
    const counted = reads.map(read).reduce((sum, one) => sum + one, 0)
    t.same(served(), wanted, name)
    t.equal(counted, resets, `${name}: resets`)
  }
})

t.test('sources do not mix', async (t) => {
  const { totals, clock, served } = createReader()
  totals.post('one', [entry('a', 10)], clock.now())
  totals.post('other', [entry('a', 100)], clock.now())
  totals.post('one', [entry('a', 11)], clock.now())
  t.same(served(), { cart: 0 }, 'the one that is listed last')
  t.same(
    [...(totals.families()[0]?.series ?? [])].map(({ value }) => value),
    [1, 0],
  )
})

t.test('one source says nothing of the other', async (t) => {
  const { totals, clock } = createReader()
  const count = (): number => [...(totals.families()[0]?.series ?? [])].length
  totals.post('one', [entry('a', 10)], clock.now())
  totals.post('other', [entry('a', 100)], clock.now())
  clock.pass(4_000_000)
  totals.post('one', [entry('a', 11)], clock.now())
  t.equal(count(), 2, 'what it reads no more may still be there')
})

t.test('an account that nothing leads into is withdrawn when it is idle', async (t) => {
  const { read, served } = createReader()
  read({ entries: [entry('a', 10), entry('b', 10, { labels: { owner_name: 'stock' } })] })
  read({ entries: [entry('a', 15), entry('b', 16, { labels: { owner_name: 'stock' } })] })
  read({ afterMs: 3_599_000, entries: [entry('b', 16, { labels: { owner_name: 'stock' } })] })
  t.same(served(), { cart: 5, stock: 6 }, 'not before')
  read({ afterMs: 61_000, entries: [entry('b', 16, { labels: { owner_name: 'stock' } })] })
  t.same(served(), { stock: 6 }, 'nor while something leads into it')
  read({ entries: [entry('c', 7, at(3_692_000))] })
  t.same(served(), { stock: 6, cart: 7 }, 'it comes back at 0')
})

function createLife(disk = createModelDisk()) {
  const lines: string[] = []
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  const log = { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') }
  const clock = createHandClock()
  const journal = createTotalsJournal({ clock, disk, log })
  return { disk, lines, journal, clock }
}

t.test('what was counted while nobody looked is added', async (t) => {
  const { disk, journal } = createLife()
  const first = createReader()
  for (const entries of [[entry('a', 900), entry('gone', 7)], [entry('a', 950)]]) {
    first.read({ entries })
    t.ok(await journal.write(first.totals.take(), first.totals.rows))
  }
  const next = createReader(OPTIONS, await createLife(disk).journal.load())
  t.same(next.served(), { cart: 50 }, 'served before anything is read')
  next.read({ afterMs: 86_400_000, entries: [entry('a', 1000), entry('b', 3, at(40_000)), entry('c', 9, at(20_000))] })
  t.same(next.served(), { cart: 103 }, 'and what was born meanwhile, but not what could have been seen')
})

t.test('what a restart finds', async (t) => {
  const waiting = { labels: { owner_name: '_unknown' }, whose: 'waiting' } as const
  const first: Read = { entries: [entry('a', 900, at(0))] }
  const cases: readonly { name: string; before: readonly Read[]; after: readonly Read[]; served: Record<string, number> }[] = [
    {
      name: 'a target that was forgotten is seen for the first time',
      before: [first, { entries: [] }, { afterMs: 600_000, entries: [] }],
      after: [{ entries: [entry('a', 950)] }],
      served: { cart: 0 },
    },
    {
      name: 'an account that was withdrawn begins at 0',
      before: [first, { entries: [entry('a', 950)] }, { entries: [] }, { afterMs: 3_660_000, entries: [] }],
      after: [],
      served: {},
    },
    {
      name: 'what waited for its owner',
      before: [first, { entries: [entry('a', 950, waiting)] }],
      after: [{ entries: [entry('a', 951)] }],
      served: { cart: 51 },
    },
    {
      name: 'what waited for the owner of a target that is gone',
      before: [first, { entries: [entry('a', 950, waiting)] }],
      after: [{ entries: [] }, { afterMs: 600_000, entries: [] }],
      served: { cart: 0, _unknown: 50 },
    },
    {
      name: 'what waited no more',
      before: [first, { entries: [entry('a', 950, waiting)] }, { entries: [entry('a', 950)] }],
      after: [{ entries: [entry('a', 950)] }],
      served: { cart: 50 },
    },
    {
      name: 'a counter that was dropped',
      before: [first, { entries: [entry('a', 950, { whose: 'nobody' })] }],
      after: [{ entries: [entry('a', 960)] }],
      served: { cart: 960 },
    },
    {
      name: 'a beginning that was counted',
      before: [first, { afterMs: 100, entries: [entry('a', 1000, at(15_000))] }],
      after: [{ afterMs: 100, entries: [entry('a', 1001, at(15_000))] }],
      served: { cart: 1001 },
    },
  ]
  for (const { name, before, after, served } of cases) {
    const { disk, journal } = createLife()
    const life = createReader()
    for (const read of before) {
      life.read(read)
      t.ok(await journal.write(life.totals.take(), life.totals.rows))
    }
    const whole = createReader(OPTIONS, await createLife(disk).journal.load())
    whole.clock.pass(life.clock.now() - START_MS)
    for (const read of after) whole.read(read)
    t.same(whole.served(), served, name)
    for (const read of after) life.read(read)
    t.same(life.served(), served, `${name}: as without it`)
  }
})

t.test('parts of a histogram that wait for their owner, over a restart', async (t) => {
  const family: Family = { name: 'meshtoll_debounce_seconds', kind: 'histogram', labels: ['owner_name'], help: 'Time.' }
  const options = { ...OPTIONS, families: [family] }
  const parts = [0.1, Number.POSITIVE_INFINITY, 'sum'] as const
  const all = (values: readonly number[], more: Partial<TotalEntry> = {}): TotalEntry[] =>
    parts.map((part, i) => entry('a', values[i], { family, part, series: String(part), ...more }))
  const { disk, journal } = createLife()
  const { totals, read } = createReader(options)
  read({ entries: all([1, 1, 1.5], { whose: 'waiting' }) })
  read({ entries: all([3, 2, 9.5], { whose: 'waiting' }) })
  await journal.write(totals.take(), totals.rows)
  const next = createReader(options, await createLife(disk).journal.load())
  t.same(next.totals.families(), [], 'nothing is served before it is known whose it is')
  next.read({ entries: all([3, 3, 12]) })
  const servedBy = (reader: typeof next) => [...(reader.totals.families()[0]?.series ?? [])][0]
  const bucketsOf = (first: number, count: number) => [
    { le: 0.1, count: first },
    { le: Number.POSITIVE_INFINITY, count },
  ]
  t.match(servedBy(next), { labels: { owner_name: 'cart' }, value: 4, histogram: { sum: 10.5, buckets: bucketsOf(2, 4) } })
  const without = createReader(options, await createLife(disk).journal.load())
  for (const afterMs of [15_000, 600_000]) without.read({ afterMs, entries: [] })
  t.match(servedBy(without), { value: 3, histogram: { sum: 8, buckets: bucketsOf(2, 3) } }, 'or that is gone')
})

t.test('only what changed is written', async (t) => {
  const { disk, journal } = createLife()
  const { totals, read } = createReader()
  const size = (): number => disk.files.get('totals.journal')?.length ?? 0
  const many = Array.from({ length: 1000 }, (_, i) => entry(`pod ${i}`, 10))
  read({ entries: many })
  await journal.write(totals.take(), totals.rows)
  const whole = size()
  read({ entries: [...many.slice(1), entry('pod 0', 11)] })
  await journal.write(totals.take(), totals.rows)
  t.ok(size() - whole < 150, `${size() - whole} bytes for one counter of ${whole} bytes`)
  t.ok(await journal.write(undefined, totals.rows))
})

t.test('a disk that cannot be written', async (t) => {
  for (const mode of ['full', 'read-only'] as const) {
    const { disk, lines, journal } = createLife()
    const { totals, read, served } = createReader()
    const write = (): Promise<boolean> => journal.write(totals.take(), totals.rows)
    read({ entries: [entry('a', 900)] })
    t.ok(await write())
    disk.mode = mode
    for (const value of [950, 960]) {
      read({ entries: [entry('a', value)] })
      t.notOk(await write(), `${mode}: not durable`)
    }
    t.notOk(journal.writable)
    t.same(served(), { cart: 60 }, `${mode}: served all the same`)
    t.same(lines, ['error state cannot be written: counting goes on, but a restart may serve totals that start over'], `${mode}: one line`)
    if (mode === 'full') {
      const next = createLife(disk)
      t.equal(await next.journal.load(), undefined, 'nobody goes on from what is behind')
      t.match(next.lines, ['warn state is behind what was served, since it could not be written'])
      const behind = disk.files.get('totals.journal.behind') ?? Buffer.alloc(0)
      const between = createLife()
      between.disk.files.set('totals.journal.resumed', behind)
      t.ok(behind.length > 0)
      t.equal(await between.journal.load(), undefined, 'nor between two names')
    }
    disk.mode = 'works'
    t.ok(await write(), `${mode}: written again, whole`)
    const state = await createLife(disk).journal.load()
    t.same([...(state?.sums.values() ?? [])], [[1, 60]])
  }
})

t.test('what is gone is not in the state', async (t) => {
  const { disk, journal } = createLife()
  const { totals, read } = createReader()
  const reads: readonly Read[] = [
    { entries: [entry('a', 1)] },
    { entries: [entry('a', 2, { labels: { owner_name: '_unknown' }, whose: 'waiting' })] },
    { entries: [] },
    { afterMs: 4_000_000, entries: [] },
    { afterMs: 4_000_000, entries: [] },
  ]
  for (const one of reads) {
    read(one)
    await journal.write(totals.take(), totals.rows)
  }
  const state = await createLife(disk).journal.load()
  const rows = Object.entries(state ?? {}).map(([table, found]) => [table, found.size])
  t.same(Object.fromEntries(rows), { reads: 1, accounts: 0, sums: 0, targets: 0, series: 0, lasts: 0, held: 0, marks: 0 })
})

t.test('a torn line is cut off before another is written', async (t) => {
  const { disk, journal } = createLife()
  const { totals, read } = createReader()
  const write = (by = journal): Promise<boolean> => by.write(totals.take(), totals.rows)
  read({ entries: [entry('a', 900)] })
  await write()
  const whole = disk.files.get('totals.journal') ?? Buffer.alloc(0)
  disk.files.set('totals.journal', Buffer.concat([whole, Buffer.from('0123 {"ba')]))
  const next = createLife(disk).journal
  await next.load()
  for (const value of [950, 960]) {
    read({ entries: [entry('a', value)] })
    t.ok(await write(next))
  }
  const state = await createLife(disk).journal.load()
  t.same([...(state?.sums.values() ?? [])], [[1, 60]])
})

t.test('a state with what this version does not know', async (t) => {
  const { totals, read } = createReader()
  read({ entries: [entry('a', 900)] })
  read({ entries: [entry('a', 950)] })
  const { state } = await TOTALS_STATE.parse(Buffer.from([...renderTotals(totals.rows())].join('')), async () => undefined)
  const other = { ...FAMILY, labels: ['owner_zone', 'owner_name'] }
  for (const families of [[], [other]]) t.same(createReader({ ...OPTIONS, families }, state).served(), {})
})
