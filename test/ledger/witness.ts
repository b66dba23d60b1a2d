// Looks at what is served after every step, and remembers it: against the oracle, and against what was served before.
import assert from 'node:assert/strict'
import type { Clock } from '../../src/deps.js'
import type { Ledger } from '../../src/ledger/ledger.js'
import { snapshotOf } from '../../src/ledger/snapshot.js'
import type { Snapshot } from '../../src/model.js'
import type { Booked } from './oracle.js'
import { pendingOf } from './oracle.js'

export interface Truth {
  readonly booked: Booked
  readonly clock: Clock
}

export interface Witness {
  look(ledger: Ledger, truth: Truth): void
  scrape(ledger: Ledger, truth: Truth): void
  /** At rest: nothing may still be on its way. */
  rest(ledger: Ledger, truth: Truth): void
  /** `everything`: totals may start over from zero. `what came last`: it could not be written down, so it may be seen again otherwise. */
  forget(what: 'everything' | 'what came last'): void
}

interface Served {
  value: number
  sinceMs: number
}

const ROOMY = 1000
const sumOf = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0)

export function createWitness({ limit, idleMs }: { limit: number; idleMs: number }): Witness {
  let served = new Map<string, Served>()
  let zeroFirst = new Map<string, Served>()
  /** What withdrawn series held, by series. */
  let held = new Map<string, number>()
  let isHeldKnown = true

  const snapshot = (ledger: Ledger, clock: Clock, zeroFirstMs: number): Snapshot =>
    snapshotOf(ledger, { limit, zeroFirstMs, prices: {} }, { atMs: clock.now(), monotonicMs: clock.monotonic(), coverage: undefined })

  function look(ledger: Ledger, { booked, clock }: Truth): void {
    const { books, families } = snapshot(ledger, clock, 0)
    const { observed, posted, elsewhere, tunnel, multicast, overflow, pending } = books
    assert.equal(observed, posted + elsewhere + tunnel + multicast + overflow + pending, 'the books balance')
    const ambiguous = [...valuesOf(families, 'meshtoll_flow_ambiguous_bytes_total').values()][0] ?? 0
    const found = { observed, posted, tunnel, multicast, overflow, ambiguous }
    const { elsewhere: _, handover: least, ...totals } = booked.totals
    assert.deepEqual(found, totals, 'every byte is in its book')
    const handover = [...valuesOf(families, 'meshtoll_flow_handover_bytes_total').values()][0] ?? 0
    assert.ok(
      handover >= least && handover <= least + booked.leftBehind,
      `${handover} bytes handed over, not ${least} (+ ${booked.leftBehind})`,
    )
    const certain = pendingOf(booked)
    assert.equal(elsewhere + pending, booked.totals.elsewhere + booked.rest + certain, 'nothing elsewhere is lost or doubled')
    assert.ok(pending >= certain, `${pending} pending bytes, ${certain} are`)
    assert.ok(elsewhere >= booked.totals.elsewhere, 'what is certainly elsewhere is')
    lookAtZones(families, booked)
    const own = LIMITED.map((kind) => lookAtSeries(families, booked, kind))
    assert.ok(sumOf(own) <= limit, `${own} series, ${limit} may be`)
    assert.equal(ledger.served, sumOf(own), 'the series that take a place are the ones served')
  }

  function lookAtZones(families: Snapshot['families'], booked: Booked): void {
    const zones = new Map([...valuesOf(families, 'meshtoll_zone_bytes_total')].filter(([, value]) => value !== 0))
    assert.deepEqual(sorted(zones), sorted(booked.zones), 'every zone pair has its bytes')
  }

  /** Returns how many have a series of their own. */
  function lookAtSeries(families: Snapshot['families'], booked: Booked, kind: Limited): number {
    const now = valuesOf(families, FAMILIES[kind])
    const own = [...now.keys()].filter((key) => !key.includes('_other'))
    if (!isHeldKnown) return own.length
    const gone = [...served].filter(([key]) => kindOf(key) === kind && !now.has(key))
    const withdrawn = sumOf([...held].flatMap(([key, value]) => (kindOf(key) === kind ? [value] : [])))
    const left = sumOf(booked[kind].values()) - withdrawn - sumOf(gone.map(([, { value }]) => value))
    assert.equal(sumOf(now.values()), left, `series of ${kind} are all that is booked, less what withdrawn ones held`)
    for (const key of own) {
      const [bytes, most] = [(now.get(key) ?? 0) + (held.get(key) ?? 0), booked[kind].get(key) ?? 0]
      if (limit >= ROOMY) assert.equal(bytes, most, `${key} has its bytes`)
      else assert.ok(bytes <= most, `${key} has no bytes of others`)
    }
    return own.length
  }

  function scrape(ledger: Ledger, truth: Truth): void {
    look(ledger, truth)
    const { clock, booked } = truth
    served = compare(served, snapshot(ledger, clock, 0), clock)
    zeroFirst = compareZeroFirst(zeroFirst, snapshot(ledger, clock, 30_000), clock)
    if (isHeldKnown) return
    isHeldKnown = true
    held = new Map(LIMITED.flatMap((kind) => heldOf(kind, booked)))
  }

  function heldOf(kind: Limited, booked: Booked): readonly (readonly [string, number])[] {
    if (limit >= ROOMY) return [...booked[kind]].map(([key, value]) => [key, value - (served.get(key)?.value ?? 0)])
    const now = [...served].flatMap(([key, { value }]) => (kindOf(key) === kind ? [value] : []))
    return [[kind, sumOf(booked[kind].values()) - sumOf(now)]]
  }

  function compare(before: ReadonlyMap<string, Served>, next: Snapshot, clock: Clock): Map<string, Served> {
    const now = countersOf(next)
    for (const [key, { value, sinceMs }] of before) {
      const after = now.get(key)
      if (after !== undefined) {
        assert.ok(after >= value, `${key} falls from ${value} to ${after}`)
        continue
      }
      assert.ok(kindOf(key) && clock.monotonic() - sinceMs >= idleMs, `${key} vanishes at ${value}`)
      held.set(key, (held.get(key) ?? 0) + value)
    }
    return remembered(before, now, clock)
  }

  function compareZeroFirst(before: ReadonlyMap<string, Served>, next: Snapshot, clock: Clock): Map<string, Served> {
    const now = countersOf(next)
    for (const [key, { value }] of before) {
      const after = now.get(key)
      assert.ok(after === undefined || after >= value, `${key} falls from ${value} to ${after}, zero served first`)
    }
    return remembered(before, now, clock)
  }

  function rest(ledger: Ledger, { booked, clock }: Truth): void {
    const { books } = snapshot(ledger, clock, 0)
    assert.equal(books.pending, pendingOf(booked), 'at rest only what nobody can place is pending')
    assert.equal(books.elsewhere, booked.totals.elsewhere + booked.rest, 'at rest all transit that was not translated is elsewhere')
  }

  function forget(what: 'everything' | 'what came last'): void {
    served = new Map()
    zeroFirst = new Map()
    held = new Map()
    isHeldKnown = what === 'everything'
  }

  return { look, scrape, rest, forget }
}

/** Under one limit. */
const LIMITED = ['flows', 'phantoms'] as const
type Limited = (typeof LIMITED)[number]
const FAMILIES = { flows: 'meshtoll_flow_bytes_total', phantoms: 'meshtoll_phantom_bytes_total' } as const
const LABELS = { flows: 9, phantoms: 7 } as const

/** Of what: a series by its labels, or all together by their name. */
const kindOf = (key: string): Limited | undefined =>
  LIMITED.find((kind) => key === kind || (key.startsWith('[') && key.split(',').length === LABELS[kind]))

function remembered(before: ReadonlyMap<string, Served>, now: ReadonlyMap<string, number>, clock: Clock): Map<string, Served> {
  return new Map(
    [...now].map(([key, value]) => {
      const last = before.get(key)
      return [key, last?.value === value ? last : { value, sinceMs: clock.monotonic() }]
    }),
  )
}

const sorted = (map: ReadonlyMap<string, number>): [string, number][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

function valuesOf(families: Snapshot['families'], name: string): Map<string, number> {
  const found = families.find(({ family }) => family.name === name)
  return new Map([...(found?.series ?? [])].map(({ labels, value }) => [JSON.stringify(Object.values(labels)), value]))
}

/** Series of flows and zones under their label values, everything else under the family's name. */
function countersOf({ families }: Snapshot): Map<string, number> {
  const all = new Map<string, number>()
  for (const { family, series } of families) {
    if (family.kind !== 'counter' || family.name.includes('folded')) continue
    for (const { labels, value } of series) {
      const values = Object.values(labels)
      all.set(values.length > 0 ? JSON.stringify(values) : family.name, value)
    }
  }
  return all
}
