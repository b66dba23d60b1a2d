// Sources that are polled: durable across kill -9 on a real disk, and in nobody's way.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createPolls } from '../../src/agent/polls.js'
import { createReaders } from '../../src/agent/readers.js'
import type { Whose } from '../../src/agent/whose.js'
import { untilAborted } from '../../src/deadline.js'
import type { Clock, Disk } from '../../src/deps.js'
import { type ClosingDisk, createDisk } from '../../src/disk.js'
import type { Family, Source, TotalReading, ValueReading } from '../../src/model.js'
import { createTurns } from '../../src/turns.js'
import { createKeptLog } from '../kube/kept-log.js'

const COUNTER: Family = { name: 'meshtoll_things_total', kind: 'counter', labels: [], help: 'Things.' }
const GAUGE: Family = { name: 'meshtoll_things', kind: 'gauge', labels: [], help: 'Things.' }
const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }),
}
const INTERVAL_MS = 10
const certain: Whose = async (readings) => ({
  totals: readings.flatMap((reading) => (reading.kind === 'total' ? [{ ...reading, whose: 'certain' as const }] : [])),
  values: readings.flatMap((reading) => (reading.kind === 'value' ? [reading] : [])),
  counted: {
    events: readings.filter((reading) => reading.kind === 'event'),
    marks: readings.filter((reading) => reading.kind === 'mark'),
  },
})

interface LifeOptions {
  readonly disk: Disk
  readonly read: Source['read']
  readonly run?: NonNullable<Source['run']>
  readonly resume?: NonNullable<Source['resume']>
}

function createLife({ disk, read, run, resume }: LifeOptions) {
  const log = createKeptLog()
  const resets: number[] = []
  const self = { reset: (_: string, times = 1) => void resets.push(times), sourceRead: () => undefined, rejected: () => undefined }
  const readers = createReaders({ clock: CLOCK, log, self: self as never })
  const inTurn = createTurns()
  const values: (readonly ValueReading[])[] = []
  const source: Source = {
    name: 'things',
    families: [COUNTER, GAUGE],
    needs: [],
    read,
    ...(run ? { run } : {}),
    ...(resume ? { resume } : {}),
  }
  const polls = createPolls(
    {
      polled: [{ source, intervalMs: INTERVAL_MS, whose: certain }],
      series: { idleMs: 3_600_000, zeroFirstMs: 0 },
      readers,
      self,
      peers: async (readings) => readings,
      inTurn,
      keepValues: (_, said) => void values.push(said),
    },
    { clock: CLOCK, log, disk } as never,
  )
  const stop = new AbortController()
  return {
    polls,
    log,
    inTurn,
    values,
    resets,
    stop: () => stop.abort(new Error('stopped')),
    run: () => polls.run(stop.signal),
    served: () => [...(polls.families()[0]?.series ?? [])].map(({ value }) => value),
  }
}

const total = (value: number): TotalReading => ({ kind: 'total', family: COUNTER, labels: {}, target: 'a', series: '', value })

function createDeferred() {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}

/** Reads `values` one after the other, and waits for the end behind the last one. */
async function live(t: Test, disk: ClosingDisk, values: readonly number[]) {
  let at = 0
  const done = createDeferred()
  const life = createLife({
    disk,
    async read(signal) {
      const value = values[at++]
      if (value !== undefined) return { readings: [total(value)], rejected: 0 }
      done.resolve()
      return untilAborted(new Promise(() => undefined), signal)
    },
  })
  await life.polls.load()
  const before = life.served()
  const running = life.run()
  await done.promise
  t.teardown(async () => {
    life.stop()
    await disk.close()
  })
  return { ...life, before, running }
}

t.test('what a source counts itself is written with how far it has read, and handed back', async (t) => {
  const folder = t.testdir()
  const resumed: unknown[] = []
  for (const life of [1, 2]) {
    const disk = createDisk(folder)
    const done = createDeferred()
    let isRead = false
    const { polls, run, stop, served } = createLife({
      disk,
      resume: (marks, readMs) => void resumed.push([...marks], readMs !== undefined),
      async read(signal) {
        if (isRead) {
          done.resolve()
          return untilAborted(new Promise(() => undefined), signal)
        }
        isRead = true
        const mark = { kind: 'mark', name: 'log', value: `${life}` } as const
        return { readings: [{ kind: 'event', family: COUNTER, labels: {}, count: life * 10 }, mark], rejected: 0 }
      },
    })
    await polls.load()
    const running = run()
    await done.promise
    t.same(served(), [life === 1 ? 10 : 30])
    // As if killed: nothing is finished.
    stop()
    await running
    await disk.close()
  }
  t.same(resumed, [[], false, [['log', '1']], true])
})

t.test('what a source names one by one is that of its last read', async (t) => {
  const disk = createDisk(t.testdir())
  const named: unknown[] = []
  const done = createDeferred()
  let reads = 0
  const { polls, run, stop } = createLife({
    disk,
    async read() {
      named.push(polls.rowsOf('things'))
      if (reads++ === 2) done.resolve()
      if (reads === 2) throw new Error('it does not answer')
      return { readings: [{ kind: 'row', row: { proxy: `cart-${reads}` } }], rejected: 0 }
    },
  })
  await polls.load()
  const running = run()
  await done.promise
  stop()
  await running
  await disk.close()
  t.same(named.slice(0, 3), [[], [{ proxy: 'cart-1' }], []])
})

t.test('a process that is killed loses nothing and counts nothing twice', async (t) => {
  const folder = t.testdir()
  const first = createDisk(folder)
  const one = await live(t, first, [900, 950])
  t.same([one.before, one.served()], [[], [50]])
  await first.close()
  const next = await live(t, createDisk(folder), [1000, 10, 15])
  t.same([next.before, next.served()], [[50], [115]], 'what was counted meanwhile is added')
  t.same(next.resets, [1], 'a reset is said')
})

t.test('without a state directory that can be written', async (t) => {
  const disk = createDisk('/proc/no-such-folder')
  const { polls, served, log } = await live(t, disk, [900, 950, 960])
  t.same(served(), [60], 'it is served all the same')
  t.notOk(polls.writable)
  t.equal(log.lines.filter((line) => line.startsWith('error')).length, 1, 'and said once')
})

t.test('a read that hangs holds up nobody', async (t) => {
  const read: Source['read'] = (signal) => untilAborted(new Promise(() => undefined), signal)
  const { inTurn, run, stop } = createLife({ disk: createDisk(t.testdir()), read })
  void run()
  t.equal(await inTurn(async () => 'a scrape'), 'a scrape')
  stop()
})

t.test('a source that fails: its values are gone, its totals stay', async (t) => {
  let reads = 0
  const failed = createDeferred()
  const disk = createDisk(t.testdir())
  t.teardown(disk.close)
  const life = createLife({
    disk,
    async read() {
      reads++
      if (reads < 3) return { readings: [total(reads * 10), { kind: 'value', family: GAUGE, labels: {}, value: 7 }], rejected: 0 }
      if (reads > 3) failed.resolve()
      throw new Error('no kubelet listens')
    },
  })
  await life.polls.load()
  const running = life.run()
  await failed.promise
  life.stop()
  await running
  t.same(life.served(), [10])
  t.same(
    life.values.slice(0, 3).map((said) => said.length),
    [1, 1, 0],
  )
  t.same(
    life.log.lines.filter((line) => line.startsWith('warn')),
    ['warn source cannot be read {"source":"things","error":"no kubelet listens"}'],
    'said once',
  )
})

t.test('a stop ends it at once, and the state is whole', async (t) => {
  const folder = t.testdir()
  const disk = createDisk(folder)
  const synced: (boolean | undefined)[] = []
  const replace: ClosingDisk['replace'] = (path, data, options) => {
    synced.push(options?.sync)
    return disk.replace(path, data, options)
  }
  const { stop, running, polls } = await live(t, { ...disk, replace }, [900, 950])
  stop()
  await polls.finish()
  t.same(synced, [true, true], 'the first and the last state are on the platter')
  await disk.close()
  const next = await live(t, createDisk(folder), [])
  t.same(next.before, [50])
  t.ok(running)
})

t.test('what a source gathers in the background ends with the agent', async (t) => {
  const disk = createDisk(t.testdir())
  t.teardown(disk.close)
  const begun = createDeferred()
  const life = createLife({
    disk,
    read: async () => ({ readings: [], rejected: 0 }),
    async run(signal) {
      begun.resolve()
      await untilAborted(new Promise(() => undefined), signal).catch(() => undefined)
    },
  })
  await life.polls.load()
  const running = life.run()
  await begun.promise
  life.stop()
  await t.resolves(running)
})
