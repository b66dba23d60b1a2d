// What the API server says -> what each agent is told.
//   tenancies, Leases ──▶ book, ranges, nodes ──what changed──▶ sessions
import type { Leases } from '../cluster/leases.js'
import type { Clock, Log } from '../deps.js'
import { createDoubt, doubtOf } from '../identity/doubt.js'
import { createTenancies, type Tenancies, type Tenancy, type Zone } from '../identity/tenancies.js'
import { notAfter, withUnheard } from '../identity/unheard.js'
import type { Stretch } from '../model.js'
import { type Book, createBook, REMEMBERED_MS } from './book.js'
import { createCovering } from './covering.js'
import type { ShareUid } from './endpoints/slice.js'
import { createNodesThatCover } from './nodes-that-cover.js'
import { createRanges } from './ranges.js'
import { createSessions, type Sessions } from './sessions.js'

export interface Desk {
  /** Whatever the API server says goes into these two. */
  readonly tenancies: Tenancies
  readonly leases: Leases
  readonly sessions: Sessions
  readonly book: Pick<Book, 'known' | 'asked' | 'size'>
  /** Of 100,000 pods those of EndpointSlices would be another 5 MB. */
  readonly shareUid: ShareUid
  /** All there is has been told; who came and went before that was not. */
  beginsToHear(): void
  /** Takes in what was said since the last time, and notes what each has to be told of it. */
  takeChanges(): void
  /** Lets go what nobody needs any more, now and then. */
  forget(): void
}

const FORGET_EVERY_MS = 60_000
/** What is told has been heard so long ago, but for a pod whose owner is waited for even longer. */
const HEARD_WITHIN_MS = 60_000

export interface DeskParts {
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  random(): string
  /** Whether it hears of changes itself. */
  isHearing(): boolean
}

export function createDesk({ clock, log, random, isHearing }: DeskParts): Desk {
  const { monotonic } = clock
  const doubtMs = (): number => doubtOf(clock)
  const tenancies = createTenancies()
  /** What was heard by a clock that was set since may have been so much earlier or later. */
  const isInNewDoubt = createDoubt(tenancies, doubtMs)
  const leases = createNodesThatCover(tenancies.nodes)
  const book = createBook({ monotonic })
  const covering = createCovering()
  const ranges = createRanges()
  let zones: readonly Zone[] = []
  let unheard: readonly Stretch[] = []
  let forgetAtMs = monotonic() + FORGET_EVERY_MS
  const known = {
    instance: random(),
    book,
    covering,
    ranges,
    isHearing,
    get zones() {
      return zones
    },
    get unheard() {
      return unheard
    },
  }
  const sessions = createSessions({ known, random, monotonic })

  const widened = ({ fromMs, toMs }: Stretch): Stretch => ({
    fromMs: Math.max(0, fromMs - doubtMs()),
    toMs: Math.min(toMs, clock.now()) + doubtMs(),
  })

  /** When somebody went that nobody says it of, or came to an address, is told by our own clock: that much sooner or later. */
  const perhaps = ({ fromMs, untilMs, ...tenancy }: Tenancy): Tenancy => {
    const nowMs = clock.now()
    const isOurs = (ms: number): boolean => ms <= nowMs && ms > nowMs - HEARD_WITHIN_MS
    const doubtOf = (ms: number): number => (isOurs(ms) ? doubtMs() : 0)
    return { ...tenancy, fromMs: fromMs - doubtOf(fromMs), untilMs: untilMs + doubtOf(untilMs) }
  }

  const perhapsAll = (tenancies: readonly Tenancy[]): readonly Tenancy[] => (doubtMs() > 0 ? tenancies.map(perhaps) : tenancies)

  function sayDoubt(nowMs: number): void {
    if (!isInNewDoubt(nowMs)) return
    log.warn('the clock was set: for a while who came and went by it is not certain', { by_s: Math.round(doubtMs() / 1000) })
  }

  /** A clock that was ahead leaves none that is yet to come, which each new watch would be told of until then. */
  function remembered(): readonly Stretch[] {
    const nowMs = clock.now()
    const sinceMs = nowMs - REMEMBERED_MS - doubtMs()
    return notAfter(unheard, nowMs + doubtMs()).filter(({ fromMs, toMs }) => fromMs === 0 || toMs > sinceMs)
  }

  return {
    tenancies,
    leases,
    sessions,
    book,
    shareUid: (uid, addresses) => keyAmong(book, uid, addresses) ?? uid,
    takeChanges() {
      const nowMs = clock.now()
      sayDoubt(nowMs)
      const { ranges: allRanges, zones: allZones, ...changes } = tenancies.take()
      const missed = changes.unheard.map(widened)
      unheard = missed.reduce(withUnheard, unheard)
      const addresses = [...book.put(perhapsAll(changes.tenancies), { fromMs: nowMs - doubtMs(), toMs: nowMs + doubtMs() })]
      const isInAnother = allRanges ? ranges.replace(allRanges) : () => false
      if (allRanges) for (const id of book.nobodys()) if (isInAnother(book.addressOf(id))) addresses.push(id)
      const nodes = leases.haveChanged || allRanges ? covering.replace(leases.take(), book.nextRevision) : []
      zones = allZones ?? zones
      sessions.spread({ addresses, nodes, haveZones: allZones !== undefined, unheard: missed })
    },
    beginsToHear() {
      unheard = [widened({ fromMs: 0, toMs: clock.now() })]
    },
    forget() {
      if (monotonic() < forgetAtMs) return
      unheard = remembered()
      forgetAtMs = monotonic() + FORGET_EVERY_MS
      book.forget()
      const inUse = new Set(book.nodesInUse())
      sessions.forgetNodes(covering.forget((node) => tenancies.nodes.has(node) || inUse.has(node)))
    },
  }
}

/** The key that is a pod's uid, of whoever has or had one of its addresses. */
function keyAmong(book: Book, uid: string, addresses: readonly unknown[]): string | undefined {
  for (const address of addresses) {
    const id = typeof address === 'string' ? book.find(address) : undefined
    const found = id === undefined ? undefined : book.tenanciesOf(id).find(({ key }) => key === uid)
    if (found) return found.key
  }
  return undefined
}
