// A window that was taken, as the lines that say it, and as what they come to: the one is written, the other is done with what is at hand still,
// since to make 100,000 texts again, and to take them apart, takes as long as all the rest.
import { slices } from '../../state/lines.js'
import type { SeriesBook } from './series.js'
import { apply, type Line, ROWS_PER_LINE, type State, type Took } from './state.js'
import type { Lines } from './store.js'
import type { Gathering } from './targets.js'
import type { Points } from './windows.js'

export interface Taking extends Pick<Gathering, 'moved' | 'labels'> {
  readonly gone: readonly string[]
  /** Those that the state does not have yet. */
  readonly fresh: SeriesBook
  readonly points: Points
  readonly lost: ReadonlyMap<string, number>
  readonly took: Took
}

export const createWindowLines = (taking: Taking): Lines => ({
  [Symbol.iterator]: () => linesOf(taking),
  applyTo: (state) => applyTo(state, taking),
})

function* linesOf({ moved, labels, gone, fresh, points, lost, took }: Taking): Generator<Line> {
  if (labels.size > 0) yield { labels: [...labels] }
  for (const slice of slices(moved, ROWS_PER_LINE)) yield { marks: slice.map(([key, value, sinceMs]) => [key, value, sinceMs] as const) }
  for (const slice of slices(gone, ROWS_PER_LINE)) yield { gone: slice }
  for (const slice of slices(fresh, ROWS_PER_LINE))
    yield { series: slice.map(({ id, metric, kind, text }) => [id, metric, kind, text] as const) }
  for (const slice of slices(points.ids.keys(), ROWS_PER_LINE))
    yield { rows: slice.map((at) => [points.ids[at] as number, points.values[at] as number] as const) }
  if (lost.size > 0) yield { lost: [...lost] }
  yield { took }
}

function* applyTo(state: State, { moved, labels, gone, fresh, points, lost, took }: Taking): Generator<void> {
  apply(state, { labels: [...labels] })
  for (const [key, value, sinceMs] of moved) {
    state.marks.set(key, { value, sinceMs })
    yield
  }
  for (const key of gone) {
    state.marks.delete(key)
    yield
  }
  yield* state.series.addAll(fresh)
  for (const at of points.ids.keys()) {
    state.draft.add(points.ids[at] as number, points.values[at] as number)
    yield
  }
  apply(state, { lost: [...lost] })
  apply(state, { took })
}
