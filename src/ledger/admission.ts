// The series budget: the first owners pairs get a series of their own, the rest is folded into _other; the idle give theirs back.
import type { Clock } from '../deps.js'
import type { Identity, Scope } from '../model.js'
import type { Account, Accounts, Owner } from './accounts.js'
import { flowKeyOf, isPhantom, OTHER, phantomKeyOf, zoneKeyOf } from './accounts.js'
import type { Decisions } from './draft.js'
import type { Route } from './routes.js'
import { zoneScopeOf } from './scope.js'

const MAX_ZERO_ZONES = 32
/** No zone of ours. */
const OUTSIDE = ''

export interface Admission {
  /** The series of an owner pair, or the one that it is folded into. */
  flowOf(source: Owner, destination: Owner, scope: Scope): Account
  /** The same for phantom bytes. It takes no place of the limit, and is not served, before there are any. */
  phantomOf(source: Owner, destination: Owner): Account
  /** All pairs of known zones, and each with the outside, at 0; of very many zones only those that bytes come from, since their pairs grow with the square. */
  openZones(zones: Identity['zones']): void
  /** Zone pairs have no limit. */
  zoneOf(source: string, destination: string, scope: Scope): Account
  /** From now on this owner pair has no series of its own; returns the one that it goes to, whose zones are exact. */
  foldAway(account: Account): Account
  /** Owner pairs that none of these needs any more start afresh; one of these, or of what is folded, at a step. */
  unfoldUnused(used: Iterable<Pick<Route, 'source' | 'destination' | 'scope'>>): Generator<void>
  /** Takes a series off the budget; its bytes stay in the zone totals. */
  withdraw(account: Account): void
  /** Puts a withdrawn series back; false when the budget is used. */
  readmit(account: Account): boolean
  restore(folded: Iterable<string>): void
  readonly folded: ReadonlySet<string>
  readonly served: number
}

export interface AdmissionParts {
  readonly accounts: Accounts
  readonly decisions: Decisions
  readonly limit: number
  readonly clock: Pick<Clock, 'monotonic'>
  /** When a series began that has its first bytes now: with the reading before, in which they were not. */
  readonly beganMs: () => number
}

export function createAdmission({ accounts, decisions, limit, clock, beganMs }: AdmissionParts): Admission {
  const folded = new Set<string>()

  const served = (): number => {
    let count = 0
    for (const account of accounts.flows.values()) if (account.kind === 'flow' && !account.withdrawn) count++
    return count
  }
  let used = 0

  function open(key: string): Account {
    const account = accounts.flow(key, beganMs())
    decisions.opened(account)
    return account
  }

  function zoneOf(source: string, destination: string, scope: Scope): Account {
    const key = zoneKeyOf(source, destination, scope)
    const known = accounts.zones.get(key)
    if (known) return known
    const account = accounts.zone(key, beganMs())
    decisions.opened(account)
    return account
  }

  function openZones(zones: Identity['zones']): void {
    if (zones.length > MAX_ZERO_ZONES) return
    for (const source of zones) for (const destination of zones) zoneOf(source.zone, destination.zone, zoneScopeOf(source, destination))
    for (const { zone } of zones) {
      zoneOf(zone, OUTSIDE, 'to_external')
      zoneOf(OUTSIDE, zone, 'from_external')
    }
  }

  function foldOf(folded: string): Account {
    const hide = (owner: Owner): Owner => accounts.ownerOf({ zone: owner.zone, namespace: OTHER, kind: OTHER, name: OTHER })
    const { source, destination, scope } = accounts.endsOf(folded)
    const [from, to] = [hide(source), hide(destination)]
    const key = scope === undefined ? phantomKeyOf(from, to) : flowKeyOf(from, to, scope)
    return accounts.flows.get(key) ?? open(key)
  }

  /** To whichever zone they were sent. */
  const phantomKey = (source: Owner, destination: Owner): string => phantomKeyOf(source, accounts.ownerOf({ ...destination, zone: '' }))

  function fold(key: string): void {
    folded.add(key)
    decisions.folded(key)
  }

  function flowOf(source: Owner, destination: Owner, scope: Scope): Account {
    const key = flowKeyOf(source, destination, scope)
    const known = accounts.flows.get(key)
    if (known && !folded.has(key)) return known
    if (!folded.has(key) && used < limit) {
      used++
      return open(key)
    }
    if (!folded.has(key)) fold(key)
    return foldOf(key)
  }

  function phantomOf(source: Owner, destination: Owner): Account {
    const key = phantomKey(source, destination)
    if (folded.has(key)) return foldOf(key)
    const known = accounts.flows.get(key)
    if (known) return known
    const account = open(key)
    account.withdrawn = true
    decisions.withdrawn(account)
    return account
  }

  function foldAway({ key }: Account): Account {
    fold(key)
    return foldOf(key)
  }

  function withdraw(account: Account): void {
    decisions.adjust(account, -account.value)
    decisions.withdrawn(account)
    account.value = 0
    account.units = 0
    account.withdrawn = true
    used--
  }

  function readmit(account: Account): boolean {
    if (used >= limit) return false
    used++
    account.withdrawn = false
    account.sinceMs = beganMs()
    account.openedMs = clock.monotonic()
    decisions.opened(account)
    return true
  }

  function restore(keys: Iterable<string>): void {
    for (const key of keys) folded.add(key)
    used = served()
  }

  function* unfoldUnused(used: Iterable<Pick<Route, 'source' | 'destination' | 'scope'>>): Generator<void> {
    let phantoms = 0
    for (const key of folded) {
      if (isPhantom({ key })) phantoms++
      yield
    }
    const needed = new Set<string>()
    const need = (key: string): unknown => folded.has(key) && needed.add(key)
    for (const { source, destination, scope } of used) {
      need(flowKeyOf(source, destination, scope))
      // To name one makes an owner where there is none yet.
      if (phantoms > 0) need(phantomKey(source, destination))
      yield
    }
    for (const key of folded) {
      if (!needed.has(key)) folded.delete(key)
      yield
    }
  }

  return {
    flowOf,
    phantomOf,
    zoneOf,
    openZones,
    foldAway,
    unfoldUnused,
    withdraw,
    readmit,
    restore,
    folded,
    get served() {
      return used
    },
  }
}
