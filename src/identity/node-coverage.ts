// Which nodes' agents post what their pods send. A node begins to at a time that all others have heard of before; until then its bytes are
// posted by whoever receives them, and for a while by nobody, so that none is posted twice.
import type { Known, Placement } from '../model.js'
import type { Tenant } from './holders.js'

/** `unknown`: not heard of; `joining`: said to all, but not all may have heard; `elsewhere`: another machine is the node of our name. */
export type Standing = 'unknown' | 'joining' | 'yes' | 'elsewhere'

export interface NodeCoverage {
  /** All other nodes that cover their addresses, as of now. `told`: of which nodes it was said; absent: of all there are. */
  putOthers(nodes: ReadonlySet<string>, atMs: number, told?: ReadonlySet<string>): void
  putSelf(standing: Standing, atMs: number): void
  /** As it was at a time; only the last change is remembered, and what was not known then is as it became known. */
  answersFor(tenant: Pick<Tenant, 'node' | 'coverage'>, atMs: number): Pick<Placement, 'local' | 'covered'>
}

interface Changed<T> {
  readonly now: T
  readonly before: T
  readonly sinceMs: number
}

export function createNodeCoverage(self: string): NodeCoverage {
  let own: Changed<Standing> = { now: 'unknown', before: 'unknown', sinceMs: 0 }
  const others = new Map<string, Changed<Known>>()
  /** Whether a node that is not listed is known not to cover. */
  let isListed = false

  const unlisted = (): Known => (isListed ? 'no' : 'unknown')

  function put(node: string, now: Known, atMs: number): void {
    const before = others.get(node)?.now ?? unlisted()
    if (before !== now) others.set(node, { now, before, sinceMs: atMs })
  }

  function coveredBy(node: string, atMs: number): Known {
    const known = others.get(node)
    return known ? at(known, atMs) : unlisted()
  }

  return {
    putOthers(nodes, atMs, told) {
      for (const node of nodes) if (node !== self) put(node, 'yes', atMs)
      for (const node of [...others.keys(), ...(told ?? [])]) if (node !== self && !nodes.has(node)) put(node, 'no', atMs)
      isListed ||= told === undefined
    },
    putSelf(standing, atMs) {
      if (standing !== own.now) own = { now: standing, before: own.now, sinceMs: atMs }
    },
    answersFor({ node, coverage }, atMs) {
      if (coverage === 'always') return { local: 'no', covered: 'yes' }
      if (coverage !== 'node' || node === '') return { local: 'no', covered: 'no' }
      return node === self ? ownAnswer(at(own, atMs)) : { local: 'no', covered: coveredBy(node, atMs) }
    },
  }
}

const ownAnswer = (standing: Standing): Pick<Placement, 'local' | 'covered'> =>
  standing === 'elsewhere' ? { local: 'no', covered: 'yes' } : { local: standing, covered: 'no' }

/** Bytes from before it was known have waited for it: else it would be decided anew whose they are, by who has the address now. */
const at = <T extends string>({ now, before, sinceMs }: Changed<T>, atMs: number): T =>
  atMs < sinceMs && before !== 'unknown' ? before : now
