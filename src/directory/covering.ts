// Nodes whose agents post what lives there, as small integers: only those that were named to somebody.
import { createIds } from './ids.js'

export interface Covering {
  idOf(node: string): number
  nameOf(id: number): string
  covers(id: number): boolean
  /** All there are from now on. Answers the ids of those for which it is another than before. */
  replace(nodes: ReadonlySet<string>): readonly number[]
  /** Lets go whom nobody needs any more. Answers their ids, which others will get. */
  forget(isInUse: (node: string) => boolean): readonly number[]
}

export function createCovering(): Covering {
  const ids = createIds()
  let covering: ReadonlySet<string> = new Set()

  function idsWhere(condition: (name: string) => boolean): readonly number[] {
    return Array.from({ length: ids.size }, (_, id) => id).filter((id) => ids.nameOf(id) !== '' && condition(ids.nameOf(id)))
  }

  return {
    idOf: (node) => ids.find(node) ?? ids.create(node),
    nameOf: ids.nameOf,
    covers: (id) => covering.has(ids.nameOf(id)),
    replace(nodes) {
      const before = covering
      covering = nodes
      return idsWhere((name) => before.has(name) !== nodes.has(name))
    },
    forget(isInUse) {
      const unused = idsWhere((name) => !isInUse(name))
      for (const id of unused) ids.release(id)
      return unused
    },
  }
}
