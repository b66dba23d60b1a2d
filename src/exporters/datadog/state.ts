// The state file of what Datadog is sent: how far each total was taken, the windows that wait, and the batch that is under way. All of it is
// what these lines come to; a line is written before anything that follows from it is done.
//   5f9c0e31 {"head":{"version":1,...}}
//   77a0b2c4 {"marks":[["q1W...",4096,1763688000123]]}         a total, taken up to 4096
//   1c0de55a {"series":[[7,"meshtoll.flow.bytes","bytes","..."]]}
//   e1f2aa01 {"rows":[[7,4096]]}                                a point of the window
//   0c4f77aa {"took":{"fromMs":...,"toMs":...}}                 all of it since the last such line, or none
//   91d2e6ab {"batch":{"windows":1,"stamp":1763688030,"interval":30}}
//   be019f00 {"accepted":1}
import { type Pause, readLines, renderLine, slices } from '../../state/lines.js'
import type { ParsedFile, StateFormat } from '../../state/state-files.js'
import { createMarks, type Marks } from './marks.js'
import { createSeriesBook, type Kind, piecesOf, type SeriesBook } from './series.js'
import { createGrowing, type Growing, type Points, sumOf } from './windows.js'

const VERSION = 1
/** Few: where a collection meets a hundred of a kind that all live, V8 takes the next ones for long-lived, and keeps what is garbage at once. */
export const ROWS_PER_LINE = 64

export interface Window extends Points {
  readonly fromMs: number
  readonly toMs: number
  /** When that was, by the clock that never jumps; absent where it is not known, and in what an earlier version wrote. */
  readonly began?: Steady | undefined
}

/** Of which boot, and how long after it. */
export type Steady = readonly [bootId: string, ms: number]

/** Ever since it is written, resent unchanged only. */
export interface Batch extends Window {
  /** Seconds since 1970, of all its points. */
  readonly stamp: number
  /** In seconds. */
  readonly interval: number
  /** So many points from the first one on are settled. */
  done: number
}

/** `NAME`, or `NAME METRIC` for bytes. */
export type Totals = Map<string, number>

export interface State {
  /** False until the first window was taken: what totals come to by then is not news. */
  hasBegun: boolean
  lastStamp: number
  takenMs: number
  /** When that was; as `Window.began`. */
  taken?: Steady | undefined
  nextId: number
  readonly marks: Marks
  /** Names of the labels that a family's marks are by, joined; by its key. */
  readonly labels: Map<string, string>
  series: SeriesBook
  /** Never attempted; oldest first. */
  windows: Window[]
  batch: Batch | undefined
  readonly totals: Totals
  /** Of the window that is being read. */
  draft: Growing
}

export interface Took extends Pick<Window, 'fromMs' | 'toMs' | 'began'> {
  readonly ended?: Steady | undefined
}

type Head = Pick<State, 'hasBegun' | 'lastStamp' | 'takenMs' | 'taken' | 'nextId'>
type MarkRow = readonly [key: string, value: number, sinceMs: number]
type SeriesRow = readonly [id: number, metric: string, kind: Kind, text: string]
type Row = readonly [id: number, value: number]

export type Line =
  | { readonly head: { readonly version: number } & Head }
  | { readonly marks: readonly MarkRow[] }
  | { readonly gone: readonly string[] }
  | { readonly labels: readonly (readonly [family: string, names: string])[] }
  | { readonly series: readonly SeriesRow[] }
  /** Ascending. */
  | { readonly rows: readonly Row[] }
  | { readonly took: Took }
  /** The first windows, added together. */
  | { readonly batch: { readonly windows: number; readonly stamp: number; readonly interval: number } }
  | { readonly accepted: number }
  /** By the intake, for good. */
  | { readonly refused: number }
  /** Bytes by metric that came while nothing could be written, and there was no room for. */
  | { readonly lost: readonly (readonly [metric: string, bytes: number])[] }
  /** Nobody can say whether the intake has it. */
  | { readonly expired: true }
  /** The intake surely has nothing of it. */
  | { readonly returned: true }
  /** This window and the one after it. */
  | { readonly joined: number }
  | { readonly totals: readonly (readonly [string, number])[] }
  | { readonly done: number }
  | { readonly end: true }

export const createState = (): State => ({
  hasBegun: false,
  lastStamp: 0,
  takenMs: 0,
  nextId: 1,
  marks: createMarks(),
  labels: new Map(),
  series: createSeriesBook(),
  windows: [],
  batch: undefined,
  totals: new Map(),
  draft: createGrowing(),
})

export function apply(state: State, line: Line): void {
  if ('marks' in line) for (const [key, value, sinceMs] of line.marks) state.marks.set(key, { value, sinceMs })
  else if ('gone' in line) for (const key of line.gone) state.marks.delete(key)
  else if ('series' in line) for (const row of line.series) applySeries(state, row)
  else if ('rows' in line) for (const [id, value] of line.rows) state.draft.add(id, value)
  else applyOther(state, line)
}

function applyOther(state: State, line: Line): void {
  if ('took' in line) applyTook(state, line.took)
  else if ('labels' in line) for (const [family, names] of line.labels) state.labels.set(family, names)
  else if ('lost' in line) for (const [metric, bytes] of line.lost) addTotal(state, `uncertain ${metric}`, bytes)
  else if ('totals' in line) for (const [name, value] of line.totals) state.totals.set(name, value)
  else if ('head' in line) applyHead(state, line.head)
  else applyDelivery(state, line)
}

function applyHead(state: State, { hasBegun, lastStamp, takenMs, taken, nextId }: Head): void {
  Object.assign(state, { hasBegun, lastStamp, takenMs, taken, nextId })
}

function applySeries(state: State, [id, metric, kind, text]: SeriesRow): void {
  state.series.add({ id, metric, kind }, state.series.numbersOf(piecesOf(text)))
  state.nextId = Math.max(state.nextId, id + 1)
}

function applyTook(state: State, { ended, ...times }: Took): void {
  const { ids, values } = state.draft.points()
  if (ids.length > 0) state.windows.push({ ...times, ids, values })
  state.draft = createGrowing()
  state.takenMs = times.toMs
  state.taken = ended
  state.hasBegun = true
}

function applyDelivery(state: State, line: Line): void {
  if ('batch' in line) {
    const { windows, stamp, interval } = line.batch
    const whole = state.windows.splice(0, windows).reduce((one, next) => sumOf(one, next, state))
    state.batch = { ...whole, stamp, interval, done: 0 }
    state.lastStamp = stamp
  } else if ('joined' in line) {
    const [one, next] = state.windows.slice(line.joined)
    if (one && next) state.windows.splice(line.joined, 2, sumOf(one, next, state))
  } else if (state.batch) applyBatch(state, state.batch, line)
}

function applyBatch(state: State, batch: Batch, line: Line): void {
  const { ids, values } = batch
  if ('done' in line) batch.done = line.done
  if ('accepted' in line) settle(state, batch, { name: 'accepted', to: line.accepted })
  if ('refused' in line) settle(state, batch, { name: 'refused', to: line.refused })
  if ('expired' in line) settle(state, batch, { name: 'uncertain', to: ids.length })
  if ('returned' in line) state.windows.unshift({ ...timesOf(batch), ids: ids.slice(batch.done), values: values.slice(batch.done) })
  if ('returned' in line || batch.done === ids.length) state.batch = undefined
}

interface Settled {
  readonly name: 'accepted' | 'refused' | 'uncertain'
  readonly to: number
}

const addTotal = ({ totals }: State, name: string, amount: number): void => void totals.set(name, (totals.get(name) ?? 0) + amount)

function settle(state: State, batch: Batch, { name, to }: Settled): void {
  addTotal(state, name, to - batch.done)
  if (name !== 'accepted')
    for (let at = batch.done; at < to; at++) {
      const one = state.series.get(batch.ids[at] as number)
      if (one?.kind === 'bytes') addTotal(state, `${name} ${one.metric}`, batch.values[at] as number)
    }
  batch.done = to
}

export function* renderState(state: State): Generator<string> {
  const { hasBegun, lastStamp, takenMs, taken, nextId, batch } = state
  yield renderLine({ head: { version: VERSION, hasBegun, lastStamp, takenMs, taken, nextId } })
  yield renderLine({ labels: [...state.labels] })
  for (const slice of slices(state.marks, ROWS_PER_LINE)) yield renderLine({ marks: slice })
  for (const slice of slices(state.series, ROWS_PER_LINE))
    yield renderLine({ series: slice.map(({ id, metric, kind, text }) => [id, metric, kind, text]) })
  if (batch) {
    yield* renderWindow(batch)
    yield renderLine({ batch: { windows: 1, stamp: batch.stamp, interval: batch.interval } })
    yield renderLine({ done: batch.done })
  }
  for (const window of state.windows) yield* renderWindow(window)
  yield renderLine({ totals: [...state.totals] })
  // As it was before the windows that it still has.
  yield renderLine({ head: { version: VERSION, hasBegun, lastStamp, takenMs, taken, nextId } })
  yield renderLine({ end: true })
}

function* renderWindow(window: Window): Generator<string> {
  const { ids, values } = window
  for (const slice of slices(ids.keys(), ROWS_PER_LINE)) yield renderLine({ rows: slice.map((at) => [ids[at], values[at]]) })
  yield renderLine({ took: timesOf(window) })
}

const timesOf = ({ fromMs, toMs, began }: Window): Took => ({ fromMs, toMs, ...(began && { began }) })

export const DATADOG_STATE: StateFormat<State> = {
  file: 'datadog.journal',
  version: VERSION,
  otherwise: 'nothing is sent to Datadog until it can be',
  parse: parseState,
  // Nothing was done that it does not say.
  resumed: (state) => state,
}

/** Of a window, lines count with its last one only. */
const isOfWindow = (line: Line): boolean =>
  'marks' in line || 'gone' in line || 'labels' in line || 'series' in line || 'rows' in line || 'lost' in line

async function parseState(file: Buffer, pause: Pause): Promise<ParsedFile<State>> {
  const state = createState()
  let waiting: Line[] = []
  let version = 0
  let isWhole = false
  const hear = async (line: Line): Promise<boolean> => {
    if ('head' in line) version = line.head.version
    if (version !== VERSION) return false
    if (isWhole && isOfWindow(line)) waiting.push(line)
    else {
      for (const one of waiting) {
        apply(state, one)
        await pause()
      }
      waiting = []
      apply(state, line)
    }
    if ('end' in line) isWhole = true
    return true
  }
  const { isSound, tornBytes } = await readLines(file, hear, pause)
  return { state: isSound && isWhole ? state : undefined, tornBytes, version }
}
