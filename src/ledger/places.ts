// Who each address was when the ledger last looked: bytes that come are of these, until `follow` finds that it is somebody else.
import type { Clock } from '../deps.js'
import type { Pairs } from '../model/flows.js'
import type { Placement, Stretch, Who } from '../model.js'
import type { Accounts } from './accounts.js'
import type { Decisions } from './draft.js'
import { addressRowOf } from './draft.js'
import { isPending } from './posting.js'
import type { Placed } from './routes.js'
import type { AddressRow, State, WaitRow } from './state.js'

/** Who an address is that was somebody before, or is seen for the first time. */
export type PlacementOf = (address: string, before: Placement | undefined) => Placement

/** Who it was in a time that is over; `now`, where that is not known. */
export type PlacementDuring = (address: string, now: Placement, stretch: Stretch) => Placement

export interface Places {
  /** Decided at first sight, or as the process before decided. */
  of(address: number, pairs: Pairs, placementOf: PlacementOf): Placed
  /** In a time that is over; of an address that was asked for. */
  during(address: number, stretch: Stretch, placementDuring: PlacementDuring): Placed
  /** When the pod ended that had it; undefined where none did. */
  endedMsOf(address: number): number | undefined
  /** Undefined where it was not asked for yet. */
  textOf(address: number): string | undefined
  /** Looks at all addresses again; returns those that are now somebody else. */
  follow(placementOf: PlacementOf, pause: () => Promise<void>): Promise<Set<number>>
  keep(addresses: ReadonlySet<number>): void
  restore(state: Pick<State, 'addresses' | 'waits'> | undefined): void
  /** From now on who was restored is not who it is, but who it was before. */
  doubtRestored(): void
  clear(): void
  rows(): Generator<AddressRow>
  waitRows(): Generator<WaitRow>
  /** Somebody's bytes could be another's: that holds for one reading. */
  readonly hasAmbiguous: boolean
}

const ADDRESSES_BETWEEN_PAUSES = 256

interface Parts {
  readonly accounts: Accounts
  readonly decisions: Decisions
  readonly clock: Pick<Clock, 'sinceBoot'>
}

export function createPlaces({ accounts, decisions, clock }: Parts): Places {
  let placed: (Placed | undefined)[] = []
  let restored: Pick<State, 'addresses' | 'waits'> | undefined
  let isInDoubt = false
  let hasAmbiguous = false

  function decide(text: string, placement: Placement, before: Placed | undefined): Placed {
    hasAmbiguous ||= placement.ambiguous ?? false
    const owner = accounts.ownerOf(placement.who)
    decisions.address(addressRowOf(text, owner, placement))
    if (!isPending(placement)) return { text, placement, owner }
    const waitsSinceMs = before?.waitsSinceMs ?? clock.sinceBoot?.()
    if (waitsSinceMs !== undefined && before?.waitsSinceMs === undefined) decisions.waits([text, waitsSinceMs])
    return { text, placement, owner, waitsSinceMs }
  }

  function restoredPlace([text, ownerId, region, external, local, covered, endedMs]: AddressRow): Placed {
    const owner = accounts.owner(ownerId)
    const { zone, namespace, kind, name } = owner
    const who: Who = { zone, region, namespace, kind, name, external }
    const placement = { who, local, covered, ...(endedMs === undefined ? {} : { endedMs }) }
    return { text, placement, owner, ...(isPending(placement) && { waitsSinceMs: restored?.waits?.get(text) }) }
  }

  function decideAfter(before: Placed | undefined, text: string, placementOf: PlacementOf): Placed {
    const placement = placementOf(text, before?.placement)
    return before && isSamePlacement(before.placement, placement) ? before : decide(text, placement, before)
  }

  function of(address: number, pairs: Pairs, placementOf: PlacementOf): Placed {
    const known = placed[address]
    if (known) return known
    const text = pairs.addressText(address)
    const row = restored?.addresses.get(text)
    const before = row && restoredPlace(row)
    const place = before && !isInDoubt ? before : decideAfter(before, text, placementOf)
    placed[address] = place
    return place
  }

  function during(address: number, stretch: Stretch, placementDuring: PlacementDuring): Placed {
    const now = placed[address] as Placed
    const placement = placementDuring(now.text, now.placement, stretch)
    return placement === now.placement ? now : { text: now.text, placement, owner: accounts.ownerOf(placement.who) }
  }

  async function follow(placementOf: PlacementOf, pause: () => Promise<void>): Promise<Set<number>> {
    const changed = new Set<number>()
    hasAmbiguous = false
    for (let address = 0; address < placed.length; address++) {
      if (address % ADDRESSES_BETWEEN_PAUSES === 0) await pause()
      const before = placed[address]
      const placement = before && placementOf(before.text, before.placement)
      if (!placement || isSamePlacement(before.placement, placement)) continue
      placed[address] = decide(before.text, placement, before)
      changed.add(address)
    }
    return changed
  }

  function keep(addresses: ReadonlySet<number>): void {
    for (let address = 0; address < placed.length; address++) if (!addresses.has(address)) placed[address] = undefined
  }

  function clear(): void {
    placed = []
    restored = undefined
  }

  function* rows(): Generator<AddressRow> {
    for (const place of placed) if (place) yield addressRowOf(place.text, place.owner, place.placement)
  }

  function* waitRows(): Generator<WaitRow> {
    for (const place of placed) if (place?.waitsSinceMs !== undefined) yield [place.text, place.waitsSinceMs]
  }

  return {
    of,
    during,
    endedMsOf: (address) => placed[address]?.placement.endedMs,
    textOf: (address) => placed[address]?.text,
    follow,
    keep,
    restore: (state) => {
      restored = state
      isInDoubt = false
    },
    doubtRestored: () => {
      isInDoubt = true
    },
    clear,
    rows,
    waitRows,
    get hasAmbiguous() {
      return hasAmbiguous
    },
  }
}

function isSamePlacement(a: Placement, b: Placement): boolean {
  if (a === b) return true
  const keys = ['local', 'covered', 'ambiguous', 'endedMs'] as const
  return keys.every((key) => a[key] === b[key]) && isSameWho(a.who, b.who)
}

function isSameWho(a: Who, b: Who): boolean {
  if (a === b) return true
  const keys = ['zone', 'region', 'namespace', 'kind', 'name', 'external'] as const
  return keys.every((key) => a[key] === b[key])
}
