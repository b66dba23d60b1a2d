import t from 'tap'
import { parseAddress } from '../../src/identity/address.js'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { type ClusterNames, createClusterNames } from '../../src/identity/cluster-names.js'
import type { Tenant } from '../../src/identity/holders.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { Placement, Who } from '../../src/model.js'

const ADDRESS = '10.1.0.7'
const BEHIND = '10.1.0.99'
const UNKNOWN = '_unknown'
const NOBODY: Who = { zone: UNKNOWN, region: UNKNOWN, namespace: UNKNOWN, kind: UNKNOWN, name: UNKNOWN, external: false }
const OTHERWISE: Placement = { who: NOBODY, local: 'no', covered: 'no' }
const NOT_TOLD: Placement = { who: NOBODY, local: 'unknown', covered: 'unknown' }

const who = (name: string): Who => ({ zone: 'a', region: 'r', namespace: 'shop', kind: 'Deployment', name, external: false })
const on = (node: string, name: string): Tenant => ({ who: who(name), node, coverage: 'node' })
const [CART, WEB, FAR, BARE] = [on('n1', 'cart'), on('n1', 'web'), on('n2', 'far'), on('n3', 'bare')]
const BALANCER: Tenant = { who: { ...who('web'), kind: 'LoadBalancer' }, node: '', coverage: 'never' }

/** In seconds. */
const held = (tenant: Tenant, fromS: number, untilS = Number.POSITIVE_INFINITY): Tenancy => ({
  address: ADDRESS,
  key: tenant.who.name,
  tenant,
  fromMs: fromS * 1000,
  untilMs: untilS * 1000,
})

/** n1 is here, n2 is covered, n3 is not. */
const KNOWN: ClusterChanges = { standing: 'yes', covering: new Set(['n2']), isCurrent: true }

type Step = readonly [number, ClusterChanges | ((names: ClusterNames, nowMs: number) => unknown)]

function build(steps: readonly Step[], known = KNOWN, stops = () => 0): ClusterNames {
  const isBehindUs = (address: readonly number[]): boolean => address[0] === parseAddress(BEHIND)?.[0]
  const names = inReadings(createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs, stops }))
  names.apply(known, 0)
  for (const [atS, step] of steps) {
    if (typeof step === 'function') step(names, atS * 1000)
    else names.apply(step, atS * 1000)
  }
  return names
}

/** As an agent asks: a reading begins with what was told. */
function inReadings(names: ClusterNames): ClusterNames {
  const beginAt = (nowMs: number): ClusterNames => {
    names.apply({}, nowMs)
    return names
  }
  return {
    ...names,
    place: (address, nowMs) => beginAt(nowMs).place(address, nowMs),
    placeOfNobody: (text, address, otherwise, nowMs, fromMs) => beginAt(nowMs).placeOfNobody(text, address, otherwise, nowMs, fromMs),
    placeSince: (address, before, stretch) => beginAt(stretch.toMs).placeSince(address, before, stretch),
    get used() {
      return names.used
    },
    get zones() {
      return names.zones
    },
  }
}

function said(placement: Placement | undefined): string {
  if (!placement) return 'nobody'
  const { who, local, covered, ambiguous, endedMs } = placement
  const end = endedMs === undefined ? '' : `, ended at ${endedMs / 1000}`
  if (local === 'unknown' && covered === 'unknown') return `waits${end}`
  return `${who.name}, local ${local}, covered ${covered}${ambiguous ? ', ambiguous' : ''}${end}`
}

const tell = (...tenancies: readonly Tenancy[]): ClusterChanges => ({ tenancies })
const ask = (names: ClusterNames, nowMs: number): unknown => names.place(ADDRESS, nowMs)

t.test('who has an address now', async (t) => {
  const cases: { name: string; steps: readonly Step[]; known?: ClusterChanges; atS: number; says: string }[] = [
    { name: 'nobody told of it', steps: [], atS: 100, says: 'nobody' },
    { name: 'a pod here', steps: [[100, tell(held(CART, 90))]], atS: 100, says: 'cart, local yes, covered no' },
    { name: 'a pod of a covered node', steps: [[100, tell(held(FAR, 90))]], atS: 100, says: 'far, local no, covered yes' },
    { name: 'a pod of a node without an agent', steps: [[100, tell(held(BARE, 90))]], atS: 100, says: 'bare, local no, covered no' },
    { name: 'a load balancer', steps: [[100, tell(held(BALANCER, 0))]], atS: 100, says: 'web, local no, covered no' },
    {
      name: 'while this node joins',
      steps: [[100, tell(held(CART, 90))]],
      known: { ...KNOWN, standing: 'joining' },
      atS: 100,
      says: 'cart, local joining, covered no',
    },
    {
      name: 'while changes are not heard of',
      steps: [
        [90, tell(held(CART, 80))],
        [100, { isCurrent: false }],
      ],
      atS: 100,
      says: 'waits',
    },
    {
      name: 'and not for ever',
      steps: [
        [90, tell(held(CART, 80))],
        [100, { isCurrent: false }],
        [101, ask],
        [131, ask],
      ],
      atS: 132,
      says: '_unknown, local yes, covered no',
    },
    {
      name: 'nor is it known then whether its node has an agent by now',
      steps: [
        [90, tell(held(BARE, 80))],
        [100, { isCurrent: false }],
        [101, ask],
        [131, ask],
      ],
      atS: 132,
      says: '_unknown, local no, covered yes',
    },
    {
      name: 'until they are again',
      steps: [
        [90, tell(held(CART, 80))],
        [100, { isCurrent: false }],
        [101, ask],
        [110, { isCurrent: true }],
      ],
      atS: 110,
      says: 'cart, local yes, covered no',
    },
    { name: 'it may just have ended', steps: [[100, tell(held(CART, 90, 100))]], atS: 101.999, says: 'cart, local yes, covered no' },
    { name: 'it has ended', steps: [[100, tell(held(CART, 90, 100))]], atS: 102, says: 'waits, ended at 100' },
    {
      name: 'nobody has come since',
      steps: [
        [100, tell(held(CART, 90, 100))],
        [102, ask],
      ],
      atS: 131.999,
      says: 'waits, ended at 100',
    },
    {
      name: 'nobody came',
      steps: [
        [100, tell(held(CART, 90, 100))],
        [102, ask],
      ],
      atS: 132,
      says: 'cart, local yes, covered no, ended at 100',
    },
    {
      name: 'somebody came and has gone',
      steps: [
        [100, tell(held(CART, 90, 100))],
        [102, ask],
        [120, tell(held(WEB, 110))],
        [120, ask],
        [130, tell(held(WEB, 110, 125))],
      ],
      atS: 132,
      says: 'waits, ended at 125',
    },
  ]
  for (const { name, steps, known, atS, says } of cases) t.equal(said(build(steps, known).place(ADDRESS, atS * 1000)), says, name)
})

t.test('which agent posts is not waited for longer than who it is', async (t) => {
  const cases: { name: string; tenant: Tenant; known: ClusterChanges; at: readonly number[]; says: readonly string[] }[] = [
    {
      name: 'of this node',
      tenant: CART,
      known: {},
      at: [100, 129, 130, 900],
      says: [
        'cart, local unknown, covered no',
        'cart, local unknown, covered no',
        'cart, local joining, covered no',
        'cart, local joining, covered no',
      ],
    },
    {
      name: 'of another',
      tenant: FAR,
      known: {},
      at: [100, 129, 130, 900],
      says: [
        'far, local no, covered unknown',
        'far, local no, covered unknown',
        'far, local no, covered yes',
        'far, local no, covered yes',
      ],
    },
  ]
  for (const { name, tenant, known, at, says } of cases) {
    const names = build([[100, tell(held(tenant, 90))]], known)
    t.same(
      at.map((atS) => said(names.place(ADDRESS, atS * 1000))),
      says,
      name,
    )
    names.apply(KNOWN, 901_000)
    t.notMatch(said(names.place(ADDRESS, 901_000)), /unknown|joining/, `${name}: once it is known`)
  }
})

t.test('an address that nobody has', async (t) => {
  const ranges = [
    { cidr: '10.1.0.0/24', node: 'n1' },
    { cidr: '10.2.0.0/24', node: 'n2' },
    { cidr: '10.3.0.0/24', node: 'n3' },
    { cidr: '10.0.0.0/8', node: '' },
    { cidr: 'no range', node: 'n2' },
  ]
  const cases: { name: string; address: string; known?: ClusterChanges; says: string }[] = [
    { name: "of this node's range", address: '10.1.0.50', known: { ...KNOWN, ranges }, says: '_unknown, local yes, covered no' },
    { name: 'of a covered node', address: '10.2.0.50', known: { ...KNOWN, ranges }, says: '_unknown, local no, covered yes' },
    { name: 'of a node without an agent', address: '10.3.0.50', known: { ...KNOWN, ranges }, says: '_unknown, local no, covered no' },
    { name: 'of some node', address: '10.4.0.50', known: { ...KNOWN, ranges }, says: '_unknown, local no, covered yes' },
    {
      name: 'of some node, behind this one',
      address: BEHIND,
      known: { ...KNOWN, ranges: ranges.slice(3) },
      says: '_unknown, local yes, covered no',
    },
    { name: 'behind this one', address: BEHIND, says: '_unknown, local yes, covered no' },
    {
      name: 'behind this one while it joins',
      address: BEHIND,
      known: { ...KNOWN, standing: 'joining' },
      says: '_unknown, local joining, covered no',
    },
    { name: 'behind this one, and nothing is known', address: BEHIND, known: {}, says: '_unknown, local joining, covered no' },
    { name: 'of no range', address: '10.4.0.50', says: '_unknown, local no, covered no' },
    { name: 'not all was told', address: '10.4.0.50', known: { ...KNOWN, isCurrent: false }, says: '_unknown, local no, covered yes' },
  ]
  for (const { name, address, known, says } of cases) {
    const names = build([], known)
    const parsed = parseAddress(address) ?? []
    const at = (nowS: number): Placement => names.placeOfNobody(address, parsed, OTHERWISE, nowS * 1000)
    t.same([said(at(100)), said(at(129.999)), said(at(130))], ['waits', 'waits', says], name)
  }
})

t.test('whose bytes since the last reading are', async (t) => {
  const decided = (tenant: Tenant, local: Placement['local'] = 'yes'): Placement => ({ who: tenant.who, local, covered: 'no' })
  const joins: readonly Step[] = [
    [85, { standing: 'joining' }],
    [105, { standing: 'yes' }],
  ]
  /** A reading found bytes of it at 90, and from then on it waited. */
  const wait: Step = [90, (names) => names.placeSince(ADDRESS, undefined, { fromMs: 80_000, toMs: 90_000 })]
  const ended: Step = [60, tell(held(BARE, 50, 60))]
  // Each with the stretch from 100 to 110.
  const cases: { name: string; steps: readonly Step[]; known?: ClusterChanges; before?: Placement; says: string }[] = [
    { name: 'nobody told of it', steps: [], says: 'nobody' },
    { name: 'nobody told of it, as before', steps: [], before: decided(CART), says: 'nobody' },
    { name: 'a pod, at first sight', steps: [[100, tell(held(CART, 90))]], says: 'cart, local yes, covered no' },
    {
      name: 'of the one that ended meanwhile',
      steps: [[110, tell(held(CART, 90, 104))]],
      before: decided(CART),
      says: 'cart, local yes, covered no',
    },
    {
      name: 'of the one that ended just before',
      steps: [[110, tell(held(CART, 90, 98))]],
      before: decided(CART),
      says: 'cart, local yes, covered no',
    },
    { name: 'the one that ended is as it was', steps: [[110, tell(held(CART, 90, 97))]], before: decided(CART), says: 'nobody' },
    { name: 'of one that ended, at first sight', steps: [[110, tell(held(CART, 90, 97))]], says: 'waits, ended at 97' },
    {
      name: 'another',
      steps: [[110, tell(held(CART, 90, 97), held(WEB, 101))]],
      before: decided(CART),
      says: 'web, local yes, covered no',
    },
    {
      name: 'of two',
      steps: [[110, tell(held(CART, 90, 104), held(WEB, 105))]],
      before: decided(CART),
      says: '_unknown, local yes, covered no, ambiguous',
    },
    {
      name: 'of two, first there then here: the other agent posted some',
      steps: [[110, tell(held(FAR, 90, 104), held(WEB, 105))]],
      says: '_unknown, local joining, covered no, ambiguous',
    },
    {
      name: 'of two, first here then there: the other agent will not post all',
      steps: [[110, tell(held(CART, 90, 104), held(BARE, 105))]],
      says: '_unknown, local no, covered yes, ambiguous',
    },
    {
      name: 'of two pods of one workload, first there then here',
      steps: [[110, tell({ ...held({ ...CART, node: 'n2' }, 90, 104), key: 'first' }, held(CART, 105))]],
      says: 'cart, local joining, covered no, ambiguous',
    },
    {
      name: 'a pod by a clock that is far ahead',
      steps: [[110, tell(held(CART, 120))]],
      says: 'cart, local yes, covered no',
    },
    {
      name: 'somebody that nobody told of, before it',
      steps: [[110, tell(held(CART, 120))]],
      before: decided(WEB),
      says: 'web, local yes, covered no',
    },
    {
      name: 'as long as it may be posted elsewhere',
      steps: [...joins, [110, tell(held(CART, 80))]],
      says: 'cart, local joining, covered no',
    },
    {
      name: 'since before a node began to post',
      steps: [
        [105, { covering: new Set(['n2', 'n3']) }],
        [110, tell(held(BARE, 80))],
      ],
      says: 'bare, local no, covered no',
    },
    { name: 'waits, and is still nobody', steps: [ended, wait], before: NOT_TOLD, says: 'waits, ended at 60' },
    {
      name: 'waited, and is somebody',
      steps: [ended, wait, [110, tell(held(CART, 80))]],
      before: NOT_TOLD,
      says: 'cart, local yes, covered no',
    },
    {
      name: 'waited, and was two since',
      steps: [ended, wait, [110, tell(held(WEB, 70, 84), held(CART, 88))]],
      before: NOT_TOLD,
      says: '_unknown, local yes, covered no, ambiguous',
    },
    {
      name: 'waited, and was one before',
      steps: [ended, wait, [110, tell(held(WEB, 70, 77), held(CART, 88))]],
      before: NOT_TOLD,
      says: 'cart, local yes, covered no',
    },
    {
      name: 'waited since this node joined',
      steps: [ended, [85, { standing: 'joining' }], wait, [95, { standing: 'yes' }], [110, tell(held(CART, 79))]],
      before: NOT_TOLD,
      says: 'cart, local joining, covered no, ambiguous',
    },
    {
      name: 'waited since before a node began to post',
      steps: [ended, wait, [95, { covering: new Set(['n2', 'n3']) }], [110, tell(held(BARE, 79))]],
      before: NOT_TOLD,
      says: 'bare, local no, covered yes, ambiguous',
    },
    {
      name: 'whose it is was known, and not which agent posts',
      steps: [
        [90, tell(held(WEB, 50))],
        [90, (names) => names.placeSince(ADDRESS, undefined, { fromMs: 80_000, toMs: 90_000 })],
        [110, { ...tell(held(WEB, 50, 96), held(CART, 97)), standing: 'yes' }],
      ],
      known: { ...KNOWN, standing: 'unknown' },
      before: decided(WEB, 'unknown'),
      says: '_unknown, local yes, covered no, ambiguous',
    },
  ]
  for (const { name, steps, known, before, says } of cases) {
    const names = build(steps, known)
    t.equal(said(names.placeSince(ADDRESS, before, { fromMs: 100_000, toMs: 110_000 })), says, name)
  }
})

t.test('what was waited for is decided by the time of its bytes, and all after it by now', async (t) => {
  const names = build([
    [60, { standing: 'joining', ...tell(held(CART, 50, 60)) }],
    [105, { standing: 'yes' }],
  ])
  const address = parseAddress(BEHIND) ?? []
  const nobody = (nowS: number, fromS?: number) =>
    said(names.placeOfNobody(BEHIND, address, OTHERWISE, nowS * 1000, fromS === undefined ? undefined : fromS * 1000))
  t.equal(nobody(110, 100), 'waits')
  t.equal(nobody(140, 130), '_unknown, local joining, covered no, ambiguous')
  t.equal(nobody(140), '_unknown, local yes, covered no')
  t.equal(said(names.placeSince(ADDRESS, undefined, { fromMs: 100_000, toMs: 110_000 })), 'waits, ended at 60')
  t.equal(
    said(names.placeSince(ADDRESS, NOT_TOLD, { fromMs: 130_000, toMs: 140_000 })),
    'cart, local joining, covered no, ambiguous, ended at 60',
  )
  t.equal(said(names.place(ADDRESS, 140_000)), 'cart, local yes, covered no, ended at 60')
})

t.test('an address that is seen again waits anew', async (t) => {
  const names = build([
    [60, tell(held(CART, 50, 60))],
    [70, ask],
    [100, ask],
  ])
  t.equal(said(names.place(ADDRESS, 500_000)), 'cart, local yes, covered no, ended at 60', 'its patience is over')
  t.equal(said(names.placeSince(ADDRESS, undefined, { fromMs: 490_000, toMs: 500_000 })), 'waits, ended at 60')
  names.apply(tell(held(WEB, 505)), 510_000)
  t.equal(said(names.placeSince(ADDRESS, NOT_TOLD, { fromMs: 500_000, toMs: 510_000 })), 'web, local yes, covered no')
})

t.test('whoever came and went between two readings leaves an address that waits anew', async (t) => {
  const names = build([
    [60, tell(held(CART, 50, 60))],
    [70, ask],
    [75, tell(held(WEB, 72, 75))],
  ])
  t.equal(said(names.placeSince(ADDRESS, NOT_TOLD, { fromMs: 70_000, toMs: 80_000 })), 'web, local yes, covered no')
  t.equal(said(names.place(ADDRESS, 80_000)), 'waits, ended at 75')
  t.equal(said(names.place(ADDRESS, 109_999)), 'waits, ended at 75')
  t.equal(said(names.place(ADDRESS, 110_000)), 'web, local yes, covered no, ended at 75')
})

t.test('what was sent while changes were not heard of is of who had the address then', async (t) => {
  const stretch = { fromMs: 98_000, toMs: 100_000 }
  const CART_NOW = { who: CART.who, local: 'yes', covered: 'no' } as const
  const cases: { name: string; heard: readonly Tenancy[]; says: string }[] = [
    { name: 'the same one', heard: [], says: 'cart, local yes, covered no' },
    { name: 'another since long before', heard: [held(CART, 50, 90), held(WEB, 94)], says: 'web, local yes, covered no' },
    { name: 'another in between', heard: [held(CART, 50, 104), held(WEB, 106)], says: '_unknown, local yes, covered no, ambiguous' },
  ]
  for (const { name, heard, says } of cases) {
    const names = build([
      [60, tell(held(CART, 50))],
      [100, { isCurrent: false }],
    ])
    t.equal(said(names.placeSince(ADDRESS, CART_NOW, stretch)), 'waits', name)
    t.equal(said(names.place(ADDRESS, 100_000)), 'waits', name)
    names.apply({ ...tell(...heard), isCurrent: true }, 115_000)
    t.equal(said(names.placeSince(ADDRESS, NOT_TOLD, { fromMs: 100_000, toMs: 115_000 })), says, name)
  }
})

t.test('a pod of this node is told of without whoever tells of others', async (t) => {
  const deaf: ClusterChanges = { isCurrent: false, isOwnCurrent: true }
  const told = [60, tell(held(CART, 50))] as const
  const cases: readonly (readonly [name: string, steps: readonly Step[], says: string])[] = [
    ['it has its address', [told, [100, deaf]], 'cart, local yes, covered no'],
    ['it has had it before', [told, [100, deaf], [101, ask], [140, {}]], 'cart, local yes, covered no'],
    ['it ended: another may have got it', [told, [100, deaf], [110, tell(held(CART, 50, 105))]], 'waits'],
    [
      'it came just now: another may have had it',
      [
        [100, deaf],
        [140, tell(held(CART, 139))],
      ],
      'waits',
    ],
    [
      'of another node',
      [
        [60, tell(held(FAR, 50))],
        [100, deaf],
      ],
      'waits',
    ],
    ['nothing is heard of it either', [told, [100, { isCurrent: false }]], 'waits'],
    ['nor by now', [told, [100, deaf], [110, { isOwnCurrent: false }]], 'waits'],
  ]
  for (const [name, steps, says] of cases)
    t.equal(said(build(steps).placeSince(ADDRESS, undefined, { fromMs: 139_000, toMs: 140_000 })), says, name)
  const late = build([
    [100, deaf],
    [110, tell(held(CART, 109))],
    [110, ask],
  ])
  t.equal(said(late.placeSince(ADDRESS, NOT_TOLD, { fromMs: 140_000, toMs: 141_000 })), '_unknown, local yes, covered no', 'what waited')
  t.ok(late.apply({}, 142_000), 'there is more to say')
  const isNobodys = { who: NOT_TOLD.who, local: 'yes', covered: 'no' } as const
  t.equal(said(late.placeSince(ADDRESS, isNobodys, { fromMs: 141_000, toMs: 142_000 })), 'cart, local yes, covered no', 'what came later')
  const names = build([told])
  t.ok(names.apply(deaf, 100_000))
  t.notOk(names.apply({}, 101_000), 'what is left out stays')
  t.ok(names.apply({ isOwnCurrent: false }, 102_000))
})

t.test('whether an answer may have changed', async (t) => {
  const pod = tell(held(CART, 50))
  const cases: { name: string; steps: readonly Step[]; changes: ClusterChanges; atS: number; isNew: boolean }[] = [
    { name: 'nothing', steps: [[60, pod]], changes: {}, atS: 100, isNew: false },
    { name: 'an empty list', steps: [[60, pod]], changes: tell(), atS: 100, isNew: false },
    {
      name: 'what is left out, by name',
      steps: [],
      changes: { ranges: undefined, zones: undefined, covering: undefined },
      atS: 100,
      isNew: false,
    },
    { name: 'somebody came', steps: [], changes: pod, atS: 100, isNew: true },
    { name: 'ranges', steps: [], changes: { ranges: [] }, atS: 100, isNew: true },
    { name: 'who covers', steps: [], changes: { covering: new Set() }, atS: 100, isNew: true },
    { name: 'whether we do', steps: [], changes: { standing: 'joining' }, atS: 100, isNew: true },
    { name: 'all is told, as before', steps: [], changes: { isCurrent: true }, atS: 100, isNew: false },
    { name: 'not all is told any more', steps: [], changes: { isCurrent: false }, atS: 100, isNew: true },
    { name: 'somebody may have ended', steps: [[90, tell(held(CART, 50, 98.5))]], changes: {}, atS: 100.499, isNew: false },
    { name: 'somebody has ended', steps: [[90, tell(held(CART, 50, 98.5))]], changes: {}, atS: 100.5, isNew: true },
    {
      name: 'that was told already',
      steps: [
        [90, tell(held(CART, 50, 80))],
        [95, {}],
      ],
      changes: {},
      atS: 100,
      isNew: false,
    },
    {
      name: 'nobody came yet',
      steps: [
        [90, tell(held(CART, 50, 60))],
        [90, ask],
      ],
      changes: {},
      atS: 119.999,
      isNew: false,
    },
    {
      name: 'nobody came',
      steps: [
        [90, tell(held(CART, 50, 60))],
        [90, ask],
      ],
      changes: {},
      atS: 120,
      isNew: true,
    },
    {
      name: 'it is an hour since',
      steps: [
        [90, tell(held(CART, 50, 60))],
        [3600, {}],
      ],
      changes: {},
      atS: 3661,
      isNew: true,
    },
    {
      name: 'of two of them one is an hour since',
      steps: [
        [90, tell(held(CART, 50, 60), held(WEB, 70))],
        [3600, {}],
      ],
      changes: {},
      atS: 3661,
      isNew: false,
    },
  ]
  for (const { name, steps, changes, atS, isNew } of cases) {
    const names = build(steps)
    names.apply({}, Math.min(atS * 1000 - 1, 99_000))
    t.equal(names.apply(changes, atS * 1000), isNew, name)
  }
})

t.test('an hour after its end nobody is remembered', async (t) => {
  const names = build([[90, tell(held(CART, 50, 60))]])
  const at = (atS: number): string => {
    names.apply({}, atS * 1000)
    return said(names.place(ADDRESS, atS * 1000))
  }
  t.same([at(3659), at(3660), at(3720)], ['waits, ended at 60', 'waits, ended at 60', 'nobody'])
})

t.test("whether one that was asked for is nobody's by now", async (t) => {
  const told = [90, tell(held(CART, 50, 98.5))] as const
  const cases: { name: string; steps: readonly Step[]; atS: number; hasEnded: boolean }[] = [
    { name: 'its time is over', steps: [told, [91, ask]], atS: 100.5, hasEnded: true },
    { name: 'not before the skew is', steps: [told, [91, ask]], atS: 100.499, hasEnded: false },
    { name: 'nobody asked for it', steps: [told], atS: 100.5, hasEnded: false },
    { name: 'it was applied', steps: [told, [91, ask], [100.5, {}], [100.5, ask]], atS: 101, hasEnded: false },
    {
      name: 'it has not ended',
      steps: [
        [90, tell(held(CART, 50))],
        [91, ask],
      ],
      atS: 200,
      hasEnded: false,
    },
  ]
  for (const { name, steps, atS, hasEnded } of cases) t.equal(build(steps).hasEnded(atS * 1000), hasEnded, name)
})

t.test('of a pod that ended while nobody could be told of it', async (t) => {
  const names = build([
    [60, tell(held(CART, 50, 70))],
    [100, { isCurrent: false }],
    [101, ask],
  ])
  t.equal(said(names.place(ADDRESS, 132_000)), '_unknown, local yes, covered no', 'nobody knows who has its address by now')
})

t.test('whether one of the addresses was asked for since the last change', async (t) => {
  const [asked, other] = [held(CART, 50), { ...held(WEB, 50), address: '10.1.0.8' }]
  const since = (names: ClusterNames) => names.placeSince(ADDRESS, undefined, { fromMs: 90_000, toMs: 100_000 })
  const cases: { name: string; steps: readonly Step[]; tenancies: readonly Tenancy[]; isUsed: boolean }[] = [
    { name: 'not asked for', steps: [], tenancies: [asked], isUsed: false },
    { name: 'one of nobody', steps: [[100, ask]], tenancies: [asked], isUsed: true },
    {
      name: 'one of somebody',
      steps: [
        [90, tell(asked)],
        [100, ask],
      ],
      tenancies: [asked],
      isUsed: true,
    },
    {
      name: 'one seen for the first time',
      steps: [
        [90, tell(asked)],
        [100, since],
      ],
      tenancies: [asked],
      isUsed: true,
    },
    { name: 'among others', steps: [[100, ask]], tenancies: [other, asked], isUsed: true },
    { name: 'another', steps: [[100, ask]], tenancies: [other], isUsed: false },
    {
      name: 'before a change',
      steps: [
        [90, ask],
        [100, tell(asked)],
      ],
      tenancies: [asked],
      isUsed: false,
    },
    {
      name: 'before nothing changed',
      steps: [
        [90, ask],
        [100, {}],
      ],
      tenancies: [asked],
      isUsed: true,
    },
    { name: 'none', steps: [[100, ask]], tenancies: [], isUsed: false },
  ]
  for (const { name, steps, tenancies, isUsed } of cases) t.equal(build([[1, {}], ...steps]).isUsed(tenancies), isUsed, name)
})

t.test('all that were asked for since the last change', async (t) => {
  const names = build([[100, ask]])
  names.place('10.1.0.8', 100_000)
  t.same([...names.used], [ADDRESS, '10.1.0.8'])
  names.apply(tell(held(CART, 50)), 110_000)
  t.same([...names.used], [])
})

t.test('the node itself, and the zones', async (t) => {
  const names = build([
    [100, { standing: 'joining', zones: [{ zone: 'a', region: 'r' }] }],
    [200, { standing: 'yes' }],
  ])
  t.same(
    [199, 200].map((atS) => said(names.here('10.0.0.1', who('n1'), { fromMs: atS * 1000, toMs: atS * 1000 }))),
    ['n1, local joining, covered no', 'n1, local yes, covered no'],
  )
  t.same(names.zones, [{ zone: 'a', region: 'r' }])
})

t.test('answers are frozen', async (t) => {
  const names = build([[60, tell(held(CART, 50, 60), held(FAR, 62))]], {})
  const nobody = (nowMs: number): Placement => names.placeOfNobody('10.9.0.1', [0x0a090001], OTHERWISE, nowMs)
  const answers = [
    names.place(ADDRESS, 70_000),
    names.place(ADDRESS, 170_000),
    nobody(70_000),
    nobody(170_000),
    names.here('10.0.0.1', NOBODY, { fromMs: 0, toMs: 0 }),
  ]
  t.ok([...answers, names.placeSince(ADDRESS, undefined, { fromMs: 50_000, toMs: 70_000 })].every(Object.isFrozen))
})

t.test('bytes that waited are told apart by when they came', async (t) => {
  const goesOn = [70, tell(held(CART, 10, 50), held(WEB, 60))] as const
  const now = { ...NOT_TOLD, ambiguous: true as const }
  const cases: readonly (readonly [name: string, steps: readonly Step[], fromS: number, toS: number, says: string])[] = [
    ['before the change', [goesOn], 30, 40, 'cart, local yes, covered no'],
    ['after it', [goesOn], 62, 70, 'web, local yes, covered no'],
    ['around it', [goesOn], 45, 65, '_unknown, local yes, covered no, ambiguous'],
    ['too near to it to know', [goesOn], 30, 58, '_unknown, local yes, covered no, ambiguous'],
    ['late, to the one that had gone', [goesOn], 53, 57, 'cart, local yes, covered no, ended at 50'],
    ['late, but around the skew of its end', [goesOn], 52, 57, 'cart, local yes, covered no'],
    ['while nothing is heard', [goesOn, [71, { isCurrent: false }]], 30, 40, 'nobody'],
    ['of nobody', [], 30, 40, 'nobody'],
  ]
  for (const [name, steps, fromS, toS, says] of cases) {
    const names = build(steps)
    t.equal(said(names.placeDuring(ADDRESS, now, { fromMs: fromS * 1000, toMs: toS * 1000 })), says, name)
  }
})

t.test('a process that stood still has heard nothing since, whatever it was told before', async (t) => {
  let stops = 0
  const names = build([[60, tell(held(CART, 50))]], KNOWN, () => stops)
  const stretch = { fromMs: 100_000, toMs: 120_000 }
  const CART_NOW = { who: CART.who, local: 'yes', covered: 'no' } as const
  t.equal(said(names.placeSince(ADDRESS, CART_NOW, stretch)), 'cart, local yes, covered no')
  stops = 1
  t.equal(said(names.placeSince(ADDRESS, CART_NOW, stretch)), 'waits', 'at once')
  t.ok(names.apply({ isCurrent: false, isOwnCurrent: false }, 120_000))
  t.equal(said(names.placeSince(ADDRESS, CART_NOW, stretch)), 'waits', 'until more is told')
  names.apply({ ...tell(held(CART, 50, 104), held(WEB, 106)), isCurrent: true, isOwnCurrent: true }, 131_000)
  t.equal(said(names.placeSince(ADDRESS, NOT_TOLD, stretch)), '_unknown, local yes, covered no, ambiguous')
})

t.test('an agent that came or went while nothing was heard', async (t) => {
  const left = { covering: new Set<string>() }
  const came = { covering: new Set(['n2', 'n3']) }
  const cases: readonly (readonly [name: string, tenant: Tenant, steps: readonly Step[], fromS: number, says: string])[] = [
    ['it left, and that is heard at once', FAR, [[110, left]], 95, 'far, local no, covered yes'],
    [
      'it left at any time since',
      FAR,
      [
        [100, { isCurrent: false }],
        [120, left],
      ],
      95,
      'far, local no, covered perhaps, ambiguous',
    ],
    [
      'it came at any time since',
      BARE,
      [
        [100, { isCurrent: false }],
        [120, came],
      ],
      95,
      'bare, local no, covered perhaps, ambiguous',
    ],
    [
      'heard with the first word after it',
      BARE,
      [
        [100, { isCurrent: false }],
        [121, { ...came, isCurrent: true }],
      ],
      95,
      'bare, local no, covered perhaps, ambiguous',
    ],
    [
      'told before it was known that nothing is heard',
      FAR,
      [[100, { ...left, isCurrent: false }]],
      95,
      'far, local no, covered perhaps, ambiguous',
    ],
    [
      'long before',
      FAR,
      [
        [100, { isCurrent: false }],
        [120, left],
      ],
      60,
      'far, local no, covered yes',
    ],
    [
      'until it was heard',
      FAR,
      [
        [100, { isCurrent: false }],
        [120, left],
      ],
      119,
      'far, local no, covered perhaps, ambiguous',
    ],
    [
      'later',
      FAR,
      [
        [100, { isCurrent: false }],
        [120, left],
      ],
      121,
      'far, local no, covered no',
    ],
  ]
  for (const [name, tenant, steps, fromS, says] of cases) {
    const names = build([[50, tell(held(tenant, 40))], [99, {}], ...steps])
    names.apply({ isCurrent: true }, 122_000)
    const stretch = { fromMs: fromS * 1000, toMs: (fromS + 1) * 1000 }
    t.equal(said(names.placeDuring(ADDRESS, NOT_TOLD, stretch)), says, name)
  }
})

t.test('an agent that left while nothing was heard, and the clock was set back meanwhile', async (t) => {
  let steadyMs = 0
  const options = { node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false, monotonic: () => steadyMs }
  const names = createClusterNames(options)
  const applyAt = (atS: number, changes: ClusterChanges, aheadS = 0): void => {
    steadyMs = atS * 1000
    names.apply(changes, (atS + aheadS) * 1000)
  }
  applyAt(0, KNOWN, 3600)
  applyAt(50, tell(held(FAR, 40)), 3600)
  applyAt(99, {}, 3600)
  applyAt(100, { isCurrent: false }, 3600)
  applyAt(120, { covering: new Set<string>() })
  applyAt(122, { isCurrent: true })
  const saidAt = (atS: number): string => said(names.placeDuring(ADDRESS, NOT_TOLD, { fromMs: atS * 1000, toMs: (atS + 1) * 1000 }))
  t.equal(saidAt(95), 'far, local no, covered perhaps, ambiguous', 'at any time since it was heard')
  t.equal(saidAt(121), 'far, local no, covered no')
})
