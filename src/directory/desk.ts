// What the API server says -> what each agent is told.
//   tenancies, Leases ──▶ book, ranges, nodes ──what changed──▶ sessions
import type { Leases } from '../cluster/connection.js'
import type { Clock } from '../deps.js'
import { createTenancies, type Tenancies, type Zone } from '../identity/tenancies.js'
import { withUnheard } from '../identity/unheard.js'
import type { Stretch } from '../model.js'
import { type Book, createBook } from './book.js'
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
const REMEMBERED_MS = 3_600_000

export interface DeskParts {
  readonly clock: Clock
  random(): string
  /** Whether it hears of changes itself. */
  isHearing(): boolean
}

export function createDesk({ clock, random, isHearing }: DeskParts): Desk {
  const { monotonic } = clock
  const tenancies = createTenancies()
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

  return {
    tenancies,
    leases,
    sessions,
    book,
    shareUid: (uid, addresses) => keyAmong(book, uid, addresses) ?? uid,
    takeChanges() {
      const { ranges: allRanges, zones: allZones, ...changes } = tenancies.take()
      unheard = changes.unheard.reduce(withUnheard, unheard)
      const addresses = [...book.put(changes.tenancies, clock.now())]
      const isInAnother = allRanges ? ranges.replace(allRanges) : () => false
      if (allRanges) for (const id of book.nobodys()) if (isInAnother(book.addressOf(id))) addresses.push(id)
      const nodes = leases.haveChanged || allRanges ? covering.replace(leases.take(), book.nextRevision) : []
      zones = allZones ?? zones
      sessions.spread({ addresses, nodes, haveZones: allZones !== undefined, isUnheard: changes.unheard.length > 0 })
    },
    beginsToHear() {
      unheard = [{ fromMs: 0, toMs: clock.now() }]
    },
    forget() {
      if (monotonic() < forgetAtMs) return
      unheard = unheard.filter(({ fromMs, toMs }) => fromMs === 0 || toMs > clock.now() - REMEMBERED_MS)
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
