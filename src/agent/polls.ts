// Sources that are asked over a network: each in a loop of its own, so that one that is slow holds up neither the kernel's reading nor a scrape.
// What they say is added up and written down in the agent's turn, before it is served.
import type { Config } from '../config/fields.js'
import type { Clock } from '../deps.js'
import type { Self } from '../exporters/self.js'
import type { Budget } from '../ledger/totals/choice.js'
import { createTotalsJournal } from '../ledger/totals/journal.js'
import { createTotals, type Totals } from '../ledger/totals/totals.js'
import type { FamilySnapshot, Reading, RowReading, Source, ValueReading } from '../model.js'
import { createPauses } from '../pauses.js'
import { every } from './every.js'
import type { AgentDeps } from './parts.js'
import type { Peers } from './peers.js'
import type { Readers } from './readers.js'
import type { Whose } from './whose.js'

export interface Polled {
  readonly source: Source
  readonly intervalMs: number
  readonly whose: Whose
  readonly budgets?: readonly Budget[]
}

export interface Polls {
  /** Goes on from what the process before has written. Rejects with StateUnreadable. */
  load(): Promise<void>
  /** Until aborted. */
  run(signal: AbortSignal): Promise<void>
  /** Nothing is asked any more: all is written to the platter. In the agent's turn. */
  finish(): Promise<void>
  /** `zeroFirst`: as a scraper is to see new series. */
  families(options?: { readonly zeroFirst?: boolean }): readonly FamilySnapshot[]
  /** What the source names one by one. */
  rowsOf(source: string): readonly RowReading['row'][]
  readonly writable: boolean
}

export interface PollsParts {
  readonly polled: readonly Polled[]
  readonly series: Pick<Config['series'], 'idleMs' | 'zeroFirstMs'>
  readonly readers: Readers
  readonly self: Pick<Self, 'reset'>
  readonly peers: Peers
  readonly inTurn: (task: () => Promise<void>) => Promise<void>
  /** What is served as it was read. */
  readonly keepValues: (source: string, values: readonly ValueReading[]) => void
}

export function createPolls({ polled, series, readers, self, peers, inTurn, keepValues }: PollsParts, deps: AgentDeps): Polls {
  const { clock } = deps
  const journal = createTotalsJournal(deps)
  const pauses = createPauses(clock)
  const rows = new Map<string, readonly RowReading['row'][]>()
  let totals: Totals | undefined

  async function load(): Promise<void> {
    if (polled.length === 0) return
    const families = polled.flatMap(({ source }) => source.families)
    const budgets = polled.flatMap(({ budgets = [] }) => budgets)
    totals = createTotals({ ...series, families, budgets }, { clock }, await journal.load())
    for (const { source } of polled) source.resume?.(totals.marksOf(source.name), totals.readMsOf(source.name))
  }

  /** In a turn: nobody else sees what is done by half. */
  async function post(posting: ReturnType<Totals['posting']>): Promise<number> {
    for (;;) {
      const step = posting.next()
      if (step.done) return step.value
      await pauses.pause()
    }
  }

  async function poll({ source, whose }: Polled, signal: AbortSignal): Promise<void> {
    const atMs = clock.now()
    const readings = await readers.read(source, signal)
    if (signal.aborted) return
    await inTurn(async () => {
      rows.delete(source.name)
      if (!readings || !totals) return keepValues(source.name, [])
      const placed = await peers(readings)
      const said = await whose(placed)
      keepValues(source.name, said.values)
      rows.set(source.name, rowsIn(placed))
      totals.count(source.name, said.counted)
      const resets = await post(totals.posting(source.name, said.totals, atMs))
      if (resets > 0) self.reset(source.name, resets)
      await journal.write(totals.take(), totals.rows)
    })
  }

  return {
    load,
    async run(signal) {
      const polling = polled.map((one) => pollUntil(clock, { ms: one.intervalMs, signal }, () => poll(one, signal)))
      await Promise.all([...polling, ...polled.map(({ source }) => source.run?.(signal))])
    },
    async finish() {
      if (totals) await journal.close(totals.rows())
    },
    families: (options) => totals?.families(options) ?? [],
    rowsOf: (source) => rows.get(source) ?? [],
    get writable() {
      return journal.writable
    },
  }
}

const rowsIn = (readings: readonly Reading[]): readonly RowReading['row'][] =>
  readings.flatMap((reading) => (reading.kind === 'row' ? [reading.row] : []))

async function pollUntil(clock: Clock, { ms, signal }: { ms: number; signal: AbortSignal }, poll: () => Promise<void>): Promise<void> {
  if (!signal.aborted) await poll()
  await every(clock, { ms, signal }, poll)
}
