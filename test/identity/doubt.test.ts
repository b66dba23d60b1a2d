import t from 'tap'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import type { Tenant } from '../../src/identity/holders.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'

const FOREVER = Number.POSITIVE_INFINITY
const MINUTE_MS = 60_000
const [handedOn, lone, late, far, free] = ['10.1.0.7', '10.1.0.8', '10.1.0.9', '10.1.0.10', '10.1.0.11']

const WAITS = {
  who: { zone: '_unknown', region: '_unknown', namespace: '_unknown', kind: '_unknown', name: '_unknown', external: false },
  local: 'unknown',
  covered: 'unknown',
} as const

/** In seconds. */
function held(address: string, name: string, [fromS, untilS]: readonly [number, number], node = 'n1'): Tenancy {
  const who = { zone: 'a', region: 'r', namespace: 'shop', kind: 'Deployment', name, external: false }
  const tenant: Tenant = { who, node, coverage: 'node' }
  return { address, key: name, tenant, fromMs: fromS * 1000, untilMs: untilS * 1000 }
}

/** At 2,000 s, by whichever clock: n3 is heard of at 1,000 s. */
async function setUp() {
  const clock = { nowMs: 0, steadyMs: 0, doubtMs: 0 }
  const doubtMs = () => clock.doubtMs
  const names = createClusterNames({
    ...{ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false },
    ...{ monotonic: () => clock.steadyMs, doubtMs },
  })
  const settings = { doubtMs, mark: () => undefined, resume: () => undefined, byNow: () => (ms: number) => ms }
  const identity = createIdentity({ name: 'n1', zone: 'a', region: 'r' }, { clock: { now: () => clock.nowMs, settings }, cluster: names })
  const apply = (cluster: Parameters<typeof identity.update>[0]['cluster'] = {}) => identity.update({ cluster }, async () => undefined)
  await apply({ standing: 'yes', covering: new Set(), isCurrent: true })
  clock.nowMs = 1_000_000
  const tenancies = [
    held(handedOn, 'cart', [0, 900]),
    held(handedOn, 'web', [905, FOREVER]),
    held(lone, 'stock', [500, FOREVER]),
    held(late, 'young', [905, FOREVER]),
    held(far, 'remote', [0, FOREVER], 'n3'),
  ]
  await apply({ tenancies, covering: new Set(['n3']) })
  clock.nowMs = 2_000_000
  return { clock, names, identity, apply }
}

t.test('where the clock was set, what is named is named for certain by either time', async (t) => {
  const { clock, identity, apply } = await setUp()
  const cases = [
    { name: 'web has had it for long', address: handedOn, atS: 1_000, calm: 'web', set: 'web' },
    { name: 'cart or web', address: handedOn, atS: 920, calm: 'web', set: '?' },
    { name: 'nor may it have been cart still', address: handedOn, atS: 850, calm: 'cart', set: '?' },
    { name: 'nobody else ever had it', address: lone, atS: 920, calm: 'stock', set: 'stock' },
    { name: 'somebody may have had it before', address: late, atS: 920, calm: 'young', set: '?' },
  ]
  const whoAt = (address: string, atS: number): string => {
    const { who, ambiguous } = identity.placeDuring(address, identity.place(address), { fromMs: atS * 1000 - 10_000, toMs: atS * 1000 })
    return ambiguous ? '?' : who.name
  }
  for (const { name, address, atS, calm } of cases) t.equal(whoAt(address, atS), calm, name)
  clock.doubtMs = MINUTE_MS
  const { version } = identity
  await apply()
  t.not(identity.version, version, 'what came across that moment is looked at again')
  for (const { name, address, atS, set } of cases) t.equal(whoAt(address, atS), set, `${name}, perhaps`)
  for (const { address } of cases) t.notOk(identity.place(address).ambiguous, 'who has it now is told')
})

t.test('no byte is posted here that another node may have posted by its own time', async (t) => {
  const { clock, identity } = await setUp()
  const isCovered = (atS: number): string =>
    identity.placeDuring(far, identity.place(far), { fromMs: atS * 1000 - 5_000, toMs: atS * 1000 }).covered
  t.same([980, 800, 1_100].map(isCovered), ['no', 'no', 'yes'])
  clock.doubtMs = MINUTE_MS
  t.same([980, 800, 1_100].map(isCovered), ['yes', 'no', 'yes'])
  clock.nowMs = 1_015_000
  t.equal(identity.placeSince(far, undefined, 1_010_000).covered, 'yes')
})

t.test('a pod that ended by a clock that may be ahead has ended', async (t) => {
  const { clock, names, identity, apply } = await setUp()
  identity.place(lone)
  await apply({ tenancies: [held(lone, 'stock', [500, 2_030])] })
  t.equal(identity.place(lone).who.name, 'stock')
  t.notOk(names.hasEnded(clock.nowMs))
  clock.doubtMs = MINUTE_MS
  t.ok(names.hasEnded(clock.nowMs))
  await apply()
  t.equal(identity.place(lone).local, 'unknown', 'who gets it next is not told yet')
})

t.test('patience goes by the clock that never jumps', async (t) => {
  for (const jumpMs of [3_600_000, -3_600_000]) {
    const { clock, identity, apply } = await setUp()
    t.equal(identity.place(free).local, 'unknown')
    clock.nowMs += jumpMs
    clock.steadyMs += 29_000
    await apply()
    t.equal(identity.place(free).local, 'unknown', `${jumpMs}`)
    clock.steadyMs += 1_000
    await apply()
    t.not(identity.place(free).local, 'unknown', `${jumpMs}`)
  }
})

t.test('who ended is remembered for as much longer', async (t) => {
  const { clock, identity, apply } = await setUp()
  const isKnown = (): boolean =>
    identity.placeDuring(handedOn, identity.place(handedOn), { fromMs: 800_000, toMs: 810_000 }).who.name === 'cart'
  clock.nowMs = 900_000 + 3_600_000 + MINUTE_MS
  clock.doubtMs = 2 * MINUTE_MS
  await apply()
  clock.doubtMs = 0
  t.ok(isKnown())
})

t.test('where the clock was set back who ended is forgotten in time, not when it is where it was', async (t) => {
  const { clock, names, apply } = await setUp()
  const ended = [held(free, 'short', [0, 1])]
  await apply({ tenancies: ended })
  t.match(names.endedPod(free, clock.nowMs), { uid: 'short' })
  clock.nowMs = 8_000_000
  await apply()
  t.equal(names.endedPod(free, clock.nowMs), undefined)
  clock.nowMs -= 2 * MINUTE_MS
  await apply({ tenancies: ended })
  t.equal(names.endedPod(free, clock.nowMs), undefined)
})

t.test('where the clock was ahead when all was told first, what comes once it is trusted again is certain', async (t) => {
  const { clock, identity, apply } = await setUp()
  const entry = {
    ...{ cidr: '10.0.0.0/8', zone: 'a', region: 'r', namespace: 'shop', ownerKind: 'Database', ownerName: 'orders' },
    node: '',
    external: false,
  }
  clock.nowMs = 20_000_000
  await identity.update({ entries: [entry], cluster: { unheard: [{ fromMs: 0, toMs: clock.nowMs }] } }, async () => undefined)
  clock.nowMs = 10_000_000
  clock.doubtMs = 10_000_000
  const seen = async (afterMs: number) => {
    identity.placeSince(free, undefined, clock.nowMs)
    const sinceMs = clock.nowMs
    clock.nowMs += afterMs
    clock.steadyMs += afterMs
    await apply()
    const { who, ambiguous } = identity.placeSince(free, WAITS, sinceMs)
    return `${who.name}${ambiguous ? '?' : ''}`
  }
  t.equal(await seen(MINUTE_MS), '_unknown?', 'either time may be right')
  clock.doubtMs = 0
  await seen(MINUTE_MS)
  await seen(5_000)
  t.equal(await seen(MINUTE_MS), 'orders')
})

t.test('where the clock was ahead then, who ended since is not taken for one who ended before', async (t) => {
  const names = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => false })
  names.apply({ isCurrent: true, tenancies: [held(lone, 'stock', [0, 10_350])] }, 10_900_000)
  const ended = () => names.called(lone, { fromMs: 10_400_000, toMs: 10_400_000 })?.ended
  t.equal(ended(), '_unknown')
  names.apply({}, 10_300_000)
  t.equal(ended(), 'yes')
})

interface Set {
  readonly patienceMs: number
  readonly readEveryMs?: number
  readonly back: boolean
  readonly changed: 'joins' | 'leaves' | 'ours'
}

/** One of the nodes changes, a minute later the clock is set. */
async function setByTwoHours({ patienceMs, readEveryMs, back, changed }: Set) {
  const clock = { nowMs: 20_000_000, steadyMs: 0, doubtMs: 0 }
  const settings = { doubtMs: () => clock.doubtMs, mark: () => undefined, resume: () => undefined, byNow: () => (ms: number) => ms }
  const names = createClusterNames({
    ...{ node: 'n1', patienceMs, skewMs: 2_000, isBehindUs: () => false },
    ...{ monotonic: () => clock.steadyMs, doubtMs: settings.doubtMs, ...(readEveryMs !== undefined && { readEveryMs }) },
  })
  const identity = createIdentity({ name: 'n1', zone: 'a', region: 'r' }, { clock: { now: () => clock.nowMs, settings }, cluster: names })
  const apply = (cluster: Parameters<typeof identity.update>[0]['cluster'] = {}) => identity.update({ cluster }, async () => undefined)
  const pass = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= MINUTE_MS) {
      clock.nowMs += Math.min(leftMs, MINUTE_MS)
      clock.steadyMs += Math.min(leftMs, MINUTE_MS)
      await apply()
    }
  }
  const [before, after] = changed === 'leaves' ? [['n2'], []] : [[], changed === 'joins' ? ['n2'] : []]
  const tenancies = [held(far, 'remote', [0, FOREVER], 'n2'), held(lone, 'stock', [0, FOREVER])]
  await apply({ tenancies, standing: changed === 'ours' ? 'joining' : 'yes', covering: new Set(before), isCurrent: true })
  await pass(MINUTE_MS)
  await apply({ covering: new Set(after), standing: 'yes' })
  await pass(MINUTE_MS)
  clock.nowMs += back ? -7_200_000 : 7_200_000
  clock.doubtMs = 7_200_000
  await apply()
  const answer = (): string => {
    const address = changed === 'ours' ? lone : far
    const { local, covered, ambiguous } = identity.placeSince(address, undefined, clock.nowMs - 10_000)
    return `${local}/${covered}${ambiguous ? '?' : ''}`
  }
  return { clock, identity, pass, answer }
}

const CHANGES = [
  { changed: 'joins', unsure: 'no/yes?', says: 'no/yes' },
  { changed: 'leaves', unsure: 'no/yes?', says: 'no/no' },
  { changed: 'ours', unsure: 'joining/no?', says: 'yes/no' },
] as const

t.test('a node that changed by a clock that was set has changed, once nothing waits that came before', async (t) => {
  for (const back of [true, false]) {
    for (const { changed, unsure, says } of CHANGES) {
      const { clock, pass, answer } = await setByTwoHours({ patienceMs: 30_000, back, changed })
      const name = `${changed}, ${back ? 'back' : 'forward'}`
      await pass(9 * MINUTE_MS)
      t.equal(answer(), back ? unsure : says, `${name}: what came before may wait`)
      await pass(MINUTE_MS)
      t.equal(answer(), says, `${name}: nothing does`)
      clock.doubtMs = 0
      await pass(MINUTE_MS)
      t.equal(answer(), says, `${name}: it is believed by now`)
    }
  }
})

t.test('nothing waits from then after two readings, as often as there is one, and patience', async (t) => {
  for (const readEveryMs of [10_000, 2 * MINUTE_MS]) {
    for (const { changed, unsure, says } of CHANGES) {
      const { pass, answer } = await setByTwoHours({ patienceMs: 30_000, readEveryMs, back: true, changed })
      // A minute has passed; each reading may take eight seconds.
      await pass(30_000 + 2 * (readEveryMs + 8_000) - MINUTE_MS)
      t.equal(answer(), unsure, `${changed}, read every ${readEveryMs}: what came before may wait`)
      await pass(1)
      t.equal(answer(), says, `${changed}, read every ${readEveryMs}: nothing does`)
    }
  }
})

t.test('where bytes wait for longer than a clock is doubted, none is posted twice, nor to nobody for good', async (t) => {
  for (const { changed, unsure, says } of CHANGES) {
    const { clock, pass, answer } = await setByTwoHours({ patienceMs: 60 * MINUTE_MS, back: true, changed })
    await pass(35 * MINUTE_MS)
    clock.doubtMs = 0
    await pass(30 * MINUTE_MS)
    t.equal(answer(), unsure, `${changed}: what came before may wait`)
    await pass(10 * MINUTE_MS)
    t.equal(answer(), says, `${changed}: nothing does`)
  }
})

t.test('where a node changed while the clock was doubted, what comes later is certain before it is trusted again', async (t) => {
  const { clock, identity, apply } = await setUp()
  clock.doubtMs = 20 * MINUTE_MS
  await apply({ covering: new Set() })
  const covered = () => identity.placeSince(far, undefined, clock.nowMs - 5_000).covered
  clock.nowMs += 11 * MINUTE_MS
  t.equal(covered(), 'yes', 'it may have been before')
  clock.steadyMs += 11 * MINUTE_MS
  await apply()
  t.equal(covered(), 'no')
})

t.test('where no clock was set it is remembered when a node changed', async (t) => {
  const { clock, identity, apply } = await setUp()
  clock.steadyMs += 60 * MINUTE_MS
  await apply()
  const { covered } = identity.placeDuring(far, identity.place(far), { fromMs: 900_000, toMs: 980_000 })
  t.equal(covered, 'no', 'a reading may come late')
})
