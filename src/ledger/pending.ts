// When what waits came: noted at each reading, and recalled after a restart.
import type { PairColumn } from '../model/flows.js'
import type { Stretch } from '../model.js'
import type { Generations } from './generations.js'
import type { Moves } from './moves.js'
import type { Route } from './routes.js'
import type { Arrivals, Waited } from './waited.js'

/** Of the process before. */
export type CameThen = (waiting: PairColumn) => AsyncGenerator<Arrivals>

export interface Pending {
  /** After a reading: what is pending of it came in this time; undefined where that is not known. */
  note(stretch: Stretch | undefined, pause: () => Promise<void>): Promise<void>
  /** What had waited in the process before, where that is known; all else of it came in `rest`. Both ends of a pair may be others since. */
  recall(cameThen: CameThen, rest: Stretch, pause: () => Promise<void>): Promise<void>
}

interface Parts extends Pick<Moves, 'marks'> {
  readonly waited: Waited
  readonly generations: Pick<Generations, 'seenOf'>
  /** Of each pair. */
  readonly routes: () => readonly (Route | undefined)[]
}

const PAIRS_BETWEEN_PAUSES = 256

export function createPending({ waited, generations, marks, routes }: Parts): Pending {
  const knownOf = (pair: number) => ({ seen: generations.seenOf(pair), booked: marks.get(pair)?.seen ?? 0 })

  async function ofPairs(pause: () => Promise<void>, use: (pair: number) => void): Promise<void> {
    const all = routes()
    for (let pair = 0; pair < all.length; pair++) {
      if (pair % PAIRS_BETWEEN_PAUSES === 0) await pause()
      if (all[pair]?.book === 'pending') use(pair)
    }
  }

  const note: Pending['note'] = (stretch, pause) => ofPairs(pause, (pair) => waited.note(pair, stretch, knownOf(pair)))

  async function recall(cameThen: CameThen, rest: Stretch, pause: () => Promise<void>): Promise<void> {
    const waiting: number[] = []
    await ofPairs(pause, (pair) => void waiting.push(pair))
    for await (const { fromMs, toMs, column } of cameThen(columnOf(waiting))) {
      const stretch = { fromMs, toMs }
      for (let row = 0; row < column.count; row++) {
        if (row % PAIRS_BETWEEN_PAUSES === 0) await pause()
        const pair = column.pair[row] as number
        waited.recall(pair, stretch, { came: column.bytes[row] as number, ...knownOf(pair) })
      }
    }
    await note(rest, pause)
    await ofPairs(pause, (pair) => waited.turn(pair, true))
  }

  return { note, recall }
}

const columnOf = (pairs: readonly number[]): PairColumn => ({
  count: pairs.length,
  pair: Int32Array.from(pairs),
  bytes: new Float64Array(pairs.length),
})
