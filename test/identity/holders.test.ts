import t from 'tap'
import { createHolders, type Held, type Holding, type Tenant } from '../../src/identity/holders.js'
import type { Who } from '../../src/model.js'
import { fc, runs } from '../property.js'

const RUNS = runs(2000)
const SKEW_MS = 2_000
const ADDRESS = '10.1.0.7'

const who = (name: string, zone = 'a'): Who => ({ zone, region: 'r', namespace: 'shop', kind: 'Deployment', name, external: false })
const tenant = (name: string, zone?: string): Tenant => ({ who: who(name, zone), node: 'n1', coverage: 'node' })
const NOBODY: Who = {
  zone: '_unknown',
  region: '_unknown',
  namespace: '_unknown',
  kind: '_unknown',
  name: '_unknown',
  external: false,
}
const CART = tenant('cart')
const WEB = tenant('web')
const FAR = tenant('web', 'b')
const NODE: Tenant = { ...tenant('n1'), who: { ...who('n1'), namespace: '', kind: 'Node' } }
const SERVICE: Tenant = { ...tenant('ingress'), coverage: 'always' }

const holding = (key: string, of: Tenant, fromS: number, untilS = Number.POSITIVE_INFINITY): Holding => ({
  key,
  tenant: of,
  fromMs: fromS * 1000,
  untilMs: untilS * 1000,
})

const said = (found: Held | undefined): string => {
  if (!found) return 'nobody ever'
  const end = found.endedMs === undefined ? '' : `, ended at ${found.endedMs / 1000}`
  return found.isAmbiguous ? `ambiguous in ${found.who.zone}${end}` : `${found.who.name} in ${found.who.zone}${end}`
}

t.test('whose the bytes between two readings are', async (t) => {
  const cases: readonly (readonly [string, readonly Holding[], Pick<Tenant, 'who'> | undefined, readonly [number, number], string])[] = [
    ['an address that nobody ever had', [], undefined, [0, 10], 'nobody ever'],
    ['a pod that was there all the time', [holding('1', CART, 0)], CART, [100, 110], 'cart in a'],
    ['a pod that came in the middle, to a new address', [holding('1', CART, 105)], undefined, [100, 110], 'cart in a'],
    ['a pod whose address was not known yet', [holding('1', CART, 105)], { who: NOBODY }, [100, 110], 'cart in a'],
    ['a pod that has ended long ago', [holding('1', CART, 0, 50)], CART, [100, 110], 'cart in a, ended at 50'],
    ['a pod whose end may be in the stretch', [holding('1', CART, 0, 98)], CART, [100, 110], 'cart in a'],
    ['a pod that has ended, seen for the first time', [holding('1', CART, 0, 50)], undefined, [100, 110], 'cart in a, ended at 50'],
    ['the latest of two that have ended', [holding('1', CART, 0, 50), holding('2', WEB, 60, 70)], WEB, [100, 110], 'web in a, ended at 70'],
    ['a pod that came after the stretch, and has ended', [holding('1', CART, 120, 130)], undefined, [100, 110], 'cart in a'],
    ['a Service that is gone', [holding('1', SERVICE, 0, 50)], undefined, [100, 110], 'ingress in a'],
    ['a node that is gone', [holding('1', NODE, 0, 50)], undefined, [100, 110], 'n1 in a'],
    [
      'between one that ended long before and one that came long after',
      [holding('1', CART, 0, 50), holding('2', WEB, 200)],
      { who: NOBODY },
      [100, 110],
      'cart in a, ended at 50',
    ],
    ['another, long after the first', [holding('1', CART, 0, 80), holding('2', WEB, 105)], CART, [100, 110], 'web in a'],
    [
      'another, when the first had ended before the stretch',
      [holding('1', CART, 0, 97), holding('2', WEB, 105)],
      CART,
      [100, 110],
      'web in a',
    ],
    ['within the skew of it', [holding('1', CART, 0, 98), holding('2', WEB, 105)], CART, [100, 110], 'ambiguous in a'],
    ['both in one stretch', [holding('1', CART, 0, 102), holding('2', WEB, 105)], CART, [100, 110], 'ambiguous in a'],
    ['both in one stretch, in two zones', [holding('1', CART, 0, 102), holding('2', FAR, 105)], CART, [100, 110], 'ambiguous in _unknown'],
    ['three', [holding('1', CART, 0, 101), holding('2', WEB, 102, 104), holding('3', CART, 105)], CART, [100, 110], 'ambiguous in a'],
    ['a new pod of the same workload', [holding('1', CART, 0, 102), holding('2', CART, 105)], CART, [100, 110], 'cart in a'],
    ['the first has not ended yet', [holding('1', CART, 0), holding('2', WEB, 105)], CART, [100, 110], 'ambiguous in a'],
    ['somebody not on record before', [holding('2', WEB, 105)], CART, [100, 110], 'ambiguous in a'],
    ['somebody not on record, after the first one', [holding('1', WEB, 50, 60), holding('2', WEB, 105)], CART, [100, 110], 'web in a'],
    ['somebody not on record, before this one came', [holding('2', WEB, 50)], CART, [100, 110], 'web in a'],
    ['a Service with the address of a node', [holding('service', SERVICE, 0), holding('node', CART, 0)], CART, [100, 110], 'cart in a'],
    ['a Service', [holding('service', SERVICE, 0)], undefined, [100, 110], 'ingress in a'],
    ['a short one, told to have come after the next', [holding('1', CART, 104, 104), holding('2', WEB, 103)], CART, [107, 110], 'web in a'],
    ['the next comes after the stretch', [holding('1', CART, 0, 108), holding('2', WEB, 120)], CART, [100, 110], 'cart in a'],
  ]
  for (const [name, holdings, before, [from, to], want] of cases) {
    const holders = createHolders({ skewMs: SKEW_MS })
    for (const one of holdings) holders.set(ADDRESS, one)
    t.equal(said(holders.heldDuring(ADDRESS, before?.who, { fromMs: from * 1000, toMs: to * 1000 })), want, name)
  }
})

t.test('what is known of a holder changes, and is forgotten', async (t) => {
  const holders = createHolders({ skewMs: SKEW_MS })
  holders.set(ADDRESS, holding('1', CART, 0))
  holders.set(ADDRESS, holding('1', CART, 0, 50))
  t.equal(holders.last(ADDRESS)?.untilMs, 50_000, 'one holding, changed')
  holders.set(ADDRESS, holding('2', WEB, 60))
  t.equal(holders.last(ADDRESS)?.key, '2')
  holders.forget(55_000)
  t.equal(said(holders.heldDuring(ADDRESS, NOBODY, { fromMs: 51_000, toMs: 61_000 })), 'web in a', 'the first is forgotten')
  holders.set(ADDRESS, holding('2', WEB, 60, 70))
  holders.forget(80_000)
  t.same([holders.last(ADDRESS), holders.size], [undefined, 0])
})

t.test('who has it now, or had it last, in whatever order it is told', async (t) => {
  const cases: { name: string; holdings: readonly Holding[]; key: string }[] = [
    { name: 'who came later', holdings: [holding('1', CART, 0), holding('2', WEB, 60)], key: '2' },
    { name: 'who came later and ended later', holdings: [holding('1', CART, 0, 50), holding('2', WEB, 60, 70)], key: '2' },
    { name: 'who has not ended', holdings: [holding('1', CART, 0), holding('2', WEB, 0, 500)], key: '1' },
    {
      name: 'who ended later, by clocks that are a second wrong',
      holdings: [holding('1', CART, 104, 104), holding('2', WEB, 103, 114)],
      key: '2',
    },
    { name: 'a node before a Service with its address', holdings: [holding('2', SERVICE, 0), holding('1', CART, 0)], key: '1' },
    { name: 'a node before a Service that came to its address', holdings: [holding('1', CART, 0), holding('2', SERVICE, 60)], key: '1' },
    { name: 'of two alike always the same', holdings: [holding('1', CART, 0), holding('2', WEB, 0)], key: '2' },
  ]
  for (const { name, holdings, key } of cases) {
    for (const told of [holdings, [...holdings].reverse()]) {
      const holders = createHolders({ skewMs: SKEW_MS })
      for (const one of told) holders.set(ADDRESS, one)
      t.equal(holders.last(ADDRESS)?.key, key, name)
    }
  }
})

/** A life begins some time after the one before has ended. API times are cut to seconds, and a second wrong at most. */
interface Life {
  readonly name: string
  readonly fromMs: number
  readonly untilMs: number
}

const life = fc.record({
  name: fc.constantFrom('cart', 'web', 'stock'),
  vacantMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 20_000, max: 60_000 })),
  livesMs: fc.integer({ min: 1, max: 60_000 }),
})
const lives = fc.array(life, { minLength: 1, maxLength: 6 }).map((all) => {
  let atMs = 100_000
  return all.map(({ name, vacantMs, livesMs }): Life => {
    const fromMs = atMs + vacantMs
    atMs = fromMs + livesMs
    return { name, fromMs, untilMs: atMs }
  })
})
const wrongMs = fc.integer({ min: -1000, max: 0 })

t.test('bytes never go to the wrong owner, and to the right one where the address rested for two cycles', async (t) => {
  const property = fc.property(
    lives,
    fc.array(wrongMs, { minLength: 12, maxLength: 12 }),
    fc.array(fc.integer({ min: 500, max: 12_000 }), { minLength: 60, maxLength: 60 }),
    (all, errors, cycles) => {
      const holders = createHolders({ skewMs: SKEW_MS })
      const toldMs = (ms: number, index: number): number => Math.floor((ms + (errors[index] ?? 0)) / 1000) * 1000
      let before: Who | undefined
      let readMs = 95_000
      for (const cycleMs of cycles) {
        const stretch = { fromMs: readMs, toMs: readMs + cycleMs }
        readMs = stretch.toMs
        // All that happened by the end of the stretch was heard of.
        all.forEach(({ name, fromMs, untilMs }, index) => {
          if (fromMs > readMs) return
          const ended = untilMs <= readMs ? toldMs(untilMs, 2 * index + 1) : Number.POSITIVE_INFINITY
          holders.set(ADDRESS, { key: String(index), tenant: tenant(name), fromMs: toldMs(fromMs, 2 * index), untilMs: ended })
        })
        const found = holders.heldDuring(ADDRESS, before, stretch)
        const had = all.filter(({ fromMs, untilMs }) => fromMs < stretch.toMs && untilMs > stretch.fromMs)
        const isDecided = found !== undefined && !found.isAmbiguous
        for (const { name } of had) {
          if (isDecided && found.who.name !== name) throw new Error(`${name}'s bytes are given to ${found.who.name}`)
        }
        const near = all.filter(({ fromMs, untilMs }) => fromMs < stretch.toMs + 4_000 && untilMs > stretch.fromMs - 4_000)
        if (near.length === 1 && had.length === 1 && !isDecided) throw new Error(`${had[0]?.name}'s bytes are given to nobody`)
        before = holders.last(ADDRESS)?.tenant.who
      }
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: RUNS }))
})

t.test('who came and went while nothing was heard may have had it', async (t) => {
  const cases: readonly (readonly [name: string, holdings: readonly Holding[], during: readonly [number, number], want: string])[] = [
    ['a pod that was there all the time', [holding('1', CART, 0)], [100, 110], 'cart in a'],
    ['one that went before, and nobody since', [holding('1', CART, 0, 97)], [100, 110], 'ambiguous in _unknown'],
    ['one that came after', [holding('1', CART, 0, 50), holding('2', WEB, 108)], [100, 110], 'ambiguous in _unknown'],
    ['one that came within the skew of the beginning', [holding('1', CART, 99)], [100, 110], 'ambiguous in _unknown'],
    ['one that ended meanwhile', [holding('1', CART, 0, 104)], [100, 110], 'ambiguous in _unknown'],
    ['before it', [holding('1', CART, 0, 104)], [80, 99], 'cart in a'],
    ['after it', [holding('1', CART, 0, 104), holding('2', WEB, 108)], [112, 120], 'web in a'],
    ['within the skew of its end', [holding('2', WEB, 109.5)], [111, 113], 'ambiguous in _unknown'],
    ['within the skew of its end, of one that had come by then', [holding('2', WEB, 109)], [111, 113], 'web in a'],
  ]
  for (const [name, holdings, [from, to], want] of cases) {
    const holders = createHolders({ skewMs: SKEW_MS })
    for (const one of holdings) holders.set(ADDRESS, one)
    holders.miss({ fromMs: 100_000, toMs: 110_000 })
    const found = holders.heldDuring(ADDRESS, undefined, { fromMs: from * 1000, toMs: to * 1000 })
    t.equal(said(found), want, name)
    t.equal(found?.isMissed, want.startsWith('ambiguous'), name)
    holders.forget(111_000)
    t.equal(holders.mayHaveMissed(ADDRESS, { fromMs: 100_000, toMs: 110_000 }), false, 'forgotten with all of that time')
  }
})

t.test('what nobody heard from the beginning on is never taken for heard', async (t) => {
  const holders = createHolders({ skewMs: SKEW_MS })
  holders.set(ADDRESS, holding('2', WEB, 120))
  holders.miss({ fromMs: 0, toMs: 110_000 })
  holders.forget(4_000_000)
  t.match(said(holders.heldDuring(ADDRESS, undefined, { fromMs: 90_000, toMs: 130_000 })), /^ambiguous/)
  t.equal(holders.mayHaveMissed(ADDRESS, { fromMs: 123_000, toMs: 130_000 }), false, 'and what came after it is heard')
})
