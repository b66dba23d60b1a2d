// One agent that listens: what it asks for, and what it has still to be told. Both are bitmaps, and a line is made only when its connection
// takes one: so whoever reads slowly costs no more than the others, and hears of many changes of an address once.
import type { NodeRange, Tenancy, Zone } from '../identity/tenancies.js'
import { withUnheard } from '../identity/unheard.js'
import type { Stretch } from '../model.js'
import { createBits } from './bits.js'
import type { Book } from './book.js'
import type { Covering } from './covering.js'
import { type NodeCovers, nodesLine, openingLine, rangesLine, revisionLine, tenanciesLine, unheardLine, zonesLine } from './lines.js'
import type { Ranges } from './ranges.js'

export interface Connection {
  /** `sent`: it takes more, once the kernel has all of this. */
  write(text: string, sent: () => void): void
  end(): void
}

export interface Known {
  readonly instance: string
  readonly book: Book
  readonly covering: Covering
  readonly ranges: Ranges
  readonly zones: readonly Zone[]
  /** Times in which somebody may have come and gone unheard of. */
  readonly unheard: readonly Stretch[]
  /** Whether all changes are heard of. */
  isHearing(): boolean
}

export interface Asking {
  /** The node that asks. */
  readonly node: string
  readonly addresses: readonly string[]
  /** Of the watch before; '' and 0 where there was none. */
  readonly instance: string
  readonly revision: number
}

export interface Session {
  readonly id: string
  /** Answers how many are asked for then; more than that many are not, and nothing is changed. */
  change(wish: { readonly add: readonly string[]; readonly drop: readonly string[] }): 'done' | 'too many'
  /** Of these something has changed. */
  hearsOf(changed: Changed): void
  /** These ids are given to other nodes. */
  forgetNodes(ids: readonly number[]): void
  /** Tells what is due, as far as the connection takes it. */
  tell(): void
  /** Ends it, and the connection with it. */
  close(): void
}

export interface Changed {
  readonly addresses: readonly number[]
  readonly nodes: readonly number[]
  readonly haveZones: boolean
  /** Times in which somebody may have come and gone unheard of. */
  readonly unheard: readonly Stretch[]
}

export const MOST_ADDRESSES = 100_000
/** Addresses told of in one go: some 14 kB, which is a record of TLS. What is larger stays in the buffers of its connection. */
const AT_ONCE = 40
/** An agent that has heard nothing for 12 s claims nothing for certain. */
const HEARTBEAT_MS = 5_000
const TOLD = Number.POSITIVE_INFINITY

export interface SessionParts {
  readonly id: string
  readonly known: Known
  readonly connection: Connection
  monotonic(): number
  /** So many lines were written. */
  onLines(count: number): void
}

/** At most MOST_ADDRESSES of them are taken. */
export function createSession({ node, addresses, ...before }: Asking, parts: SessionParts): Session {
  const { id, known, connection, monotonic, onLines } = parts
  const { instance, book, covering, ranges } = known
  const asked = createBits()
  const pending = createBits()
  const named = createBits()
  const pendingNodes = createBits()
  const goesOn = before.instance === instance && before.revision >= book.forgottenRevision && before.revision <= book.revision
  const since = goesOn ? before.revision : 0
  /** Where all is told anew: of what is asked for, this id and those after it have not been told yet. */
  let next = since === 0 ? 0 : TOLD
  let areZonesDue = true
  /** Told as they come, whenever they were: a clock may be set back between two of them. */
  let unheard: readonly Stretch[] = []
  let isRevisionDue = true
  let isSending = false
  let isClosed = false
  let toldMs = monotonic()

  function ask(address: string): number | undefined {
    const id = book.ask(address)
    if (id === undefined) return undefined
    if (asked.add(id)) return id
    book.unask(id)
    return undefined
  }

  function unask(id: number): void {
    if (!asked.delete(id)) return
    pending.delete(id)
    book.unask(id)
  }

  function begin(wanted: readonly string[]): void {
    name([node])
    for (const address of wanted) {
      const id = ask(address)
      if (id !== undefined && since > 0) goOnWith(id)
    }
    write(openingLine({ session: parts.id, instance, revision: since, unheard: [...forgotten(), ...known.unheard] }), 1)
  }

  /** What was told on the watch before is not told again, nor are its nodes; but they are named, in case they change. */
  function goOnWith(id: number): void {
    if (book.revisionOf(id) > since || !book.isHeld(id)) isDueAgain(id)
    else for (const one of nodesOf(book.tenanciesOf(id))) nameAgain(one)
  }

  function isDueAgain(id: number): void {
    if (id < next) pending.add(id)
  }

  function takeIds(): readonly number[] {
    const first = next === TOLD ? [] : asked.some(next, AT_ONCE)
    next = first.length < AT_ONCE ? TOLD : (first.at(-1) ?? 0) + 1
    return [...first, ...pending.take(AT_ONCE - first.length)]
  }

  function name(nodes: readonly string[]): void {
    for (const one of nodes) {
      const id = covering.idOf(one)
      if (named.add(id)) pendingNodes.add(id)
    }
  }

  /** Told on the watch before; once more where it has changed since. */
  function nameAgain(one: string): void {
    const id = covering.idOf(one)
    if (named.add(id) && covering.revisionOf(id) > since) pendingNodes.add(id)
  }

  function write(text: string, lines: number): void {
    onLines(lines)
    isSending = true
    connection.write(text, () => {
      isSending = false
      tell()
    })
  }

  /** Who goes on has heard of all of them. */
  const forgotten = (): readonly Stretch[] => (since === 0 && book.forgottenMs > 0 ? [{ fromMs: 0, toMs: book.forgottenMs }] : [])

  function takeUnheard(): readonly Stretch[] {
    const due = unheard
    unheard = []
    return due
  }

  const takeNodes = (most: number): readonly NodeCovers[] =>
    pendingNodes.take(most).map((one) => ({ name: covering.nameOf(one), covers: covering.covers(one) }))

  /** Nodes are named before what is on them. */
  function nextLines(): readonly string[] {
    // Before what was missed is told of otherwise.
    if (unheard.length > 0) return [unheardLine(takeUnheard())]
    if (pendingNodes.count() > AT_ONCE) return [nodesLine(takeNodes(AT_ONCE))]
    const ids = takeIds()
    const tenancies = ids.flatMap((one) => book.tenanciesOf(one))
    const inRanges = [...new Set(ids.filter((one) => !book.isHeld(one)).flatMap((one) => ranges.rangeOf(book.addressOf(one)) ?? []))]
    name([...nodesOf(tenancies), ...inRanges.flatMap((range: NodeRange) => range.node || [])])
    const nodes = takeNodes(Number.POSITIVE_INFINITY)
    const zones = areZonesDue ? [zonesLine(known.zones)] : []
    areZonesDue = false
    return [
      ...zones,
      ...(nodes.length > 0 ? [nodesLine(nodes)] : []),
      ...(tenancies.length > 0 ? [tenanciesLine(tenancies)] : []),
      ...(inRanges.length > 0 ? [rangesLine(inRanges)] : []),
    ]
  }

  const isDue = (): boolean => unheard.length > 0 || areZonesDue || next !== TOLD || pending.count() > 0 || pendingNodes.count() > 0

  function tell(): void {
    while (!isSending && !isClosed && isDue()) {
      const lines = nextLines()
      isRevisionDue ||= lines.length > 0
      if (lines.length > 0) write(lines.join(''), lines.length)
    }
    const isQuiet = monotonic() - toldMs >= HEARTBEAT_MS
    if (isSending || isClosed || isDue() || !(isRevisionDue || isQuiet) || !known.isHearing()) return
    isRevisionDue = false
    toldMs = monotonic()
    write(revisionLine(book.revision), 1)
  }

  // Handed on, since whatever a function of ours refers to is kept for as long as the session.
  begin(addresses)
  return {
    id,
    change({ add, drop }) {
      if (asked.count() + add.length > MOST_ADDRESSES) return 'too many'
      for (const address of drop) {
        const found = book.find(address)
        if (found !== undefined) unask(found)
      }
      const added = add.flatMap((address) => ask(address) ?? [])
      if (added.length > 0) book.isNews(added)
      for (const one of added) isDueAgain(one)
      isRevisionDue ||= added.length > 0
      return 'done'
    },
    hearsOf({ addresses: ids, nodes, haveZones, unheard: missed }) {
      unheard = missed.reduce(withUnheard, unheard)
      for (const one of ids) if (asked.has(one)) isDueAgain(one)
      for (const one of nodes) if (named.has(one)) pendingNodes.add(one)
      areZonesDue ||= haveZones
    },
    forgetNodes(ids) {
      for (const one of ids) {
        named.delete(one)
        pendingNodes.delete(one)
      }
    },
    tell,
    close() {
      if (isClosed) return
      isClosed = true
      for (const one of asked.take(Number.POSITIVE_INFINITY)) book.unask(one)
      connection.end()
    },
  }
}

function nodesOf(tenancies: readonly Tenancy[]): readonly string[] {
  return tenancies.flatMap(({ tenant }) => (tenant.coverage === 'node' && tenant.node !== '' ? [tenant.node] : []))
}
