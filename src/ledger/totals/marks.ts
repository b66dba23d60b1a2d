// How far sources have read what they do not read twice. Written down together with what they counted there: so nothing is counted twice, and
// what was not served yet is read again.
import type { Changes } from './changes.js'
import type { TotalsState, TotalsTables } from './state.js'

export interface Marks {
  /** Undefined: there is nothing more to be read. */
  put(source: string, name: string, value: string | undefined): void
  of(source: string): ReadonlyMap<string, string>
  restore(state: Pick<TotalsState, 'marks'>): void
  rows(): Iterable<TotalsTables['marks']>
}

export function createMarks(changes: Changes): Marks {
  const marks = new Map<string, TotalsTables['marks']>()

  return {
    put(source, name, value) {
      const id = JSON.stringify([source, name])
      if (marks.get(id)?.[3] === value) return
      if (value === undefined) {
        marks.delete(id)
        changes.drop('marks', id)
        return
      }
      const row = [id, source, name, value] as const
      marks.set(id, row)
      changes.put('marks', row)
    },
    of: (source) => new Map([...marks.values()].filter(([, by]) => by === source).map(([, , name, value]) => [name, value])),
    restore(state) {
      for (const row of state.marks.values()) marks.set(row[0], row)
    },
    rows: () => marks.values(),
  }
}
