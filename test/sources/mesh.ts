// A mesh of whom a source asks over HTTP: each answers what the test has for it, and what the source says is added up.
import type { Test } from 'tap'
import type { Clock, Log } from '../../src/deps.js'
import { createTotals, type TotalEntry, type Totals } from '../../src/ledger/totals/totals.js'
import type { Reading, Series, Source } from '../../src/model.js'
import type { HttpGet } from '../../src/sources/http-get.js'
import type { Target } from '../../src/sources/scraping.js'
import { createHandClock, type HandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

export const INTERVAL_MS = 15_000
const TICK_MS = 500
const PIECE = 16_384

export interface SourceParts {
  readonly open: () => Promise<HttpGet>
  readonly targets: () => Iterable<Target>
  readonly intervalMs: number
}

/** By the names of targets, which are the hosts of their URLs too. */
export type Answers = Readonly<Record<string, string | Error | undefined>>

export type Targets = readonly Target[] | (() => Iterable<Target>)

export interface MeshParts {
  readonly create: (parts: SourceParts, deps: { readonly clock: Clock; readonly log: Log }) => Source
  readonly targets?: Targets
  /** As if they had said so before. */
  readonly answers?: Answers
  /** The agent's process before: this one goes on from what it has written. */
  readonly before?: Pick<Mesh, 'clock' | 'totals'>
}

export interface Mesh {
  readonly source: Source
  readonly clock: HandClock
  readonly log: ReturnType<typeof createKeptLog>
  readonly totals: Totals
  /** What they answer from now on. Whoever has nothing hangs, an Error rejects. */
  say(answers: Answers): void
  /** Time goes by, in which each is asked once an interval while the source runs. */
  pass(ms?: number): Promise<void>
  /** Adds up what the source says now. */
  post(): Promise<{ readonly readings: readonly Reading[]; readonly resets: number }>
  /** All were asked, and said `answers`. */
  read(answers: Answers): ReturnType<Mesh['post']>
  /** Runs the source until the test is over. */
  run(t: Test): Mesh
  seriesOf(family: string): readonly Series[]
}

export function createMesh({ create, targets = [], answers = {}, before }: MeshParts): Mesh {
  const clock = before?.clock ?? createHandClock()
  const log = createKeptLog()
  const said = new Map(Object.entries(answers))
  const { settled, ...http } = httpOf(said)
  const source = create(
    { open: async () => http, targets: typeof targets === 'function' ? targets : () => targets, intervalMs: INTERVAL_MS },
    { clock, log },
  )
  const { name, families } = source
  const totals = before?.totals ?? createTotals({ idleMs: 3_600_000, families }, { clock })
  source.resume?.(totals.marksOf(name), totals.readMsOf(name))
  const over = new AbortController()

  const say = (now: Answers): void => {
    for (const [target, answer] of Object.entries(now)) said.set(target, answer)
  }

  async function pass(ms = INTERVAL_MS): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      clock.advance(TICK_MS)
      await new Promise((resolve) => setImmediate(resolve))
      await settled()
    }
  }

  async function post(): ReturnType<Mesh['post']> {
    const atMs = clock.now()
    const { readings } = await source.read(over.signal)
    const events = readings.filter((reading) => reading.kind === 'event')
    const marks = readings.filter((reading) => reading.kind === 'mark')
    const entries = readings.flatMap((reading): TotalEntry[] => (reading.kind === 'total' ? [{ ...reading, whose: 'certain' }] : []))
    totals.count(name, { events, marks })
    return { readings, resets: totals.post(name, entries, atMs) }
  }

  const mesh: Mesh = {
    source,
    clock,
    log,
    totals,
    say,
    pass,
    post,
    async read(now) {
      say(now)
      await pass()
      return post()
    },
    run(t) {
      t.teardown(() => over.abort(new Error('over')))
      source.run?.(over.signal).catch(() => undefined)
      return mesh
    },
    seriesOf: (wanted) => [...(totals.families({ zeroFirst: false }).find(({ family }) => family.name === wanted)?.series ?? [])],
  }
  return mesh
}

/** `settled`: all that were answered have been read to their end. */
function httpOf(said: ReadonlyMap<string, string | Error | undefined>): HttpGet & { settled(): Promise<unknown> } {
  const reading = new Set<Promise<unknown>>()
  const answerOf = async (url: string): Promise<string> => {
    const answer = said.get(new URL(url).host)
    if (answer instanceof Error) throw answer
    return answer ?? new Promise(() => undefined)
  }
  return {
    async read(url, read) {
      const all = read(piecesOf(await answerOf(url)))
      reading.add(all)
      return all.finally(() => reading.delete(all))
    },
    leave: () => undefined,
    close: async () => undefined,
    settled: () => Promise.allSettled(reading),
  }
}

export async function* piecesOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += PIECE) yield text.slice(at, at + PIECE)
}
