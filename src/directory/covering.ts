// Nodes whose agents post what lives there, as small integers: only those that were named to somebody.
import { createIds } from './ids.js'

export interface Covering {
  idOf(node: string): number
  nameOf(id: number): string
  covers(id: number): boolean
  /** Of the last change since it was named for the first time; 0 where there was none. */
  revisionOf(id: number): number
  /** All there are from now on. Answers the ids of those for which it is another than before. */
  replace(nodes: ReadonlySet<string>, nextRevision: () => number): readonly number[]
  /** Lets go whom nobody needs any more. Answers their ids, which others will get. */
  forget(isInUse: (node: string) => boolean): readonly number[]
}

export function createCovering(): Covering {
  const ids = createIds()
  const revisions: number[] = []
  let covering: ReadonlySet<string> = new Set()

  function idsWhere(condition: (name: string) => boolean): readonly number[] {
    return Array.from({ length: ids.size }, (_, id) => id).filter((id) => ids.nameOf(id) !== '' && condition(ids.nameOf(id)))
  }

  function create(node: string): number {
    const id = ids.create(node)
    revisions[id] = 0
    return id
  }

  return {
    idOf: (node) => ids.find(node) ?? create(node),
    nameOf: ids.nameOf,
    covers: (id) => covering.has(ids.nameOf(id)),
    revisionOf: (id) => revisions[id] ?? 0,
    replace(nodes, nextRevision) {
      const before = covering
      covering = nodes
      const changed = idsWhere((name) => before.has(name) !== nodes.has(name))
      if (changed.length === 0) return changed
      const revision = nextRevision()
      for (const id of changed) revisions[id] = revision
      return changed
    },
    forget(isInUse) {
      const unused = idsWhere((name) => !isInUse(name))
      for (const id of unused) ids.release(id)
      return unused
    },
  }
}
