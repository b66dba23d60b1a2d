// A node with logs on a real disk, read by the source and counted by totals that may be killed at any point.
import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import type { GrowingFile, GrowingFiles } from '../../../src/deps.js'
import { growingFiles } from '../../../src/growing-files.js'
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import { createTotals, type TotalEntry, type Totals } from '../../../src/ledger/totals/totals.js'
import type { EventReading, Reading, Series, Source } from '../../../src/model.js'
import type { FollowingDeps } from '../../../src/sources/container-logs/following.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { createModelDisk } from '../../ledger/disk-model.js'

interface Running {
  readonly source: Source
  readonly totals: Totals
  readonly life: AbortController
  readonly background: Promise<void> | undefined
  readonly write: () => Promise<boolean>
}

/** `create`: as an agent does when it starts. */
export function createLogWorld(t: Test, create: (deps: FollowingDeps) => Source, files = growingFiles) {
  const disk = createModelDisk()
  const log = createKeptLog()
  let nowMs = 1_000_000_000_000
  /** What others do while the source gives them time. */
  let meanwhile = (): void => undefined
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    async sleep(_: number, signal?: AbortSignal) {
      signal?.throwIfAborted()
      meanwhile()
      await turn()
      signal?.throwIfAborted()
    },
  }
  let running: Running | undefined

  const watched = watchFiles(files)

  async function die(): Promise<void> {
    running?.life.abort()
    await running?.background
    running = undefined
    await watched.closeAll()
  }

  t.teardown(die)

  async function start() {
    const journal = createTotalsJournal({ clock, disk, log })
    const source = create({ clock, log, growingFiles: watched.files })
    const totals = createTotals({ idleMs: 3_600_000, families: source.families }, { clock }, await journal.load())
    source.resume?.(totals.marksOf(source.name), totals.readMsOf(source.name))
    const life = new AbortController()
    const background = source.run?.(life.signal)
    running = { source, totals, life, background, write: () => journal.write(totals.take(), totals.rows) }
    return running
  }

  return {
    log,
    meanwhile: (act: () => void): void => {
      meanwhile = act
    },
    pass: (ms: number): void => {
      nowMs += ms
    },
    get nowMs() {
      return nowMs
    },
    /** `kill`: before what was read is written down. */
    async read({ kill = false, signal = new AbortController().signal } = {}): Promise<readonly Reading[]> {
      const { source, totals, write } = running ?? (await start())
      nowMs += 15_000
      const atMs = nowMs
      const { readings } = await source.read(signal)
      if (kill) {
        await die()
        return readings
      }
      const entries = readings.flatMap((reading): TotalEntry[] => (reading.kind === 'total' ? [{ ...reading, whose: 'certain' }] : []))
      totals.count(source.name, {
        events: readings.filter((reading) => reading.kind === 'event').map(ofNobody),
        marks: readings.filter((reading) => reading.kind === 'mark'),
      })
      totals.post(source.name, entries, atMs)
      await write()
      return readings
    },
    kill: die,
    get openFiles() {
      return watched.open
    },
    /** All that is served of a family. */
    seriesOf: (name: string): readonly Series[] => [
      ...((running?.totals.families() ?? []).find(({ family }) => family.name === name)?.series ?? []),
    ],
  }
}

/** Here nobody says who has an address. */
const ofNobody = ({ peer, labels, ...event }: EventReading): EventReading => ({
  ...event,
  labels: { ...labels, ...Object.fromEntries(Object.keys(peer?.says ?? {}).map((label) => [label, '_unknown'])) },
})

export const sumOf = (series: readonly Series[]): number => series.reduce((sum, { value }) => sum + value, 0)

/** So that they can be closed as the kernel closes what a process had open. */
export function watchFiles(files: GrowingFiles) {
  const open = new Set<GrowingFile>()
  return {
    files: {
      ...files,
      async open(path: string) {
        const file = await files.open(path)
        if (file) open.add(file)
        return file && { ...file, close: () => (open.delete(file) ? file.close() : Promise.resolve()) }
      },
    },
    async closeAll() {
      for (const file of open) await file.close()
      open.clear()
    },
    get open() {
      return open.size
    },
  }
}
