// Who has which address, or had it within the last hour, and who asks for it. Addresses are small integers here: an address that nobody asks
// for and nobody has gives its id to another. Every change has a revision, so that who was away hears of nothing else.
import { addressText } from '../formats/address-text.js'
import { parseAddress } from '../identity/address.js'
import type { Tenancy } from '../identity/tenancies.js'
import type { Stretch } from '../model.js'
import { createIds } from './ids.js'

export interface Book {
  /** Answers the ids of the addresses that they are of. `now`: between which times it is, as far as a clock can say. */
  put(tenancies: readonly Tenancy[], now: Stretch): readonly number[]
  /** Drops whoever is known for an hour to have ended. */
  forget(): void
  /** Counts one that asks. Undefined where it is no canonical text of an address. */
  ask(address: string): number | undefined
  unask(id: number): void
  find(address: string): number | undefined
  /** What is asked for anew is news to whoever asks, although nothing has changed. */
  isNews(ids: Iterable<number>): void
  /** The revision of a change of something else. */
  nextRevision(): number
  readonly revision: number
  /** Of the last change of an address. */
  revisionOf(id: number): number
  /** What ended before it is forgotten: who was away since then, or longer, has to hear all anew. */
  readonly forgottenRevision: number
  /** Who ended up to then may be forgotten; 0: nobody is. */
  readonly forgottenMs: number
  addressOf(id: number): string
  tenanciesOf(id: number): readonly Tenancy[]
  /** By somebody of the cluster. */
  isHeld(id: number): boolean
  /** Addresses that are asked for and that nobody has. */
  nobodys(): Iterable<number>
  /** Names of all nodes that somebody is on. */
  nodesInUse(): Iterable<string>
  /** Addresses that somebody has or had. */
  readonly known: number
  readonly asked: number
  /** Of both. */
  readonly size: number
}

interface Ended {
  readonly id: number
  readonly tenancy: Tenancy
  readonly revision: number
  /** By a clock that never jumps. */
  readonly heardMs: number
  /** By the node's clock, but no later than it was heard. */
  readonly endMs: number
}

/** For so long it is known who ended. */
export const REMEMBERED_MS = 3_600_000
/** Pods that ended: past it the first are forgotten sooner. */
const MOST_ENDED = 200_000
const NOBODY: readonly Tenancy[] = []

export function createBook({ monotonic }: { monotonic(): number }): Book {
  const ids = createIds()
  /** Most have one: an array for each would be 6 MB of 100,000. */
  const held: (Tenancy | readonly Tenancy[])[] = []
  const asks: number[] = []
  const revisions: number[] = []
  let ended: Ended[] = []
  let revision = 0
  let forgottenRevision = 0
  let forgottenMs = 0
  let known = 0
  let asked = 0

  function idOf(address: string): number {
    return ids.find(address) ?? create(address)
  }

  function create(address: string): number {
    const id = ids.create(address)
    held[id] = NOBODY
    asks[id] = 0
    revisions[id] = 0
    return id
  }

  const tenanciesOf = (id: number): readonly Tenancy[] => listOf(held[id] ?? NOBODY)
  const asksOf = (id: number): number => asks[id] ?? 0
  const isHeld = (id: number): boolean => tenanciesOf(id).some(isHolding)

  function hold(id: number, tenancies: readonly Tenancy[]): void {
    known += Number(tenancies.length > 0) - Number(tenanciesOf(id).length > 0)
    held[id] = tenancies.length === 1 ? (tenancies[0] ?? NOBODY) : tenancies
    release(id)
  }

  function release(id: number): void {
    if (asksOf(id) === 0 && tenanciesOf(id).length === 0) ids.release(id)
  }

  /** Undefined where it ended long ago, and nobody heard of it. */
  function putOne(tenancy: Tenancy, now: Stretch): number | undefined {
    const { address, key, untilMs } = tenancy
    const before = tenanciesOf(ids.find(address) ?? -1)
    const isLongOver = untilMs < now.fromMs - REMEMBERED_MS
    if (isLongOver && before.every((other) => other.key !== key)) return undefined
    const id = idOf(address)
    hold(id, [...before.filter((other) => other.key !== key), tenancy])
    revisions[id] = revision
    if (untilMs !== Number.POSITIVE_INFINITY)
      ended.push({ id, tenancy, revision, heardMs: monotonic(), endMs: Math.min(untilMs, now.toMs) })
    return id
  }

  function forgetOne({ id, tenancy, endMs, revision: ofEnd }: Ended): void {
    const left = tenanciesOf(id).filter((other) => other !== tenancy)
    // Told of again since, or gone with its address.
    if (left.length === tenanciesOf(id).length) return
    forgottenRevision = ofEnd
    forgottenMs = Math.max(forgottenMs, endMs)
    hold(id, left)
  }

  return {
    put(tenancies, now) {
      if (tenancies.length === 0) return []
      revision++
      return tenancies.flatMap((tenancy) => putOne(tenancy, now) ?? [])
    },
    forget() {
      const sinceMs = monotonic() - REMEMBERED_MS
      const isOver = ({ heardMs }: Ended, index: number): boolean => heardMs < sinceMs || ended.length - index > MOST_ENDED
      const firstKept = ended.findIndex((one, index) => !isOver(one, index))
      const over = firstKept < 0 ? ended : ended.slice(0, firstKept)
      ended = firstKept < 0 ? [] : ended.slice(firstKept)
      for (const one of over) forgetOne(one)
    },
    ask(address) {
      const id = ids.find(address) ?? (isCanonical(address) ? create(address) : undefined)
      if (id === undefined) return undefined
      asks[id] = asksOf(id) + 1
      if (asks[id] === 1) asked++
      return id
    },
    unask(id) {
      asks[id] = asksOf(id) - 1
      if (asks[id] === 0) asked--
      release(id)
    },
    find: ids.find,
    isNews(news) {
      revision++
      for (const id of news) revisions[id] = revision
    },
    nextRevision: () => ++revision,
    revisionOf: (id) => revisions[id] ?? 0,
    addressOf: ids.nameOf,
    tenanciesOf,
    isHeld,
    *nobodys() {
      for (let id = 0; id < ids.size; id++) if (asksOf(id) > 0 && !isHeld(id)) yield id
    },
    *nodesInUse() {
      for (const one of held) for (const { tenant } of listOf(one)) yield tenant.node
    },
    get revision() {
      return revision
    },
    get forgottenRevision() {
      return forgottenRevision
    },
    get forgottenMs() {
      return forgottenMs
    },
    get known() {
      return known
    },
    get asked() {
      return asked
    },
    get size() {
      return ids.inUse
    },
  }
}

const listOf = (held: Tenancy | readonly Tenancy[]): readonly Tenancy[] => ('length' in held ? held : [held])

const isHolding = ({ untilMs, tenant }: Tenancy): boolean => untilMs === Number.POSITIVE_INFINITY && tenant.coverage !== 'outside'

function isCanonical(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && addressText(address) === text
}
