// Who had an address, and when: pods come and go, and their addresses go on to others.
//   cart-7f9c-x2x4v   10.1.0.7   09:00:00 ────── 09:12:31
//   web-5d7b-k8s2p    10.1.0.7                              09:12:40 ──────
// Times are the API server's: whole seconds of other machines' clocks, true to within `skewMs`.
import type { LeftOff, Stretch, Who } from '../model.js'
import { placeAmong } from './holding-order.js'
import { notAfter, withUnheard } from './unheard.js'

/**
 * `node`: where it lives, `''` nowhere. `coverage`: its bytes are posted by the agent of that node, by some agent anyway, or by none;
 * `outside`: by none, and it is only said to be there, not by whom the address is given.
 */
export interface Tenant {
  readonly who: Who
  readonly node: string
  readonly coverage: 'node' | 'always' | 'never' | 'outside'
}

/** `key` names the holder, such as a pod's uid. `untilMs` is Infinity while it holds the address. */
export interface Holding {
  readonly key: string
  readonly tenant: Tenant
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * `tenants`: the latest last; none where nobody on record had it yet. `isAmbiguous`: more than one could have had it, and `who` is what they share.
 * `endedMs`: when the pod ended that had it last, where nobody had it any more.
 */
export interface Held {
  readonly who: Who
  readonly tenants: readonly Tenant[]
  readonly isAmbiguous: boolean
  /** One of them may not be on record. */
  readonly isMissed: boolean
  readonly endedMs?: number
}

/** Addresses are canonical text. */
export interface Holders {
  /** A holding that is new, or known and changed. */
  set(address: string, holding: Holding): void
  /** Who has it now, or had it last. */
  last(address: string): Holding | undefined
  /** All on record, in order. */
  allOf(address: string): readonly Holding[]
  /** Whose the bytes of a stretch are. `before`: who the address was until then, as far as was known. Undefined: nobody ever had it. */
  heldDuring(address: string, before: Who | undefined, stretch: Stretch): Held | undefined
  /** In that time somebody may have had any of them without being on record. */
  miss(unheard: Stretch): void
  /** What was heard then is known: who had an address has it since then, if it is still the same pod, and nobody came after who had ended. */
  resume(leftOff: LeftOff): void
  /** Whether somebody may have had it in that time who is not on record. `before`: as of `heldDuring`. */
  mayHaveMissed(address: string, stretch: Stretch, before?: Who): boolean
  /** Forgets who ended before, but for the last holder of each address that still has one. What is later than `latestMs` nobody can have missed. */
  forget(endedBeforeMs: number, latestMs?: number): void
  readonly size: number
}

const UNKNOWN = '_unknown'
export const NOBODY: Who = Object.freeze({
  zone: UNKNOWN,
  region: UNKNOWN,
  namespace: UNKNOWN,
  kind: UNKNOWN,
  name: UNKNOWN,
  external: false,
})

export function createHolders({ skewMs }: { readonly skewMs: number }): Holders {
  /** By address, in order. */
  const byAddress = new Map<string, readonly Holding[]>()
  let missed: readonly Stretch[] = []
  let leftOff: LeftOff | undefined

  function set(address: string, holding: Holding): void {
    const others = (byAddress.get(address) ?? []).filter(({ key }) => key !== holding.key)
    byAddress.set(address, others.toSpliced(placeAmong(others, holding), 0, holding))
  }

  /** Its end is told by another machine's clock; its beginning leaves more room than that. */
  const endOfTime = ({ toMs }: Stretch): number => toMs + skewMs

  function mayHaveMissed(address: string, { fromMs, toMs }: Stretch, before: Who = NOBODY): boolean {
    return missed.some((one) => {
      const part = { fromMs: Math.max(one.fromMs, fromMs), toMs: Math.min(endOfTime(one), toMs) }
      const isKnown = leftOff && one.fromMs <= leftOff.atMs ? isKnownOfPast(leftOff, before) : isKnownAt
      return partsOf(part).some((some) => some.fromMs <= some.toMs && !isKnown(address, some))
    })
  }

  /** What another process heard is known by what it wrote down. */
  function partsOf(stretch: Stretch): readonly Stretch[] {
    if (!leftOff) return [stretch]
    const { atMs } = leftOff
    return [
      { fromMs: stretch.fromMs, toMs: Math.min(stretch.toMs, atMs) },
      { fromMs: Math.max(stretch.fromMs, atMs + 1), toMs: stretch.toMs },
    ]
  }

  const isKnownAt = (address: string, part: Stretch, isBelieved: (holding: Holding) => boolean = () => true): boolean => {
    const all = byAddress.get(address) ?? []
    return all.some((holding) => surelyHad(address, holding, part) && isBelieved(holding)) || nobodySince(address, all, part)
  }

  /** Nodes and Services only say since when they are there: an address of theirs may have been another's when that process knew of them last. */
  const isKnownOfPast = (past: LeftOff, before: Who) => (address: string, part: Stretch) =>
    isKnownAt(address, part, (holding) => isPod(holding.tenant) || !wasAnothers(past.had(address, holding.key), holding, before))

  const surelyHad = (address: string, holding: Holding, part: Stretch): boolean =>
    (holding.fromMs + skewMs <= part.fromMs || hadSince(address, holding, part.fromMs)) && holding.untilMs - skewMs >= part.toMs

  const hadSince = (address: string, { key }: Holding, atMs: number): boolean =>
    leftOff !== undefined && atMs >= leftOff.readAtMs && leftOff.had(address, key) === true

  /** That process knew of nobody who had it, or after whoever is on record as ended. */
  const nobodySince = (address: string, all: readonly Holding[], { fromMs, toMs }: Stretch): boolean =>
    leftOff !== undefined &&
    toMs <= leftOff.atMs &&
    (leftOff.had(address, NO_HOLDER) === true ||
      all.some((holding) => holding.fromMs + skewMs <= fromMs && leftOff?.had(address, holderOf(holding)) === true))

  const last = (address: string): Holding | undefined => byAddress.get(address)?.at(-1)

  /** Of whoever had it when hearing ended only the end may have been missed. */
  function candidatesFor(until: readonly Holding[], { fromMs }: Stretch): readonly Tenant[] {
    // What is told by now of the time of another process is told in full.
    const begins = missed.filter((one) => endOfTime(one) >= fromMs).map((one) => Math.max(one.fromMs, leftOff?.atMs ?? 0))
    const sinceMs = Math.min(...begins, fromMs)
    return until.filter(({ untilMs }) => untilMs + skewMs >= sinceMs).map(({ tenant }) => tenant)
  }

  function heldDuring(address: string, before: Who | undefined, stretch: Stretch): Held | undefined {
    const all = byAddress.get(address) ?? []
    const latest = all.at(-1)
    if (!latest) return undefined
    const mayHaveHad = ({ fromMs, untilMs }: Holding): boolean => fromMs - skewMs <= stretch.toMs && untilMs + skewMs >= stretch.fromMs
    const tenants = livingAmong(all.filter(mayHaveHad).map(({ tenant }) => tenant))
    const holders = tenants.map(({ who }) => who)
    // Somebody that is not on record had it, until the first on record came.
    const isOnRecord = before === undefined || isNobody(before) || all.some(({ tenant }) => isSame(tenant.who, before))
    if (!isOnRecord && all.every(({ fromMs }) => fromMs + skewMs >= stretch.fromMs)) holders.unshift(before)
    // Late bytes are of who had it last, not of who came afterwards.
    const until = all.filter(({ fromMs }) => fromMs - skewMs <= stretch.toMs)
    const past = until.at(-1)
    const { tenant } = past ?? latest
    if (mayHaveMissed(address, stretch, before)) return perhapsHeld(holders, candidatesFor(until, stretch), tenant)
    if (holders.length === 0) return { who: tenant.who, tenants: [tenant], isAmbiguous: false, isMissed: false, ...(past && endOf(past)) }
    return { ...merged(holders), tenants, isMissed: false }
  }

  function forget(endedBeforeMs: number, latestMs = Number.POSITIVE_INFINITY): void {
    // What nobody heard from the beginning on stays unheard; it is one time at most.
    missed = notAfter(missed, latestMs).filter(({ fromMs, toMs }) => fromMs === 0 || toMs >= endedBeforeMs)
    for (const [address, all] of byAddress) {
      const kept = all.filter(({ untilMs }) => untilMs >= endedBeforeMs)
      if (kept.length === 0) byAddress.delete(address)
      else if (kept.length < all.length) byAddress.set(address, kept)
    }
  }

  return {
    set,
    last,
    allOf: (address) => byAddress.get(address) ?? [],
    heldDuring,
    miss(unheard) {
      missed = withUnheard(missed, unheard)
    },
    resume(known) {
      leftOff = known
    },
    mayHaveMissed,
    forget,
    get size() {
      return byAddress.size
    },
  }
}

/** As `Identity.holderOf`. Who ended and who still has it differ, since only of the latter nobody can have come after. */
export const holderOf = ({ key, untilMs }: Holding): string => (untilMs === Number.POSITIVE_INFINITY ? key : `${key} ${untilMs}`)

/** Of an address that nobody has, and nobody left. */
export const NO_HOLDER = 'nobody'

/** Of a pod, when it ended; nodes and Services are only no longer told of. */
export const endOf = ({ tenant, untilMs }: Holding): Pick<Held, 'endedMs'> => (isPod(tenant) ? { endedMs: untilMs } : {})

/** A node is in no namespace; of what kind a pod's owner is anybody may say. */
export const isPod = ({ who, coverage }: Tenant): boolean => coverage === 'node' && who.namespace !== ''

/** A Service may have the address of a node (externalIPs, k3s): then it is the node that sends. */
function livingAmong(tenants: readonly Tenant[]): readonly Tenant[] {
  const living = tenants.filter(({ coverage }) => coverage === 'node')
  return living.length > 0 ? living : tenants
}

/** Where all agree there is no doubt: a workload's new pod with the address of its old one. */
export function merged(holders: readonly Who[]): Pick<Held, 'who' | 'isAmbiguous'> {
  const latest = holders.at(-1) as Who
  if (holders.every((who) => isSame(who, latest))) return { who: latest, isAmbiguous: false }
  const shared = (of: (who: Who) => string): string => (holders.every((who) => of(who) === of(latest)) ? of(latest) : UNKNOWN)
  const who: Who = {
    zone: shared(({ zone }) => zone),
    region: shared(({ region }) => region),
    namespace: UNKNOWN,
    kind: UNKNOWN,
    name: UNKNOWN,
    external: false,
  }
  return { who: Object.freeze(who), isAmbiguous: true }
}

const isNobody = ({ kind, name }: Who): boolean => kind === UNKNOWN && name === UNKNOWN

export function isSame(a: Who, b: Who): boolean {
  if (a === b) return true
  return a.zone === b.zone && a.region === b.region && hasSameName(a, b)
}

/** Wherever it is: that of a node may be told later. */
const hasSameName = (a: Who, b: Who): boolean => a.namespace === b.namespace && a.kind === b.kind && a.name === b.name

/** `had`: whether it was the holder as another process knew, `before`: who the address was to it. */
function wasAnothers(had: boolean | undefined, { tenant }: Holding, before: Who): boolean {
  if (had === true) return false
  return isNobody(before) ? had === false : !hasSameName(tenant.who, before)
}

/** By one of them, or by somebody who is not on record. `last`: who had it last, where there are none. */
function perhapsHeld(holders: readonly Who[], tenants: readonly Tenant[], last: Tenant): Held {
  return { ...merged([...holders, NOBODY]), isAmbiguous: true, tenants: tenants.length > 0 ? tenants : [last], isMissed: true }
}

/** For certain. */
export const heldBy = ({ tenant }: Holding): Held => ({ who: tenant.who, tenants: [tenant], isAmbiguous: false, isMissed: false })
