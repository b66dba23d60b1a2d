// Takes a window out of the running totals: lines for the journal, a few hundred rows each.
import type { FamilySnapshot, Series } from '../../model.js'
import type { Pauses } from '../../pauses.js'
import { createBudget } from './budget.js'
import { familyIn, type Origin } from './deltas.js'
import { createDraft, type Draft } from './draft.js'
import { createHeld } from './held.js'
import { createHeads, pointsOf } from './points.js'
import { createSent } from './sent.js'
import type { SeriesBook } from './series.js'
import type { State, Steady } from './state.js'
import type { Lines } from './store.js'
import { createTags } from './tags.js'
import { createTargets, type Gathering, type Target } from './targets.js'
import { createWindowLines } from './window-lines.js'
import type { Points } from './windows.js'

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
  /** By the clock that never jumps; undefined where that is not known. */
  readonly steady?: Steady | undefined
  /** Of this node, as Datadog calls it. */
  readonly host: string
  readonly gathering: Gathering
}

export interface Taker {
  /** While nothing changes. */
  gather(state: State, groups: readonly Group[]): Promise<Gathering>
  window(state: State, taken: Taken): Promise<Lines>
  /** Whether the last window was written. */
  settle(isWritten: boolean, gathering: Gathering): Promise<void>
  /** Series that nothing refers to, and that were not in the last window, go. */
  prune(state: State): Promise<void>
  /** Of the last window. */
  readonly last: { readonly series: number; readonly folded: number }
}

export function createTaker({ tags: constant, excludeLabels, maxSeries, startedMs }: TakeOptions, pauses: Pauses): Taker {
  const targets = createTargets({ excludeLabels })
  const tags = createTags(constant)
  const heads = createHeads()
  const budget = createBudget(maxSeries)
  const sent = createSent()
  const held = createHeld()
  let current: Points['ids'] = new Float64Array()
  let folded = 0

  async function goneFrom({ marks }: State, { seen, served }: Gathering): Promise<string[]> {
    const gone: string[] = []
    for (const key of marks.keys()) {
      // A family that is not served may come back as it was.
      if (seen[marks.placeOf(key) as number] !== 1 && served.has(familyIn(key))) gone.push(key)
      await pauses.pause()
    }
    return gone
  }

  function* put(
    draft: Draft,
    state: State,
    { host, targets }: { readonly host: string; readonly targets: Iterable<Target> },
  ): Generator<void> {
    for (const target of targets) {
      for (const point of pointsOf(target)) {
        const make = () => ({ ...point, pieces: heads.of(point, { host, tags: tags.of(target.labels) }) })
        draft.put(sent.idOf({ target, name: point.name }, { state, fresh: draft.fresh, make }), point.value, point.kind)
      }
      yield
    }
  }

  return {
    async gather(state, groups) {
      const { marks, labels } = state
      const gathering = targets.begin(marks)
      held.begin()
      const isBorn = ({ sinceMs }: Series): boolean => sinceMs !== undefined && sinceMs >= startedMs
      const isNews = (series: Series): boolean => state.hasBegun || isBorn(series)
      for (const group of groups) await pauses.through(targets.gather(gathering, group, { marks, labels, isNews, isBorn, held }))
      await pauses.through(targets.gatherUnseen(gathering, held))
      return gathering
    },
    async window(state, { nowMs, steady, host, gathering }) {
      const gone = await goneFrom(state, gathering)
      const fitted = await pauses.through(budget.fit(gathering.targets, nowMs))
      const draft = createDraft(state.series)
      await pauses.through(put(draft, state, { host, targets: fitted.targets }))
      const points = draft.points()
      current = points.ids
      folded = fitted.folded
      const took = { fromMs: state.hasBegun ? state.takenMs : startedMs, toMs: nowMs, began: state.taken, ended: steady }
      return createWindowLines({ ...gathering, gone, fresh: draft.fresh, points, lost: held.lost, took })
    },
    async settle(isWritten, { moved }) {
      if (isWritten) held.release()
      else await pauses.through(held.hold(moved))
    },
    async prune(state) {
      // Those that have no name of their own are sent in a series that goes on.
      await pauses.through(targets.forget())
      const isUsed = new Uint8Array(state.series.size)
      for (const { ids } of [{ ids: current }, ...(state.batch ? [state.batch] : []), ...state.windows])
        await pauses.through(setAll(isUsed, ids, state.series))
      if (isUsed.every((one) => one === 1)) return
      state.series = await pauses.through(state.series.only((row) => isUsed[row] === 1))
      await pauses.through(sent.forget(state.series))
    },
    get last() {
      return { series: current.length, folded }
    },
  }
}

function* setAll(column: Uint8Array, ids: Points['ids'], series: SeriesBook): Generator<void> {
  for (const id of ids) {
    const row = series.rowOf(id)
    if (row !== undefined) column[row] = 1
    yield
  }
}
