// What was counted by Service, for so many of them; the rest is folded into _other, so that sums stay exact.
import type { Clock } from '../../deps.js'
import type { FamilySnapshot, Labels, Series } from '../../model.js'
import { ENDPOINTS } from '../families.js'

export const CHANGES = ['added', 'removed', 'ready', 'unready'] as const
export type Change = (typeof CHANGES)[number]

export interface Tally {
  /** `service`: `namespace/name`. */
  changed(service: string, change: Change): void
  restarted(service: string, reason: string, times: number): void
  /** Withdraws what was not counted for long, of Services that are gone: theirs is the room that others need. */
  withdraw(isGone: (service: string) => boolean): void
  /** `zeroFirst`: new series are 0 for a while. */
  families(options?: { readonly zeroFirst?: boolean }): readonly FamilySnapshot[]
}

export interface TallyOptions {
  /** Services that are kept apart. */
  readonly limit: number
  readonly idleMs: number
  /** New series are 0 for this long. */
  readonly zeroFirstMs: number
}

interface Cell {
  value: number
  readonly openedMs: number
  /** The same by the clock that may jump. */
  readonly sinceMs: number
}

interface Shown {
  readonly cells: ReadonlyMap<string, Cell>
  readonly zeroFirst: boolean
}

/** By `change`, and by `reason`. */
interface Row {
  readonly changes: Map<string, Cell>
  readonly restarts: Map<string, Cell>
  countedMs: number
}

const OTHER = '_other/_other'

export function createTally({ limit, idleMs, zeroFirstMs }: TallyOptions, { now, monotonic }: Pick<Clock, 'now' | 'monotonic'>): Tally {
  const rows = new Map<string, Row>()

  function open(service: string): Row {
    const row = { changes: new Map<string, Cell>(), restarts: new Map<string, Cell>(), countedMs: monotonic() }
    rows.set(service, row)
    return row
  }

  function rowOf(service: string): Row {
    const known = rows.get(service)
    if (known) return known
    const apart = rows.size - (rows.has(OTHER) ? 1 : 0)
    return apart < limit ? open(service) : (rows.get(OTHER) ?? open(OTHER))
  }

  function add(cells: Map<string, Cell>, label: string, times: number): void {
    const cell = cells.get(label) ?? { value: 0, openedMs: monotonic(), sinceMs: now() }
    cell.value += times
    cells.set(label, cell)
  }

  function seriesOf(service: string, label: string, { cells, zeroFirst }: Shown): readonly Series[] {
    return [...cells].map(([value, cell]) => ({
      labels: labelsOf(service, { [label]: value }),
      value: zeroFirst && monotonic() < cell.openedMs + zeroFirstMs ? 0 : cell.value,
      sinceMs: cell.sinceMs,
    }))
  }

  return {
    changed(service, change) {
      const row = rowOf(service)
      row.countedMs = monotonic()
      // All four from the start: a series that begins with its first change is one less for rate().
      for (const one of CHANGES) add(row.changes, one, one === change ? 1 : 0)
    },
    restarted(service, reason, times) {
      const row = rowOf(service)
      row.countedMs = monotonic()
      add(row.restarts, reason, times)
    },
    withdraw(isGone) {
      for (const [service, { countedMs }] of rows) {
        if (service !== OTHER && monotonic() >= countedMs + idleMs && isGone(service)) rows.delete(service)
      }
    },
    families({ zeroFirst = true } = {}) {
      const all = [...rows]
      const changesOf = ([service, { changes }]: (typeof all)[number]) => seriesOf(service, 'change', { cells: changes, zeroFirst })
      const restartsOf = ([service, { restarts }]: (typeof all)[number]) => seriesOf(service, 'reason', { cells: restarts, zeroFirst })
      return [
        { family: ENDPOINTS.changes, series: all.flatMap(changesOf) },
        { family: ENDPOINTS.restarts, series: all.flatMap(restartsOf) },
      ]
    },
  }
}

function labelsOf(service: string, more: Labels): Labels {
  const [namespace = '', name = ''] = service.split('/')
  return { service_namespace: namespace, service_name: name, ...more }
}
