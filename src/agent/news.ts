// What was told of the cluster on its way into the agent's turn: gathered at any time, handed on in one piece.
import type { Deps } from '../deps.js'
import type { ClusterChanges } from '../identity/cluster-changes.js'
import type { ClusterNames } from '../identity/cluster-names.js'
import { doubtOf } from '../identity/doubt.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { TenancyChanges } from '../identity/tenancies.js'
import type { CoverageRecord } from './coverage-record.js'
import type { OwnNode } from './own-node.js'
import type { Teller } from './teller.js'

export interface NewsParts {
  readonly node: { readonly name: string; readonly zone: string; readonly region: string }
  readonly identity: Pick<ChangingIdentity, 'update'>
  readonly names: Pick<ClusterNames, 'isUsed' | 'hasEnded'>
  readonly self: Pick<OwnNode, 'look' | 'isHere'>
  readonly record: Pick<CoverageRecord, 'place' | 'standing'>
  readonly isCounting: () => boolean
  /** Undefined while there is none yet. */
  readonly teller: () => Pick<Teller, 'take' | 'covering' | 'ownNode' | 'trouble' | 'ownTrouble' | 'isAsked'> | undefined
}

export interface News {
  handOn(): Promise<void>
  /** Whether there is something that may not wait for the next reading. */
  readonly isUrgent: boolean
}

const NOTHING_NEW: TenancyChanges = { tenancies: [], ranges: undefined, zones: undefined, unheard: [] }

export function createNews(parts: NewsParts, { clock, log }: Pick<Deps, 'clock' | 'log'>): News {
  const { node, identity, names, self, record, isCounting, teller } = parts
  let news: TenancyChanges = NOTHING_NEW
  let doubtedMs = 0
  let told: { readonly covering: string | undefined; readonly standing: string } = { covering: undefined, standing: '' }

  function gather(): TenancyChanges {
    const more = teller()?.take() ?? NOTHING_NEW
    news = {
      tenancies: [...news.tenancies, ...more.tenancies],
      ranges: more.ranges ?? news.ranges,
      zones: more.zones ?? news.zones,
      unheard: [...news.unheard, ...more.unheard],
    }
    return news
  }

  function coveringNow(): string | undefined {
    const { nodes, toldOf = [] } = teller()?.covering ?? {}
    return nodes ? JSON.stringify([[...nodes].sort(), [...toldOf].sort()]) : told.covering
  }

  /** Said once for each time that it is set further. */
  function sayDoubt(): void {
    const doubtMs = doubtOf(clock)
    if (doubtMs > doubtedMs)
      log.warn('the clock was set: for a while nobody is named around a change of owner', { by_s: Math.round(doubtMs / 1000) })
    doubtedMs = doubtMs
  }

  async function handOn(): Promise<void> {
    sayDoubt()
    clock.pulse?.look()
    const changes = gather()
    news = NOTHING_NEW
    self.look(teller()?.ownNode)
    record.place(self.isHere)
    const now = { covering: coveringNow(), standing: record.standing() }
    await identity.update(
      {
        place: ownPlace(),
        cluster: {
          ...changes,
          isCurrent: teller()?.trouble === '',
          ...ownCurrentBy(teller()),
          ...askedBy(teller()),
          ...(now.covering === told.covering ? {} : coveringOf(teller())),
          ...(now.standing === told.standing ? {} : { standing: now.standing }),
        },
      },
      () => Promise.resolve(),
    )
    if (now.standing !== told.standing) sayStanding(now.standing)
    told = now
  }

  function sayStanding(standing: string): void {
    if (!isCounting()) return
    if (standing === 'joining')
      log.info('joins the nodes that post what their pods send: until all know, it goes to handover', { node: node.name })
    if (standing === 'yes') log.info('covers its pods: what they send is posted here', { node: node.name })
  }

  /** As configured, or as the Node says. */
  function ownPlace() {
    const own = teller()?.ownNode
    return own && { zone: node.zone === '_unknown' ? own.zone : node.zone, region: node.region || own.region }
  }

  return {
    handOn,
    get isUrgent() {
      if (coveringNow() !== told.covering || record.standing() !== told.standing) return true
      return names.isUsed(gather().tenancies) || names.hasEnded(clock.now())
    },
  }
}

function coveringOf(teller: Pick<Teller, 'covering'> | undefined): Pick<ClusterChanges, 'covering' | 'toldOf'> {
  const { nodes, toldOf } = teller?.covering ?? { nodes: [] }
  return { covering: new Set(nodes), toldOf: toldOf && new Set(toldOf) }
}

const ownCurrentBy = (teller: Pick<Teller, 'ownTrouble'> | undefined): Pick<ClusterChanges, 'isOwnCurrent'> =>
  teller?.ownTrouble === undefined ? {} : { isOwnCurrent: teller.ownTrouble === '' }

const askedBy = ({ isAsked }: Pick<Teller, 'isAsked'> = {}): Pick<ClusterChanges, 'isAsked'> => (isAsked ? { isAsked } : {})
