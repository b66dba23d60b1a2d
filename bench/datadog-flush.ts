// One flush to Datadog, in this process: all series have moved. What is taken is written to a real disk, and an intake takes it at once. And a
// start that reads what it wrote, after an outage.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDisk } from '../src/disk.js'
import { encodingHere } from '../src/exporters/datadog/body.js'
import type { Outcome } from '../src/exporters/datadog/intake.js'
import { createPush, type Push } from '../src/exporters/datadog/push.js'
import { DATADOG_STATE } from '../src/exporters/datadog/state.js'
import { snapshotOf } from '../src/ledger/snapshot.js'
import { createJournalFile } from '../src/state/journal-file.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK, createFullLedger, SILENT } from './flow-series.js'
import { median } from './statistics.js'
import { type Timing, timed } from './timing.js'

interface Case {
  readonly what: string
  readonly series: number
  readonly maxSeries: number
}

const CASES: readonly Case[] = [
  { what: '10,000 series, 2,000 of them sent', series: 10_000, maxSeries: 2_000 },
  { what: '10,000 series', series: 10_000, maxSeries: 50_000 },
  { what: '50,000 series', series: 50_000, maxSeries: 200_000 },
  { what: '100,000 series', series: 100_000, maxSeries: 200_000 },
]

const WAITING = 5
const DOWN: Outcome = { kind: 'failed', why: 'nobody listens there', mayHaveIt: false, afterMs: 0, isKey: false }

export async function* flushFigures({ quick }: BenchOptions): AsyncIterable<Figure> {
  for (const one of quick ? CASES.slice(0, 2) : CASES) yield* await measureOne(one, quick ? 3 : 11)
}

async function measureOne({ what, series, maxSeries }: Case, times: number): Promise<readonly Figure[]> {
  const ledger = await createFullLedger(series)
  const folder = mkdtempSync(join(tmpdir(), 'datadog-'))
  const disk = createDisk(folder)
  const families = () =>
    snapshotOf(ledger, { limit: series, zeroFirstMs: 0, prices: {} }, { atMs: CLOCK.now(), monotonicMs: CLOCK.monotonic(), coverage: 1 })
      .families
  let bytes = 0
  let isDown = false
  async function send(body: Uint8Array): Promise<Outcome> {
    if (isDown) return DOWN
    bytes += body.length
    return { kind: 'accepted', complaint: '' }
  }
  const open = (): Push =>
    createPush(
      {
        file: createJournalFile(DATADOG_STATE, { clock: CLOCK, disk, log: SILENT }),
        host: () => 'i-0123456789abcdef0',
        withGroups: (use) => use([{ families: families(), origin: 'own' }]),
        intake: { send },
        encoding: encodingHere,
        key: async () => 'k',
        random: Math.random,
      },
      { tags: [], excludeLabels: [], maxSeries, startedMs: 0, flushIntervalMs: 30_000 },
      { clock: CLOCK, log: SILENT },
    )
  const push = open()
  const flush = async (): Promise<void> => {
    for (const account of ledger.accounts.flows.values()) account.value += 1_000_003
    await push.finish(new AbortController().signal)
  }
  const timings: Timing[] = []
  try {
    await push.load()
    const first = await timed(flush)
    for (let time = 0; time < times; time++) timings.push(await timed(flush))
    const cpu = median(timings.map(({ cpuMs }) => cpuMs))
    const beside = `CPU ${cpu.toFixed(0)} ms; the first one ${first.wallMs.toFixed(0)} ms; ${Math.round(bytes / (times + 1) / 1_000)} kB sent`
    const number = `flush to Datadog, ${what}`
    isDown = true
    for (let window = 0; window < WAITING; window++) await flush()
    const start = await timed(open().load)
    const ofStart = `start with ${WAITING} windows that wait for Datadog, ${what}`
    return [
      { number, unit: 'ms', measured: median(timings.map(({ wallMs }) => wallMs)), beside },
      blockFigure(`first flush to Datadog, ${what}`, [first], `CPU of all ${first.cpuMs.toFixed(0)} ms`),
      blockFigure(number, timings),
      { number: ofStart, unit: 'ms', measured: start.wallMs, beside: `CPU ${start.cpuMs.toFixed(0)} ms` },
      blockFigure(ofStart, [start]),
    ]
  } finally {
    await disk.close()
    rmSync(folder, { recursive: true })
  }
}
