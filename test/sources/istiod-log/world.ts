// A node with logs on a real disk, read by the source and counted by totals that may be killed at any point.

import type { Test } from 'tap'
import type { GrowingFile, GrowingFiles } from '../../../src/deps.js'
import { growingFiles } from '../../../src/growing-files.js'
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import { createTotals, type TotalEntry, type Totals } from '../../../src/ledger/totals/totals.js'
import type { Reading, Source } from '../../../src/model.js'
import type { LogTarget } from '../../../src/sources/container-logs/following.js'
import { families } from '../../../src/sources/istiod-log/families.js'
import { createIstiodLog } from '../../../src/sources/istiod-log/source.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { createModelDisk } from '../../ledger/disk-model.js'

const OWNER = { owner_zone: 'us-east-1a', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }

export const target = (name: string, place: LogTarget['place']): LogTarget => ({ name, place, labels: OWNER })

export function createWorld(t: Test, logs: () => Iterable<LogTarget>, files = growingFiles) {
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
    },
  }
  let running: { readonly source: Source; readonly totals: Totals; readonly write: () => Promise<boolean> } | undefined

  const watched = watchFiles(files)

  async function die(): Promise<void> {
    running = undefined
    await watched.closeAll()
  }

  t.teardown(die)

  async function start() {
    const journal = createTotalsJournal({ clock, disk, log })
    const totals = createTotals({ idleMs: 3_600_000, families }, { clock }, await journal.load())
    const source = createIstiodLog({ logs }, { clock, log, growingFiles: watched.files })
    source.resume?.(totals.marksOf(source.name), totals.readMsOf(source.name))
    running = { source, totals, write: () => journal.write(totals.take(), totals.rows) }
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
        events: readings.filter((reading) => reading.kind === 'event'),
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
    /** `causes`: by kind, name and how it was pushed; `changes` and `sent`: by their labels. */
    served(): {
      readonly causes: Readonly<Record<string, number>>
      readonly lines: number
      readonly events: number
      readonly sampledOut: number
      readonly changes: Readonly<Record<string, number>>
      readonly sent: Readonly<Record<string, number>>
    } {
      const seriesOf = (name: string) => [...((running?.totals.families() ?? []).find(({ family }) => family.name === name)?.series ?? [])]
      const sumOf = (name: string): number => seriesOf(name).reduce((sum, { value }) => sum + value, 0)
      const causes = seriesOf('meshtoll_pilot_push_causes_total').map(({ labels, value }) => [
        `${labels.config_kind}/${labels.config_name} ${labels.push}`,
        value,
      ])
      const byLabels = (name: string) =>
        Object.fromEntries(seriesOf(name).map(({ labels, value }) => [Object.values(labels).join('/'), value]))
      return {
        changes: byLabels('meshtoll_pilot_endpoint_changes_total'),
        sent: byLabels('meshtoll_pilot_xds_sent_bytes_total'),
        causes: Object.fromEntries(causes),
        lines: sumOf('meshtoll_pilot_log_lines_total'),
        events: sumOf('meshtoll_pilot_push_events_total'),
        sampledOut: sumOf('meshtoll_pilot_log_sampled_out_total'),
      }
    },
  }
}

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
