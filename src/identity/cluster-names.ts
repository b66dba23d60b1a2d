// What the cluster says of addresses, as of now and as of the time of the bytes. What it has not told of yet may still be told: those bytes
// wait, and only after `patienceMs` the best answer there is stands.
import type { Placement, Who } from '../model.js'
import { type Address, parsePrefix } from './address.js'
import { createHolders, type Held, type Stretch, type Tenant } from './holders.js'
import { createNodeCoverage, type Standing } from './node-coverage.js'
import { createPrefixTable } from './prefix-table.js'
import type { NodeRange, Tenancy, Zone } from './tenancies.js'
import { createWaiting } from './waiting.js'

/** What is left out stays. */
export interface ClusterChanges {
  readonly tenancies?: readonly Tenancy[]
  readonly ranges?: readonly NodeRange[] | undefined
  readonly zones?: readonly Zone[] | undefined
  /** Names of the nodes whose agents post what lives there. */
  readonly covering?: ReadonlySet<string> | undefined
  /** Of this node. */
  readonly standing?: Standing
  /** All that was there has been told, and changes follow at once. */
  readonly isCurrent?: boolean
}

export interface ClusterOptions {
  /** The node that this agent runs on. */
  readonly node: string
  readonly patienceMs: number
  readonly skewMs: number
  /** Whether the kernel routes to it over a device that is no uplink: it lives here, whoever it is. */
  readonly isBehindUs: (address: Address) => boolean
}

export interface ClusterNames {
  /** Whether an answer may have changed. */
  apply(changes: ClusterChanges, nowMs: number): boolean
  /** Undefined: nobody has it that the cluster told of. */
  place(address: string, nowMs: number): Placement | undefined
  /** Of an address that nobody has. `otherwise`: who it is if it is not of the cluster. */
  placeOfNobody(text: string, address: Address, otherwise: Placement, nowMs: number): Placement
  /** As `Identity.placeSince`; undefined: as it was before. */
  placeSince(
    address: string,
    before: Placement | undefined,
    stretch: { readonly fromMs: number; readonly toMs: number },
  ): Placement | undefined
  /** The node itself, as of a time. */
  here(who: Who, atMs: number): Placement
  /** Whether one of the addresses was asked for since the last change. */
  isUsed(tenancies: readonly Tenancy[]): boolean
  readonly zones: readonly Zone[]
}

const UNKNOWN = '_unknown'
const NOBODY: Who = Object.freeze({ zone: UNKNOWN, region: UNKNOWN, namespace: UNKNOWN, kind: UNKNOWN, name: UNKNOWN, external: false })
const NOT_TOLD: Placement = Object.freeze({ who: NOBODY, local: 'unknown', covered: 'unknown' })
/** Late bytes of the dead are still theirs for so long. */
const REMEMBERED_MS = 3_600_000
const FORGET_EVERY_MS = 60_000

export function createClusterNames({ node, patienceMs, skewMs, isBehindUs }: ClusterOptions): ClusterNames {
  const holders = createHolders({ skewMs })
  const coverage = createNodeCoverage(node)
  const waiting = createWaiting(patienceMs)
  let ranges = createPrefixTable<Tenant>()
  let used = new Set<string>()
  let zones: readonly Zone[] = []
  let isCurrent = false
  /** When those who leave their addresses will have left them. */
  let ends: readonly number[] = []
  let forgetAtMs = 0

  const placed = (who: Who, tenant: Pick<Tenant, 'node' | 'coverage'>, atMs: number): Placement =>
    Object.freeze({ who, ...coverage.answersFor(tenant, atMs) })

  function hold(tenancy: Tenancy): void {
    holders.set(tenancy.address, tenancy)
    if (tenancy.untilMs !== Number.POSITIVE_INFINITY) ends = [...ends, tenancy.untilMs + skewMs]
  }

  /** What changes by time alone. */
  function isAnyOver(nowMs: number): boolean {
    if (nowMs >= forgetAtMs) holders.forget(nowMs - REMEMBERED_MS)
    if (nowMs >= forgetAtMs) forgetAtMs = nowMs + FORGET_EVERY_MS
    const hasEnded = ends.some((endMs) => endMs <= nowMs)
    if (hasEnded) ends = ends.filter((endMs) => endMs > nowMs)
    return waiting.isAnyOver(nowMs) || hasEnded
  }

  function apply(changes: ClusterChanges, nowMs: number): boolean {
    const { tenancies = [], covering, standing } = changes
    for (const tenancy of tenancies) hold(tenancy)
    if (changes.ranges) ranges = createPrefixTable(rowsOf(changes.ranges))
    zones = changes.zones ?? zones
    if (covering) coverage.putOthers(covering, nowMs)
    if (standing) coverage.putSelf(standing, nowMs)
    isCurrent = changes.isCurrent ?? isCurrent
    const isOver = isAnyOver(nowMs)
    const hasChanged = isOver || tenancies.length > 0 || changes.ranges !== undefined || covering !== undefined || standing !== undefined
    if (hasChanged) used = new Set()
    return hasChanged
  }

  function place(address: string, nowMs: number): Placement | undefined {
    used.add(address)
    const last = holders.last(address)
    if (!last) return undefined
    if (last.untilMs + skewMs <= nowMs) {
      // Whoever gets it next is not known at once.
      if (waiting.waits(address, nowMs)) return NOT_TOLD
    } else waiting.end(address)
    return placed(last.tenant.who, last.tenant, nowMs)
  }

  function placeOfNobody(text: string, address: Address, otherwise: Placement, nowMs: number): Placement {
    if (waiting.waits(text, nowMs)) return NOT_TOLD
    const range = ranges.lookup(address)
    if (range) return placed(otherwise.who, range, nowMs)
    if (isBehindUs(address)) return placed(otherwise.who, { node, coverage: 'node' }, nowMs)
    // Where the cluster could not be asked it may be a pod that another agent posts for: then rather missed than twice.
    return isCurrent ? otherwise : { ...otherwise, covered: 'yes' }
  }

  function placeSince(address: string, before: Placement | undefined, stretch: Stretch): Placement | undefined {
    const last = holders.last(address)
    if (!last) return undefined
    const waitedFromMs = before?.local === 'unknown' ? waiting.sinceMs(address) : undefined
    const fromMs = Math.min(stretch.fromMs, waitedFromMs ?? stretch.fromMs)
    // It was nobody's, as far as was told.
    if (last.untilMs + skewMs < fromMs) return before ? undefined : place(address, stretch.toMs)
    const held = holders.heldDuring(address, before?.who, { fromMs, toMs: stretch.toMs })
    return held?.tenant ? placedAs({ ...held, tenant: held.tenant }, stretch.fromMs) : before
  }

  function placedAs({ who, tenant, isAmbiguous }: Held & { readonly tenant: Tenant }, atMs: number): Placement {
    const placement = placed(who, tenant, atMs)
    return isAmbiguous ? Object.freeze({ ...placement, ambiguous: true as const }) : placement
  }

  return {
    apply,
    place,
    placeOfNobody,
    placeSince,
    here: (who, atMs) => placed(who, { node, coverage: 'node' }, atMs),
    isUsed: (tenancies) => tenancies.some(({ address }) => used.has(address)),
    get zones() {
      return zones
    },
  }
}

function* rowsOf(ranges: readonly NodeRange[]) {
  for (const { cidr, node } of ranges) {
    const prefix = parsePrefix(cidr)
    if (prefix) yield [prefix, { who: NOBODY, node, coverage: 'node' } satisfies Tenant] as const
  }
}
