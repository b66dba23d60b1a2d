// The state file of the totals of others (totals.ts): what each counter said last, and what the accounts add up to. Tables of rows that begin
// with their id: a later row replaces an earlier one, and an id alone says that it is gone.
//   5f9c0e31 {"head":{"version":1}}
//   77a0b2c4 {"sums":[[1,4096],[2,120]]}
//   ...
//   0c4f77aa {"end":true}                                 the checkpoint is whole
//   91d2e6ab {"batch":{"sums":[[1,4196]],"lasts":[[7,900]]}}    one line per reading
import type { Labels, TotalReading } from '../../model.js'
import { type Pause, readLines, renderLine, slices } from '../../state/lines.js'
import type { ParsedFile, StateFormat } from '../../state/state-files.js'

export const VERSION = 1

/** Each row begins with its id. */
export interface TotalsTables {
  /** Source, and when its last successful read began. */
  readonly reads: readonly [string, number]
  /** Id, source, family, labels, since when in ms, and of which part of a histogram. */
  readonly accounts: readonly [number, string, string, Labels, number, string?]
  /** Account, total. */
  readonly sums: readonly [number, number]
  /** Id, source, name. */
  readonly targets: readonly [number, string, string]
  /** Id, target, name within it, when it began in ms. */
  readonly series: readonly [number, number, string, number | null]
  /** Series, its last value. */
  readonly lasts: readonly [number, number]
  /** Series, what of it waits for its owner, whose that is if nobody says, and of which part of a histogram. */
  readonly held: readonly [number, number, string, Labels, string?]
  /** Source and name, each of the two, and how far the source has read. */
  readonly marks: readonly [string, string, string, string]
}

export type Table = keyof TotalsTables
type Gone = readonly [number | string]
type Rows<T extends Table> = Iterable<TotalsTables[T] | Gone>

/** What is to be written. */
export type TotalsRows = { readonly [T in Table]?: Rows<T> }
/** What was read. */
export type TotalsState = { readonly [T in Table]: Map<number | string, TotalsTables[T]> }

type Line = { readonly head: { readonly version: number } } | { readonly batch: TotalsRows } | ({ readonly end?: true } & TotalsRows)

const TABLES: readonly Table[] = ['reads', 'accounts', 'sums', 'targets', 'series', 'lasts', 'held', 'marks']

export function* renderTotals(rows: TotalsRows): Generator<string> {
  yield renderLine({ head: { version: VERSION } })
  for (const table of TABLES) for (const slice of slices<unknown>(rows[table] ?? [])) yield renderLine({ [table]: slice })
  yield renderLine({ end: true })
}

export function renderTotalsBatch(rows: TotalsRows): string {
  const full = TABLES.map((table) => [table, [...(rows[table] ?? [])]] as const).filter(([, found]) => found.length > 0)
  return renderLine({ batch: Object.fromEntries(full) })
}

export const TOTALS_STATE: StateFormat<TotalsState> = {
  file: 'totals.journal',
  version: VERSION,
  parse: parseTotals,
  // What it lacks was served: to go on from it, totals would fall.
  resumed: () => undefined,
}

async function parseTotals(file: Buffer, pause: Pause): Promise<ParsedFile<TotalsState>> {
  const state = Object.fromEntries(TABLES.map((table) => [table, new Map()])) as unknown as TotalsState
  let version = 0
  let isWhole = false
  const hear = (line: Line): boolean => {
    if ('head' in line) version = line.head.version
    else apply(state, 'batch' in line ? line.batch : line)
    if ('end' in line) isWhole = true
    return version === VERSION
  }
  const { isSound, tornBytes } = await readLines(file, hear, pause)
  return { state: isSound && isWhole ? state : undefined, tornBytes, version }
}

function apply(state: TotalsState, rows: TotalsRows): void {
  for (const table of TABLES) {
    const known: Map<number | string, unknown> = state[table]
    for (const row of rows[table] ?? []) {
      if (row.length === 1) known.delete(row[0])
      else known.set(row[0], row)
    }
  }
}

/** As a row has it: infinity is no number in JSON. */
export const parsePart = (text: string | undefined): TotalReading['part'] => (text === undefined || text === 'sum' ? text : Number(text))
