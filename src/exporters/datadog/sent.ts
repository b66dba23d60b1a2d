// The series that are sent, each with one id for as long as it is, in this process and the ones after it.
import type { SentSeries, State } from './state.js'

export interface Sent {
  /** `key`: what it is sent of. `fresh`: those that the state does not have yet. */
  of(key: string, parts: SentParts): SentSeries
  prune(used: ReadonlySet<number>): void
}

interface SentParts {
  readonly state: State
  readonly fresh: Map<number, SentSeries>
  readonly make: () => Omit<SentSeries, 'id'>
}

export function createSent(): Sent {
  /** So that a text is made once. */
  const byKey = new Map<string, SentSeries>()
  let byText: Map<string, SentSeries> | undefined

  return {
    of(key, { state, fresh, make }) {
      // One that could not be written has no place among the others.
      const isThere = (one: SentSeries | undefined): one is SentSeries =>
        one !== undefined && (state.series.has(one.id) || fresh.has(one.id))
      const known = byKey.get(key)
      if (isThere(known)) return known
      byText ??= new Map([...state.series.values()].map((one) => [one.text, one]))
      const { metric, kind, text } = make()
      const before = byText.get(text)
      const one = isThere(before) ? before : { id: state.nextId++, metric, kind, text }
      if (one !== before) fresh.set(one.id, one)
      byText.set(text, one)
      byKey.set(key, one)
      return one
    },
    prune(used) {
      for (const [key, { id }] of byKey) if (!used.has(id)) byKey.delete(key)
      for (const [text, { id }] of byText ?? []) if (!used.has(id)) byText?.delete(text)
    },
  }
}
