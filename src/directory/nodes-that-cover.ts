// Which nodes' agents post what lives there: those with a Lease, as long as there is a Node of that name.
import type { CoverageLease, Leases } from '../cluster/leases.js'

export interface NodesThatCover extends Leases {
  /** A Lease came, went or changed since this was last taken. */
  readonly haveChanged: boolean
  take(): ReadonlySet<string>
}

export function createNodesThatCover(nodes: ReadonlyMap<string, unknown>): NodesThatCover {
  const leases = new Map<string, CoverageLease>()
  let haveChanged = false
  return {
    put(key, lease) {
      leases.set(key, lease)
      haveChanged = true
    },
    remove(key) {
      leases.delete(key)
      haveChanged = true
    },
    get haveChanged() {
      return haveChanged
    },
    take() {
      haveChanged = false
      return new Set([...leases.values()].flatMap(({ node }) => (nodes.has(node) ? [node] : [])))
    },
  }
}
