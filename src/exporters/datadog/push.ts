// Pushes what is counted to Datadog: at each flush what came since the last one is taken, written down, and sent.
import { setMaxListeners } from 'node:events'
import type { Clock, Log } from '../../deps.js'
import type { FamilySnapshot, Series } from '../../model.js'
import { createPauses } from '../../pauses.js'
import type { JournalFile } from '../../state/journal-file.js'
import { createDelivery, type DeliveryParts } from './delivery.js'
import { DATADOG } from './families.js'
import type { State } from './state.js'
import { createStore } from './store.js'
import { createTaker, type Group, type TakeOptions } from './take.js'
import { ageOf, joinable, steadyNow } from './windows.js'

export interface PushOptions extends TakeOptions {
  readonly flushIntervalMs: number
  /** Points of windows that wait, beyond which two of them become one. */
  readonly maxWaiting?: number
}

export interface PushParts extends Omit<DeliveryParts, 'store'> {
  readonly file: JournalFile<State>
  /** As Datadog calls this node; undefined while that is not known. */
  readonly host: () => string | undefined
  /** Nothing changes until what `use` returns has settled. */
  readonly withGroups: <T>(use: (groups: readonly Group[]) => Promise<T>) => Promise<T>
}

export interface Push {
  /** Goes on from what the process before has written. Rejects with StateUnreadable. */
  load(): Promise<void>
  /** Until aborted. The first window is taken at once. */
  run(signal: AbortSignal): Promise<void>
  /** Takes a last window, and tries to send what waits until aborted. */
  finish(signal: AbortSignal): Promise<void>
  families(): readonly FamilySnapshot[]
  readonly writable: boolean
}

/** A window of all but the largest nodes, for most of an hour. */
const MAX_WAITING = 200_000

export function createPush(parts: PushParts, options: PushOptions, deps: { readonly clock: Clock; readonly log: Log }): Push {
  const { clock, log } = deps
  const { flushIntervalMs, maxSeries, maxWaiting = MAX_WAITING } = options
  const pauses = createPauses(clock)
  const taker = createTaker(options, pauses)
  const store = createStore({ file: parts.file, prune: taker.prune, pauses })
  const delivery = createDelivery({ ...parts, store }, deps)

  async function take(): Promise<void> {
    const host = parts.host()
    if (host === undefined) return
    const gathering = await parts.withGroups((groups) => taker.gather(store.state, groups))
    const isWritten = await store.commit((state) => taker.window(state, { nowMs: clock.now(), steady: steadyNow(clock), host, gathering }))
    await taker.settle(isWritten, gathering)
    await store.commit(({ windows }) => {
      const at = joinable(windows, maxWaiting)
      return at === undefined ? [] : [{ joined: at }]
    })
    delivery.wake()
  }

  /** Nothing is lost where it cannot be taken: it is in the next window. */
  const tryToTake = (signal: AbortSignal): Promise<void> =>
    take().catch((error: unknown) => {
      if (!signal.aborted)
        log.warn('a window for Datadog cannot be taken', { error: error instanceof Error ? error.message : String(error) })
    })

  async function takeAgainAndAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await tryToTake(signal)
      await clock.sleep(flushIntervalMs, signal).catch(() => undefined)
    }
  }

  return {
    load: store.load,
    async run(signal) {
      setMaxListeners(0, signal)
      await Promise.all([takeAgainAndAgain(signal), delivery.run(signal)])
    },
    async finish(signal) {
      await tryToTake(signal)
      await delivery.flush(signal)
    },
    families() {
      const { state } = store
      const { series, folded } = taker.last
      const total = (name: string): number => state.totals.get(name) ?? 0
      const oldest = state.batch ?? state.windows[0]
      const one = (value: number): readonly Series[] => [{ labels: {}, value }]
      return [
        { family: DATADOG.accepted, series: one(total('accepted')) },
        { family: DATADOG.refused, series: one(total('refused')) },
        { family: DATADOG.uncertain, series: one(total('uncertain')) },
        { family: DATADOG.refusedBytes, series: byMetric(state, 'refused') },
        { family: DATADOG.uncertainBytes, series: byMetric(state, 'uncertain') },
        { family: DATADOG.behind, series: one(oldest ? ageOf(oldest, clock) / 1000 : 0) },
        { family: DATADOG.waiting, series: one(state.windows.length + (state.batch ? 1 : 0)) },
        { family: DATADOG.series, series: one(series) },
        { family: DATADOG.limit, series: one(maxSeries) },
        { family: DATADOG.folded, series: one(folded) },
      ]
    },
    get writable() {
      return store.writable
    },
  }
}

function byMetric({ totals }: State, name: string): readonly Series[] {
  return [...totals].flatMap(([total, value]) => {
    const [of, metric] = total.split(' ')
    return of === name && metric !== undefined ? [{ labels: { metric }, value }] : []
  })
}
