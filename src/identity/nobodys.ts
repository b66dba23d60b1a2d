// Addresses that nobody of the cluster has, as far as it has told: each may be a pod's that is told of later. So its bytes wait, and only then it
// is who it is otherwise: a range of the inventory, whom Istio is told of, or nobody.
import type { Placement, Stretch } from '../model.js'
import type { Address } from './address.js'
import type { Hearing } from './hearing.js'
import { type Holders, isSame, NOBODY, type Tenant } from './holders.js'
import { type Home, missed, missedOf, NOT_TOLD, type Place } from './placing.js'
import type { PrefixTable } from './prefix-table.js'
import type { Resuming } from './resuming.js'
import type { Waiting } from './waiting.js'

/** `otherwise`: who it is if it is not of the cluster. `fromMs`: of the bytes since then, and those that waited; absent: of what comes from now on. */
type PlaceOtherwise = (text: string, address: Address, otherwise: Placement, nowMs: number, fromMs?: number) => Placement

export interface Nobodys {
  readonly placeOfNobody: PlaceOtherwise
  /** Of a range of the inventory: where that names a node it says itself which agent posts. */
  readonly placeOfRange: PlaceOtherwise
  /** It was nobody's before, for certain: so it stays until somebody is told of. */
  staysNobodys(text: string, nowMs: number): void
  /** Of an address that nobody who was told of ever had: that nobody had it then. */
  wasSurelyNobodys(text: string, stretch: Stretch): boolean
}

interface Parts {
  readonly here: Home
  readonly waiting: Pick<Waiting, 'waits' | 'settle' | 'isSettled'>
  readonly holders: Pick<Holders, 'mayHaveMissed'>
  readonly hearing: Pick<Hearing, 'isCurrent' | 'knows'>
  readonly isDeaf: Resuming['isDeaf']
  readonly placed: Place
  readonly settled: (address: string, placement: Placement, stretch: Stretch & { readonly isHeld: boolean }) => Placement
  /** Since when bytes of it wait, or then. */
  readonly waitedSince: (address: string, fromMs: number) => number
  /** Of pods. */
  readonly ranges: () => PrefixTable<Tenant>
  readonly isBehindUs: (address: Address) => boolean
}

export function createNobodys(parts: Parts): Nobodys {
  const { here, waiting, holders, hearing, isDeaf, placed, settled, waitedSince, ranges, isBehindUs } = parts

  function homeOf(address: Address): Home | undefined {
    const range = ranges().lookup(address)
    if (range && range.node !== '') return range
    return isBehindUs(address) ? here : undefined
  }

  function mayBeSomebodys(text: string, otherwise: Placement, { fromMs, toMs }: Stretch): boolean {
    const isFromNow = fromMs === toMs
    if (isFromNow && waiting.isSettled(text)) return false
    if (holders.mayHaveMissed(text, { fromMs, toMs }) || (hearing.isCurrent && !hearing.knows(text))) return true
    // A pod may have come meanwhile; of nobody that says nothing new.
    return !hearing.isCurrent && (isDeaf() || !isSame(otherwise.who, NOBODY))
  }

  function placeOfNobody(text: string, address: Address, otherwise: Placement, nowMs: number, fromMs?: number): Placement {
    const sinceMs = fromMs === undefined ? nowMs : waitedSince(text, fromMs)
    if (waiting.waits(text, nowMs, sinceMs)) return NOT_TOLD
    const isMissed = mayBeSomebodys(text, otherwise, { fromMs: sinceMs, toMs: nowMs })
    if (hearing.knows(text) && !isMissed) waiting.settle(text, nowMs)
    const home = homeOf(address)
    if (home) {
      const placement = placed({ who: isMissed ? NOBODY : otherwise.who, tenants: [home], isAmbiguous: isMissed }, [sinceMs, nowMs])
      return settled(text, placement, { fromMs: sinceMs, toMs: nowMs, isHeld: false })
    }
    return placedNowhere(address, isMissed ? missedOf(otherwise) : otherwise)
  }

  /** It may be a pod that another agent posts for: then rather missed than twice. */
  const placedNowhere = (address: Address, placement: Placement): Placement =>
    hearing.isCurrent && !ranges().lookup(address) && !placement.ambiguous
      ? placement
      : Object.freeze({ ...placement, ...missed(placement) })

  function placeOfRange(text: string, address: Address, otherwise: Placement, nowMs: number, fromMs?: number): Placement {
    const placement = placeOfNobody(text, address, otherwise, nowMs, fromMs)
    if (placement === NOT_TOLD) return placement
    const { local, covered } = otherwise
    if (local === 'yes' || covered === 'yes') return Object.freeze({ ...placement, local, covered })
    const stays = waiting.isSettled(text) && !placement.ambiguous && !homeOf(address)
    return stays ? otherwise : placement
  }

  return {
    placeOfNobody,
    placeOfRange,
    staysNobodys: waiting.settle,
    wasSurelyNobodys: (text, stretch) => waiting.isSettled(text) || (hearing.isCurrent && !holders.mayHaveMissed(text, stretch)),
  }
}
