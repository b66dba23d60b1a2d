// Which nodes' agents post what their pods send. A node begins to at a time that all others have heard of before; until then its bytes are
// posted by whoever receives them, and for a while by nobody, so that none is posted twice.
import type { Clock, ClockSettings } from '../deps.js'
import type { Known, Placement } from '../model.js'
import type { Tenant } from './holders.js'

/** `unknown`: not heard of; `joining`: said to all, but not all may have heard; `elsewhere`: another machine is the node of our name. */
export type Standing = 'unknown' | 'joining' | 'yes' | 'elsewhere'

export interface NodeCoverage {
  /**
   * All other nodes that cover their addresses, as of now. `told`: of which nodes it was said; absent: of all there are. `fromMs`: what has
   * changed did so after that, by `atMs`; absent: just now.
   */
  putOthers(nodes: ReadonlySet<string>, atMs: number, told?: ReadonlySet<string>, fromMs?: number): void
  putSelf(standing: Standing, atMs: number, fromMs?: number): void
  /** Of nodes that changed by a clock that was set. Whether an answer may have changed. */
  followClock(): boolean
  /**
   * As it was at a time; only the last change is remembered, and what was not known then is as it became known. Both where it may have been
   * before that change or after it, the later one last.
   */
  answersFor(tenant: Pick<Tenant, 'node' | 'coverage'>, atMs: number): readonly Answer[]
}

interface Options extends Pick<ClockSettings, 'doubtMs'> {
  /** How long bytes wait to be placed. */
  readonly patienceMs: number
  /** How often the kernel is read; absent: as seldom as it may be. */
  readonly readEveryMs?: number | undefined
  /** Absent: what was before a change is never forgotten. */
  readonly monotonic?: Clock['monotonic'] | undefined
}

type Answer = Pick<Placement, 'local' | 'covered'>

/** A change that may have been made at any time in between: it was heard of late. */
type When = readonly [fromMs: number, atMs: number]

/** It was after `fromMs`, and by `sinceMs`. `steadyMs`: when it was, by the clock that never jumps. */
interface Changed<T> {
  readonly now: T
  readonly before: T
  readonly fromMs: number
  readonly sinceMs: number
  readonly steadyMs: number
  /** The clock was set since, or not long before. */
  readonly isDoubted: boolean
}

/** The longest `flows.interval`. */
const SELDOM_MS = 300_000
/** How long a reading may take. */
const READ_WITHIN_MS = 8_000
const NO_DOUBT: Options = { patienceMs: 0, doubtMs: () => 0 }

export function createNodeCoverage(
  self: string,
  { patienceMs, readEveryMs = SELDOM_MS, monotonic = () => 0, doubtMs }: Options = NO_DOUBT,
): NodeCoverage {
  /** Bytes from before a change are seen first by a reading after it, and placed by one after their patience. */
  const waitedMs = patienceMs + 2 * (readEveryMs + READ_WITHIN_MS)
  let own: Changed<Standing> = { now: 'unknown', before: 'unknown', fromMs: 0, sinceMs: 0, steadyMs: 0, isDoubted: false }
  const others = new Map<string, Changed<Known>>()
  /** Whether a node that is not listed is known not to cover. */
  let isListed = false

  const unlisted = (): Known => (isListed ? 'no' : 'unknown')

  function put(node: string, now: Known, when: When): void {
    const before = others.get(node)?.now ?? unlisted()
    if (before !== now) others.set(node, changed(now, before, when))
  }

  const changed = <T>(now: T, before: T, [fromMs, sinceMs]: When): Changed<T> => ({
    ...{ now, before, fromMs, sinceMs },
    ...{ steadyMs: monotonic(), isDoubted: false },
  })

  function coveredBy(node: string, atMs: number): readonly Placement['covered'][] {
    const known = others.get(node)
    if (!known) return [unlisted()]
    return isLate(known, atMs) ? ['perhaps'] : at(known, atMs)
  }

  /** Nobody can say whether the change was before or after it. */
  const isLate = <T>({ now, before, fromMs, sinceMs }: Changed<T>, atMs: number): boolean =>
    before !== 'unknown' && before !== now && fromMs <= atMs && atMs < sinceMs

  /** Bytes from before it was known have waited for it: else it would be decided anew whose they are, by who has the address now. */
  function at<T extends string>(change: Changed<T>, atMs: number): readonly T[] {
    const { now, before, sinceMs, isDoubted } = change
    if (before === 'unknown' || before === now) return [now]
    if (isLate(change, atMs)) return [before, now]
    // While the clock is doubted it is asked for by either time. Later it is trusted, but not the time that it said then.
    if (isDoubted && doubtMs() === 0) return [before, now]
    return [atMs < sinceMs ? before : now]
  }

  /** Once nothing waits that came before it, it is as it is now, whatever the clock says. */
  function doubted<T>(change: Changed<T>): Changed<T> {
    const isDoubted = change.isDoubted || doubtMs() > 0
    if (!isDoubted || change.before === change.now) return change
    if (monotonic() - change.steadyMs > waitedMs) return { ...change, before: change.now }
    return change.isDoubted ? change : { ...change, isDoubted }
  }

  function followOthers(): boolean {
    let hasForgotten = false
    for (const [node, change] of others) {
      const next = doubted(change)
      hasForgotten ||= next.before !== change.before
      if (next !== change) others.set(node, next)
    }
    return hasForgotten
  }

  return {
    putOthers(nodes, atMs, told, fromMs = atMs) {
      for (const node of nodes) if (node !== self) put(node, 'yes', [fromMs, atMs])
      for (const node of [...others.keys(), ...(told ?? [])]) if (node !== self && !nodes.has(node)) put(node, 'no', [fromMs, atMs])
      isListed ||= told === undefined
    },
    putSelf(standing, atMs, fromMs = atMs) {
      if (standing !== own.now) own = changed(standing, own.now, [fromMs, atMs])
    },
    followClock() {
      const { before } = own
      own = doubted(own)
      return [own.before !== before, followOthers()].includes(true)
    },
    answersFor({ node, coverage }, atMs) {
      if (coverage === 'always') return [{ local: 'no', covered: 'yes' }]
      if (coverage !== 'node' || node === '') return [{ local: 'no', covered: 'no' }]
      return node === self ? at(own, atMs).map(ownAnswer) : coveredBy(node, atMs).map((covered) => ({ local: 'no', covered }))
    },
  }
}

const ownAnswer = (standing: Standing): Answer =>
  standing === 'elsewhere' ? { local: 'no', covered: 'yes' } : { local: standing, covered: 'no' }
