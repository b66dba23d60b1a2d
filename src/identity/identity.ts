import type { Clock } from '../deps.js'
import { addressText } from '../formats/address-text.js'
import type { Identity, InventoryEntry, Placement, Stretch, Who } from '../model.js'
import { type Address, parseAddress, translatedOf } from './address.js'
import { type Called, NOT_KNOWN } from './called.js'
import type { ClusterChanges } from './cluster-changes.js'
import type { ClusterNames } from './cluster-names.js'
import { doubtOf } from './doubt.js'
import { isSame } from './holders.js'
import { createHostPods, type HostPodsByCgroup, withoutCgroup } from './host-pods.js'
import {
  areSame,
  distinctZones,
  hereOf,
  type Named,
  type Names,
  type Node,
  namesOf,
  ownTable,
  type Pause,
  placementOf,
  zonesFrom,
} from './named.js'
import { isPending, missedOf } from './placing.js'
import { createPrefixTable } from './prefix-table.js'
import { createClassify } from './special-ranges.js'
import { createWaiting } from './waiting.js'
import { createIntern } from './whos.js'

/** What is left out stays. */
export interface Changes {
  readonly entries?: readonly InventoryEntry[]
  /** Addresses of the node's own interfaces, as text. */
  readonly addresses?: readonly string[]
  /** Where the node is, once somebody says so. */
  readonly place?: Pick<Node, 'zone' | 'region'> | undefined
  readonly cluster?: ClusterChanges
  readonly hostPods?: HostPodsByCgroup | undefined
}

/** `cluster`: what Kubernetes says, where there is one. */
export interface IdentityParts {
  readonly clock?: Pick<Clock, 'now' | 'settings' | 'pulse'>
  readonly cluster?: ClusterNames | undefined
  readonly patienceMs?: number
}

export interface ChangingIdentity extends Identity {
  /** One at a time; `place` answers from before until all is ready. Rejects a malformed address or CIDR, and then nothing has changed. */
  update(changes: Changes, pause: Pause): Promise<void>
  /** Who had an address that was called then, and whether he had ended before. Total: never throws, never undefined. */
  called(address: string, stretch: Stretch): Called
}

const UNKNOWN = '_unknown'
const NOBODY: Who = { zone: UNKNOWN, region: UNKNOWN, namespace: UNKNOWN, kind: UNKNOWN, name: UNKNOWN, external: false }
const OUTSIDE: Who = { zone: '', region: '', namespace: '', kind: 'External', name: UNKNOWN, external: true }

const NO_CLOCK: Pick<Clock, 'now' | 'settings' | 'pulse'> = { now: () => 0 }

/** The order of answers: own addresses, who holds it in the cluster, the inventory's longest prefix, who is said to be outside, the registries. */
export function createIdentity(given: Node, { clock = NO_CLOCK, cluster, patienceMs = 0 }: IdentityParts = {}): ChangingIdentity {
  const intern = createIntern()
  const classify = createClassify()
  const hostPods = createHostPods({ intern, waiting: cluster?.waiting ?? createWaiting(patienceMs) })
  const unknown = placementOf(intern(NOBODY))
  const external = placementOf(intern(OUTSIDE))
  let here = hereOf(given, intern)
  let entries: readonly InventoryEntry[] = []
  let addresses: readonly string[] = []
  let names: Names = { table: createPrefixTable(), zones: zonesFrom(here.nodeWho).all() }
  let own = ownTable(addresses, here.nodeWho, names.table)
  let version = 1

  /** A time, where the clock was set of late. */
  const perhaps = ({ fromMs, toMs }: Stretch): Stretch => {
    const doubtMs = doubtOf(clock)
    return { fromMs: fromMs - doubtMs, toMs: toMs + doubtMs }
  }

  const ownPlacement = (text: string, address: Address, stretch: Stretch): Placement | undefined => {
    const found = own.lookup(address)
    return found && cluster ? cluster.here(text, found.who, stretch) : found
  }

  /** No pod has a global IPv4 address, and a node's are told with it. */
  const isOutside = (address: Address): boolean => address.length === 1 && classify(address) === 'global'

  const mayBeOfPod = (address: Address, { exact }: Named): boolean => !exact && !isOutside(address)

  const placeNamed = (text: string, address: Address, named: Named, nowMs: number, fromMs?: number): Placement =>
    cluster && mayBeOfPod(address, named) ? cluster.placeOfRange(text, address, named.placement, nowMs, fromMs) : named.placement

  const placeParsed = (text: string, address: Address, nowMs: number, fromMs?: number): Placement => {
    const known = ownPlacement(text, address, { fromMs: nowMs, toMs: nowMs }) ?? cluster?.place(text, nowMs)
    if (known) return known
    const named = names.table.lookup(address)
    if (named) return placeNamed(text, address, named, nowMs, fromMs)
    const behind = translatedOf(address)
    if (behind) return beforeTranslation(placeParsed(addressText(behind), behind, nowMs, fromMs))
    const otherwise = cluster?.placeOutside(text) ?? (classify(address) === 'global' ? external : unknown)
    return cluster && !isOutside(address) ? cluster.placeOfNobody(text, address, otherwise, nowMs, fromMs) : otherwise
  }

  const placeAddress = (text: string): Placement => {
    const address = parseAddress(text)
    const { toMs } = perhaps({ fromMs: 0, toMs: clock.now() })
    return address ? placeParsed(text, address, toMs) : unknown
  }

  const place = (text: string): Placement => {
    const address = withoutCgroup(text)
    const there = placeAddress(address)
    const nowMs = clock.now()
    return address === text ? there : hostPods.place(text, there, { fromMs: nowMs, toMs: nowMs })
  }

  const placeSince = (text: string, before: Placement | undefined, sinceMs: number): Placement => {
    const address = withoutCgroup(text)
    const there = placeAddressSince(address, before, sinceMs)
    return address === text ? there : hostPods.place(text, there, { fromMs: sinceMs, toMs: clock.now() })
  }

  const placeAddressSince = (text: string, before: Placement | undefined, sinceMs: number): Placement => {
    const address = cluster && parseAddress(text)
    if (!address) return before ?? placeAddress(text)
    const decided = before && !isPending(before) ? before : undefined
    const { fromMs, toMs } = perhaps({ fromMs: sinceMs, toMs: clock.now() })
    const ownOne = ownPlacement(text, address, { fromMs, toMs })
    if (ownOne) return decided ?? ownOne
    const known = cluster.placeSince(text, before, { fromMs, toMs, isOutside: isOutside(address) })
    return known ?? stillDecided(text, address, decided) ?? placeParsed(text, address, toMs, fromMs)
  }

  /** A pod that an agent before this one knew, and nobody tells of, decides nothing; what a range named before stays of it. */
  const stillDecided = (text: string, address: Address, decided: Placement | undefined): Placement | undefined => {
    const named = decided && names.table.lookup(address)
    const isOfRange = named !== undefined && mayBeOfPod(address, named)
    if (named && isSame(named.placement.who, decided.who)) {
      if (isOfRange) cluster?.staysNobodys(text, clock.now())
      return decided
    }
    if (!decided || !cluster?.isForgotten(text, decided.who)) return decided
    // It may be told of yet.
    return !named || isOfRange ? undefined : missedOf(decided)
  }

  async function update(changes: Changes, pause: Pause): Promise<void> {
    const nextHere = changes.place ? hereOf({ ...given, ...changes.place }, intern) : here
    const isNew = nextHere.nodeWho !== here.nodeWho || (changes.entries !== undefined && !(await areSame(entries, changes.entries, pause)))
    const next = { entries, addresses, ...changes }
    const nextNames = isNew ? await namesOf(next.entries, nextHere, pause) : names
    if (changes.cluster && cluster?.apply(changes.cluster, clock.now())) version++
    if (hostPods.apply(changes.hostPods, clock.now())) version++
    if (!isNew && sameSet(addresses, next.addresses)) return
    own = ownTable(next.addresses, nextHere.nodeWho, nextNames.table)
    names = nextNames
    entries = next.entries
    addresses = next.addresses
    here = nextHere
    version++
  }

  const placeDuring = (text: string, now: Placement, stretch: Stretch): Placement => {
    const address = cluster && parseAddress(withoutCgroup(text))
    if (!address || own.lookup(address)) return now
    const when = perhaps(stretch)
    const then = cluster.placeDuring(text, now, when)
    // What came while surely nobody of the cluster had it is not missed because somebody may have got it later.
    return then ?? (now.ambiguous && cluster.wasOfNobody(text, when) ? placeAddress(withoutCgroup(text)) : now)
  }

  const called = (text: string, stretch: Stretch): Called => {
    const address = parseAddress(text)
    if (!address) return NOT_KNOWN
    const here = own.lookup(address)
    if (here) return { who: here.who, ended: '' }
    const canonical = addressText(address)
    const when = perhaps(stretch)
    const held = cluster?.called(canonical, when)
    if (held) return held
    return calledNamed(canonical, address, when) ?? calledOutside(canonical, address)
  }

  const calledNamed = (text: string, address: Address, stretch: Stretch): Called | undefined => {
    const named = names.table.lookup(address)
    if (!named) return undefined
    const isKnown = !cluster || !mayBeOfPod(address, named) || cluster.wasSurelyNobodys(text, stretch)
    return isKnown ? { who: named.placement.who, ended: '' } : NOT_KNOWN
  }

  const calledOutside = (text: string, address: Address): Called => {
    const isExternal = classify(address) === 'global' && (!cluster || address.length === 1)
    const known = cluster?.placeOutside(text) ?? (isExternal ? external : undefined)
    return known ? { who: known.who, ended: '' } : NOT_KNOWN
  }

  return {
    place,
    placeSince,
    placeDuring,
    holderOf: (text) => cluster?.holderOf(text),
    called,
    update,
    get version() {
      clock.pulse?.look()
      return version + (clock.pulse?.stops ?? 0)
    },
    get zones() {
      return cluster ? distinctZones([...names.zones, ...cluster.zones]) : names.zones
    },
  }
}

// Bytes between us and a translator were, or will be, counted where the IPv4 host lives; here they are never at home.
function beforeTranslation({ who, local, covered }: Placement): Placement {
  const isCounted = local === 'yes' || local === 'joining' || covered === 'yes' || covered === 'perhaps'
  if (isCounted) return placementOf(who, 'no', 'yes')
  return placementOf(who, 'no', local === 'unknown' || covered === 'unknown' ? 'unknown' : 'no')
}

function sameSet(before: readonly string[], after: readonly string[]): boolean {
  const known = new Set(before)
  return before === after || (known.size === new Set(after).size && after.every((address) => known.has(address)))
}
