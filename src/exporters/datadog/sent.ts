// The series that are sent, each with one id for as long as it is, in this process and the ones after it.
import type { Pieces, SentSeries, SeriesBook } from './series.js'
import type { State } from './state.js'
import type { Target } from './targets.js'

export interface Sent {
  /** `target`, `name`: what it is sent of. `fresh`: those that the state does not have yet. */
  idOf(of: { readonly target: Target; readonly name: string }, parts: SentParts): number
  /** Of series that are not in the state any more. One step for each. */
  forget(series: SeriesBook): Generator<void>
}

interface SentParts {
  readonly state: Pick<State, 'series' | 'nextId'>
  readonly fresh: SeriesBook
  readonly make: () => Omit<SentSeries, 'id' | 'text'> & { readonly pieces: Pieces }
}

export function createSent(): Sent {
  /** So that its pieces are looked up once. Of most there is one for each target, which keeps it itself. */
  const byKey = new Map<string, number>()

  return {
    idOf({ target, name }, { state, fresh, make }) {
      const key = name === '' ? '' : `${target.key} ${name}`
      const known = name === '' ? target.sentAs : byKey.get(key)
      // One that could not be written has no place among the others.
      if (known !== undefined && (state.series.has(known) || fresh.has(known))) return known
      const { metric, kind, pieces } = make()
      const numbers = fresh.numbersOf(pieces)
      const id = state.series.find(numbers) ?? fresh.find(numbers) ?? state.nextId++
      if (!state.series.has(id)) fresh.add({ id, metric, kind }, numbers)
      if (name === '') target.sentAs = id
      else byKey.set(key, id)
      return id
    },
    *forget(series) {
      for (const [key, id] of byKey) {
        if (!series.has(id)) byKey.delete(key)
        yield
      }
    },
  }
}
