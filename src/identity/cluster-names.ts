// What the cluster says of addresses, as of now and as of the time of the bytes. What it has not told of yet may still be told: those bytes
// wait, and only after `patienceMs` the best answer there is stands.
import type { Placement, Stretch, Who } from '../model.js'
import { type Address, parseAddress } from './address.js'
import { type Called, createCalledDuring } from './called.js'
import type { ClusterChanges, ClusterOptions } from './cluster-changes.js'
import { createDoubt } from './doubt.js'
import { createPlaceDuring } from './during.js'
import { createEndedPods, type EndedPods } from './ended-pods.js'
import { createHearing } from './hearing.js'
import { createHolders, endOf, type Held, type Holding, heldBy, NOBODY } from './holders.js'
import { createNobodys, type Nobodys } from './nobodys.js'
import { createNodeCoverage } from './node-coverage.js'
import { createOutsiders, isOutsider } from './outsiders.js'
import { createPlacing, type Home, isPending, missed, missedOf, NOT_TOLD, notTwice } from './placing.js'
import { rangesTable } from './ranges.js'
import { createResuming, type Resumed } from './resuming.js'
import type { Tenancy, Zone } from './tenancies.js'
import { createWaiting, type Waiting } from './waiting.js'

/** `isOutside`: no pod can have the address. */
export interface Since extends Stretch {
  readonly isOutside?: boolean
}

export interface ClusterNames extends EndedPods, Nobodys, Resumed {
  /** Whether an answer may have changed. */
  apply(changes: ClusterChanges, nowMs: number): boolean
  /** Undefined: nobody has it that the cluster told of. */
  place(address: string, nowMs: number): Placement | undefined
  /** Who is said to be at an address that nobody of the cluster has. */
  placeOutside(address: string): Placement | undefined
  /** As `Identity.placeSince`; undefined: as it was before, or as of nobody. */
  placeSince(address: string, before: Placement | undefined, stretch: Since): Placement | undefined
  /** As `Identity.placeDuring`; undefined: nothing more is known. */
  placeDuring(address: string, now: Placement, stretch: Stretch): Placement | undefined
  /** As `ChangingIdentity.called`; undefined: nobody of the cluster ever had it. */
  called(address: string, stretch: Stretch): Called | undefined
  /** The node itself, at one of its addresses; as of the beginning of that time. */
  here(address: string, who: Who, stretch: Stretch): Placement
  /** Whether one of the addresses was asked for since the last change. */
  isUsed(tenancies: readonly Tenancy[]): boolean
  /** Whether one that was asked for is nobody's by now, since whoever had it has ended, and that is still to be applied. */
  hasEnded(nowMs: number): boolean
  /** Addresses that were asked for since the last change. */
  readonly used: ReadonlySet<string>
  readonly zones: readonly Zone[]
  readonly waiting: Waiting
}

/** Late bytes of the dead are still theirs for so long. */
const REMEMBERED_MS = 3_600_000
const FORGET_EVERY_MS = 60_000

export function createClusterNames(options: ClusterOptions): ClusterNames {
  const { node, patienceMs, skewMs, readEveryMs, isBehindUs, monotonic, doubtMs = () => 0, stops = () => 0 } = options
  const here: Home = { node, coverage: 'node' }
  const holders = createHolders({ skewMs })
  const isInNewDoubt = createDoubt(holders, doubtMs)
  const outsiders = createOutsiders()
  const coverage = createNodeCoverage(node, { patienceMs, readEveryMs, monotonic, doubtMs })
  const placed = createPlacing(coverage, doubtMs)
  const waiting = createWaiting(patienceMs, monotonic)
  const resuming = createResuming({ holders, waiting, isCurrent: () => hearing.isCurrent, heardSinceMs: () => hearing.sinceMs })
  const hearing = createHearing({ node, skewMs, isResumed: resuming.isResumed, stops, monotonic })
  const { isDoubtful } = hearing
  let ranges = rangesTable([])
  let used = new Set<string>()
  let zones: readonly Zone[] = []
  /** When those who leave their addresses will have left them, and of others when there is more to say of them. */
  let ends: { readonly address: string; readonly atMs: number }[] = []
  let forgetAtMs = 0

  /** Which agent posts is not waited for longer than who it is. */
  function settled(address: string, placement: Placement, { fromMs, toMs, isHeld }: Stretch & { readonly isHeld: boolean }): Placement {
    if (isPending(placement)) {
      return waiting.waits(address, toMs, fromMs) ? placement : Object.freeze({ ...placement, ...missed(placement) })
    }
    if (isHeld) waiting.end(address)
    return placement
  }

  const waitedSince = (address: string, fromMs: number): number => Math.min(fromMs, waiting.sinceMs(address) ?? fromMs)

  function hold(tenancy: Tenancy): void {
    holders.set(tenancy.address, tenancy)
    const { address, untilMs } = tenancy
    if (untilMs !== Number.POSITIVE_INFINITY) ends.push({ address, atMs: untilMs + skewMs })
  }

  const takeIn = (tenancy: Tenancy): void => (tenancy.tenant.coverage === 'outside' ? outsiders.put(tenancy) : hold(tenancy))

  /** Whether an address is nobody's by that. */
  function forget(nowMs: number): boolean {
    if (nowMs < forgetAtMs && nowMs + FORGET_EVERY_MS >= forgetAtMs) return false
    forgetAtMs = nowMs + FORGET_EVERY_MS
    const { size } = holders
    // What waits may be of any time that it was of late.
    const latestMs = nowMs + doubtMs()
    holders.forget(nowMs - REMEMBERED_MS - doubtMs(), latestMs)
    hearing.notAfter(latestMs)
    return holders.size < size
  }

  /** What changes by time alone. */
  function isAnyOver(nowMs: number): boolean {
    const hasEnded = ends.some(({ atMs }) => atMs <= nowMs + doubtMs())
    if (hasEnded) ends = ends.filter(({ atMs }) => atMs > nowMs + doubtMs())
    const isOver = waiting.isAnyOver(nowMs)
    const hasForgotten = forget(nowMs)
    return isOver || hasForgotten || hasEnded
  }

  function takeAll({ tenancies = [], unheard = [], ranges: changed }: ClusterChanges): boolean {
    for (const tenancy of tenancies) takeIn(tenancy)
    for (const stretch of unheard) holders.miss(stretch)
    if (changed) ranges = rangesTable(changed)
    return tenancies.length + unheard.length > 0 || changed !== undefined
  }

  function apply(changes: ClusterChanges, nowMs: number): boolean {
    const { covering, standing } = changes
    const isTold = [takeAll(changes), isInNewDoubt(nowMs)].includes(true)
    zones = changes.zones ?? zones
    const isHeardOtherwise = hearing.follow(changes, nowMs)
    if (covering) coverage.putOthers(covering, nowMs, changes.toldOf, hearing.toldAfterMs)
    if (standing) coverage.putSelf(standing, nowMs, hearing.toldAfterMs)
    const isOther = coverage.followClock() || isHeardOtherwise
    const hasChanged = isAnyOver(nowMs) || isOther || isTold || covering !== undefined || standing !== undefined
    if (hasChanged) used = new Set()
    return hasChanged
  }

  function place(address: string, nowMs: number, fromMs = nowMs): Placement | undefined {
    used.add(address)
    const last = holders.last(address)
    if (!last) return undefined
    const isInDoubt = isDoubtful(last, waitedSince(address, fromMs))
    const isHeld = last.untilMs + skewMs > nowMs && !isInDoubt
    // Whoever gets it next is not known at once.
    if (!isHeld && waiting.waits(address, nowMs, fromMs)) return Object.freeze({ ...NOT_TOLD, ...(isInDoubt ? {} : endOf(last)) })
    // What waited is decided; what comes from now on is his again.
    if (isInDoubt && !isDoubtful(last, Number.POSITIVE_INFINITY)) ends.push({ address, atMs: Math.max(nowMs, last.fromMs + skewMs) })
    const held = isHeld ? heldBy(last) : leftBy(last, address, { fromMs, toMs: nowMs, isInDoubt })
    const placement = inDoubt(placedHeld(address, held, [fromMs, nowMs]), last)
    return settled(address, placement, { fromMs, toMs: nowMs, isHeld: isHeld && !isPending(placement) })
  }

  /** Late bytes are of who had it last, unless somebody may have had it since. */
  function leftBy(last: Holding, address: string, { isInDoubt, ...stretch }: Stretch & { readonly isInDoubt: boolean }): Held {
    const isMissed = !isInDoubt && holders.mayHaveMissed(address, stretch)
    if (!isMissed && !isInDoubt) return { ...heldBy(last), ...endOf(last) }
    const { tenants } = holders.heldDuring(address, undefined, stretch) ?? heldBy(last)
    return { who: NOBODY, tenants, isAmbiguous: isMissed, isMissed }
  }

  /** Of somebody who is not known nobody knows the node either, but where the address is behind this one. */
  function placedHeld(address: string, held: Held, times: readonly number[]): Placement {
    const placement = placed(held, times)
    if (!held.isMissed || isPending(placement)) return placement
    if (placement.local !== 'no' && isBehindUs(parseAddress(address) as Address)) return placement
    return Object.freeze({ ...placement, ...missed(placement) })
  }

  /** Nor whether its node has an agent by now. */
  const inDoubt = (placement: Placement, { tenant }: Holding): Placement =>
    hearing.isStale && tenant.coverage === 'node' && placement.local === 'no' && placement.covered === 'no'
      ? Object.freeze({ ...placement, covered: 'unknown' })
      : placement

  const calledDuring = createCalledDuring({ holders, skewMs, isDoubtful })

  function placeSince(address: string, before: Placement | undefined, stretch: Since): Placement | undefined {
    used.add(address)
    // Whatever was waited for is over: nothing was seen of it for long.
    if (!before) waiting.end(address)
    const last = holders.last(address)
    if (!last) return outsiderSince(address, before, stretch)
    const { fromMs, toMs } = stretch
    const isDecided = before !== undefined && !isPending(before)
    const sinceMs = isDecided ? fromMs : waitedSince(address, fromMs)
    if (isDoubtful(last, sinceMs)) return place(address, toMs, sinceMs)
    // It was nobody's, as far as was told.
    if (last.untilMs + skewMs < sinceMs) {
      const isCertain = isDecided && !holders.mayHaveMissed(address, { fromMs: sinceMs, toMs })
      return isCertain ? undefined : place(address, toMs, sinceMs)
    }
    return placeHeld(address, before, { fromMs: sinceMs, toMs, readMs: fromMs })
  }

  const outsiderSince = (address: string, before: Placement | undefined, { isOutside = false, ...stretch }: Since) =>
    before && !isOutside && isOutsider(before.who) && holders.mayHaveMissed(address, stretch) ? missedOf(before) : undefined

  /** `readMs`: of the last reading; what is older has waited. */
  function placeHeld(
    address: string,
    before: Placement | undefined,
    { fromMs, toMs, readMs }: Stretch & { readonly readMs: number },
  ): Placement | undefined {
    const known = before && !isOutsider(before.who) ? before.who : undefined
    const held = holders.heldDuring(address, known, { fromMs, toMs })
    if (!held || held.tenants.length === 0) return before
    return settled(address, notTwice(held, placedHeld(address, held, [fromMs, readMs]), before), { fromMs, toMs, isHeld: true })
  }

  const nobodys = createNobodys({
    ...{ here, waiting, holders, hearing, isDeaf: resuming.isDeaf, placed, settled, waitedSince, isBehindUs },
    ranges: () => ranges,
  })
  const placeDuring = createPlaceDuring({ holders, isDoubtful, placedHeld, isAsVague: resuming.isAsVague })

  return {
    apply,
    place,
    placeDuring,
    called(address, stretch) {
      used.add(address)
      return calledDuring(address, stretch, hearing.sinceMs)
    },
    ...resuming,
    ...createEndedPods({ holders, skewMs, isDoubtful, ranges: () => (hearing.isCurrent ? ranges : undefined) }),
    placeOutside: outsiders.place,
    ...nobodys,
    placeSince,
    waiting,
    here: (address, who, stretch) =>
      settled(address, placed({ who, tenants: [here], isAmbiguous: false }, [stretch.fromMs]), { ...stretch, isHeld: true }),
    isUsed: (tenancies) => tenancies.some(({ address }) => used.has(address)),
    hasEnded: (nowMs) => ends.some(({ address, atMs }) => atMs <= nowMs + doubtMs() && used.has(address)),
    get used() {
      return used
    },
    get zones() {
      return zones
    },
  }
}
