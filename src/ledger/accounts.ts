// What bytes are added up under: a flow series, a zone pair, or a line of the books.
import type { Clock } from '../deps.js'
import type { Scope, Series, Who } from '../model.js'
import type { Decisions } from './draft.js'
import type { OwnerRow } from './state.js'

export const OTHER = '_other'

/** Who, as far as labels go: two addresses with equal labels are one owner, whatever their region. */
export interface Owner {
  readonly id: number
  readonly zone: string
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

export interface Account extends Series {
  readonly key: string
  /** Beside whole units of it (carry.ts). */
  value: number
  units: number
  sinceMs: number
  /** By the monotonic clock: when it was opened, and when bytes were last added. */
  openedMs: number
  changedMs: number
  /** Idle for too long: not served, and its limit is given back. Its value is 0. */
  withdrawn: boolean
  readonly kind: 'flow' | 'fold' | 'zone' | 'book'
}

type Description = Pick<Account, 'kind' | 'labels'>

export interface Accounts {
  /** Those of phantom bytes among them: they share one limit. */
  readonly flows: ReadonlyMap<string, Account>
  readonly zones: ReadonlyMap<string, Account>
  readonly books: ReadonlyMap<string, Account>
  ownerOf(who: Pick<Who, 'zone' | 'namespace' | 'kind' | 'name'>): Owner
  owner(id: number): Owner
  owners(): Generator<OwnerRow>
  /** Restores an owner under the id that the state file knows it by. */
  restoreOwner(owner: Owner): void
  /** The two owners that a flow key is made of, and its scope; of a phantom key undefined. */
  endsOf(key: string): { source: Owner; destination: Owner; scope: Scope | undefined }
  flow(key: string, sinceMs: number): Account
  zone(key: string, sinceMs: number): Account
  book(name: string): Account
  byKey(key: string, sinceMs: number): Account
  remove(account: Account): void
}

export const ownerRowOf = (owner: Owner): OwnerRow => [owner.id, owner.zone, owner.namespace, owner.kind, owner.name]
export const flowKeyOf = (source: Owner, destination: Owner, scope: Scope): string => `f:${source.id}:${destination.id}:${scope}`
/** `destination`: without its zone. */
export const phantomKeyOf = (source: Owner, destination: Owner): string => `p:${source.id}:${destination.id}`
export const zoneKeyOf = (source: string, destination: string, scope: Scope): string => `z:${JSON.stringify([source, destination, scope])}`
export const isPhantom = ({ key }: Pick<Account, 'key'>): boolean => key.startsWith('p:')
const bookKeyOf = (name: string): string => `b:${name}`

export function createAccounts({ clock, onOwner }: { clock: Clock; onOwner: (owner: Owner) => void }): Accounts {
  const owners: Owner[] = []
  const ownerIds = new Map<string, Owner>()
  const flows = new Map<string, Account>()
  const zones = new Map<string, Account>()
  const books = new Map<string, Account>()

  function open(into: Map<string, Account>, { key, sinceMs }: { key: string; sinceMs: number }, describe: () => Description): Account {
    const { kind, labels } = describe()
    const nowMs = clock.monotonic()
    const account = {
      key,
      kind,
      labels: Object.freeze(labels),
      value: 0,
      units: 0,
      sinceMs,
      openedMs: nowMs,
      changedMs: nowMs,
      withdrawn: false,
    }
    into.set(key, account)
    return account
  }

  function restoreOwner(owner: Owner): void {
    owners[owner.id] = owner
    ownerIds.set(textOf(owner), owner)
  }

  function ownerOf(who: Pick<Who, 'zone' | 'namespace' | 'kind' | 'name'>): Owner {
    const known = ownerIds.get(textOf(who))
    if (known) return known
    const owner = Object.freeze({ id: owners.length, zone: who.zone, namespace: who.namespace, kind: who.kind, name: who.name })
    restoreOwner(owner)
    onOwner(owner)
    return owner
  }

  function owner(id: number): Owner {
    const known = owners[id]
    if (!known) throw new Error(`owner ${id} is not in the state file`)
    return known
  }

  function* ownerRows(): Generator<OwnerRow> {
    for (const owner of ownerIds.values()) yield ownerRowOf(owner)
  }

  function endsOf(key: string): ReturnType<Accounts['endsOf']> {
    const [, source, destination, scope] = key.split(':')
    return { source: owner(Number(source)), destination: owner(Number(destination)), scope: scope as Scope | undefined }
  }

  function flow(key: string, sinceMs: number): Account {
    return flows.get(key) ?? open(flows, { key, sinceMs }, () => labelsOf(endsOf(key)))
  }

  function zone(key: string, sinceMs: number): Account {
    return zones.get(key) ?? open(zones, { key, sinceMs }, () => zoneLabels(key))
  }

  function book(name: string): Account {
    const key = bookKeyOf(name)
    return books.get(key) ?? open(books, { key, sinceMs: 0 }, () => ({ kind: 'book', labels: {} }))
  }

  function byKey(key: string, sinceMs: number): Account {
    if (key.startsWith('f:') || isPhantom({ key })) return flow(key, sinceMs)
    return key.startsWith('z:') ? zone(key, sinceMs) : book(key.slice(2))
  }

  const remove = (account: Account): void => void flows.delete(account.key)

  return { flows, zones, books, ownerOf, owner, owners: ownerRows, restoreOwner, endsOf, flow, zone, book, byKey, remove }
}

/** Returns what adds to the time in which nothing was counted. */
export const gapsInto =
  ({ accounts, decisions }: { readonly accounts: Pick<Accounts, 'book'>; readonly decisions: Pick<Decisions, 'adjust'> }) =>
  (ms: number): void => {
    accounts.book('gapMs').value += Math.max(0, ms)
    decisions.adjust(accounts.book('gapMs'), Math.max(0, ms))
  }

function textOf(who: Pick<Who, 'zone' | 'namespace' | 'kind' | 'name'>): string {
  return JSON.stringify([who.zone, who.namespace, who.kind, who.name])
}

const labelsOf = (ends: ReturnType<Accounts['endsOf']>): Description =>
  ends.scope === undefined ? phantomLabels(ends) : flowLabels({ ...ends, scope: ends.scope })

const kindOf = (source: Owner): Account['kind'] => (source.name === OTHER ? 'fold' : 'flow')

/** One literal: objects made by spreading others have a hidden class each (V8 11.3), which takes more memory than the labels. */
function flowLabels({ source, destination, scope }: { source: Owner; destination: Owner; scope: Scope }): Description {
  const labels = {
    src_zone: source.zone,
    src_namespace: source.namespace,
    src_owner_kind: source.kind,
    src_owner_name: source.name,
    dst_zone: destination.zone,
    dst_namespace: destination.namespace,
    dst_owner_kind: destination.kind,
    dst_owner_name: destination.name,
    scope,
  }
  return { kind: kindOf(source), labels }
}

function phantomLabels({ source, destination }: { source: Owner; destination: Owner }): Description {
  const labels = {
    src_zone: source.zone,
    src_namespace: source.namespace,
    src_owner_kind: source.kind,
    src_owner_name: source.name,
    dst_namespace: destination.namespace,
    dst_owner_kind: destination.kind,
    dst_owner_name: destination.name,
  }
  return { kind: kindOf(source), labels }
}

function zoneLabels(key: string): Description {
  const [source = '', destination = '', scope = ''] = JSON.parse(key.slice(2)) as string[]
  return { kind: 'zone', labels: { src_zone: source, dst_zone: destination, scope } }
}
