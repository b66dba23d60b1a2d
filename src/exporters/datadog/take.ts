// Takes a window out of the running totals: lines for the journal, a few hundred rows each.

import type { FamilySnapshot, Series } from '../../model.js'
import type { Pauses } from '../../pauses.js'
import { slices } from '../../state/lines.js'
import { createBudget } from './budget.js'
import { createKeys, familyIn, type Origin } from './deltas.js'
import { pointsOf, renderHead } from './points.js'
import { createSent } from './sent.js'
import type { Line, SentSeries, State } from './state.js'
import { createTags } from './tags.js'
import { createGathering, type Gathering, gather } from './targets.js'

export interface Group {
  readonly families: readonly FamilySnapshot[]
  readonly origin: Origin
}

export interface TakeOptions {
  readonly tags: readonly string[]
  readonly excludeLabels: readonly string[]
  readonly maxSeries: number
  /** When this process began: totals that began later are new, whoever has not seen them. */
  readonly startedMs: number
}

export interface Taken {
  readonly nowMs: number
  /** Of this node, as Datadog calls it. */
  readonly host: string
  readonly gathering: Gathering
}

export interface Taker {
  /** While nothing changes. */
  gather(state: State, groups: readonly Group[]): Promise<Gathering>
  lines(state: State, taken: Taken): AsyncGenerator<Line>
  /** Series that nothing refers to, and that were not in the last window, go. */
  prune(state: State): void
  /** Of the last window. */
  readonly last: { readonly series: number; readonly folded: number }
}

export function createTaker({ tags: constant, excludeLabels, maxSeries, startedMs }: TakeOptions, pauses: Pauses): Taker {
  const keys = createKeys()
  const tags = createTags(constant)
  const budget = createBudget(maxSeries)
  const sent = createSent()
  let current: ReadonlySet<number> = new Set()
  let folded = 0

  async function goneFrom({ marks }: State, { seen, served }: Gathering): Promise<string[]> {
    const gone: string[] = []
    for (const key of marks.keys()) {
      // A family that is not served may come back as it was.
      if (served.has(familyIn(key)) && !seen.has(key)) gone.push(key)
      await pauses.pause()
    }
    return gone
  }

  return {
    async gather(state, groups) {
      const gathering = createGathering()
      const isNews = ({ sinceMs }: Series): boolean => state.hasBegun || (sinceMs !== undefined && sinceMs >= startedMs)
      for (const group of groups) await pauses.through(gather(gathering, group, { keys, marks: state.marks, excludeLabels, isNews }))
      return gathering
    },
    async *lines(state, { nowMs, host, gathering }) {
      const gone = await goneFrom(state, gathering)
      const fitted = await pauses.through(budget.fit(gathering.targets, nowMs))
      const values = new Map<number, number>()
      const fresh = new Map<number, SentSeries>()
      for (const target of fitted.targets.values()) {
        for (const point of pointsOf(target)) {
          const make = () => ({ ...point, text: renderHead(point, { host, tags: tags.of(target.labels) }) })
          const { id } = sent.of(`${point.name} ${target.key}`, { state, fresh, make })
          values.set(id, point.value)
        }
        await pauses.pause()
      }
      current = new Set(values.keys())
      folded = fitted.folded
      for (const slice of slices(gathering.marks)) yield { marks: slice.map(([key, { value, sinceMs }]) => [key, value, sinceMs] as const) }
      for (const slice of slices(gone)) yield { gone: slice }
      for (const slice of slices(fresh.values()))
        yield { series: slice.map(({ id, metric, kind, text }) => [id, metric, kind, text] as const) }
      for (const slice of slices(inOrder(values, [...state.series.keys(), ...fresh.keys()]))) yield { rows: slice }
      yield { took: { fromMs: state.hasBegun ? state.takenMs : startedMs, toMs: nowMs } }
    },
    prune(state) {
      const used = new Set([...current, ...(state.batch?.ids ?? [])])
      for (const { ids } of state.windows) for (const id of ids) used.add(id)
      for (const id of state.series.keys()) if (!used.has(id)) state.series.delete(id)
      sent.prune(used)
    },
    get last() {
      return { series: current.size, folded }
    },
  }
}

/** By the ids of their series. */
function* inOrder(values: ReadonlyMap<number, number>, ids: Iterable<number>): Generator<readonly [number, number]> {
  for (const id of ids) {
    const value = values.get(id)
    if (value !== undefined) yield [id, value]
  }
}
