// One frozen object for equal values, so that references can be compared, and a workload's thousand pods hold one.
import type { Who } from '../model.js'

export type Intern = (who: Who) => Who

/** Past `limit` all are forgotten and shared anew as they come: that costs memory only. */
export function createIntern(limit = Number.POSITIVE_INFINITY): Intern {
  const known = new Map<string, Who>()
  return ({ zone, region, namespace, kind, name, external }) => {
    const key = JSON.stringify([zone, region, namespace, kind, name, external])
    const found = known.get(key)
    if (found) return found
    if (known.size >= limit) known.clear()
    // Named one by one: what is spread keeps its fields in a second object (V8 11.3).
    const who = Object.freeze({ zone, region, namespace, kind, name, external })
    known.set(key, who)
    return who
  }
}
