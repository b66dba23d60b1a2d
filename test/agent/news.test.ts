import t from 'tap'
import { createNews } from '../../src/agent/news.js'
import type { Changes } from '../../src/identity/identity.js'
import type { Standing } from '../../src/identity/node-coverage.js'
import type { NodeFacts } from '../../src/identity/objects/node.js'
import type { Tenancy, TenancyChanges } from '../../src/identity/tenancies.js'
import { createHandPulse } from '../hand-pulse.js'

const NOTHING: TenancyChanges = { tenancies: [], ranges: undefined, zones: undefined, unheard: [] }
const OF_CART = { address: '10.1.0.2', key: 'shop/cart' } as Tenancy
const NODE = { name: 'n1', zone: 'us-east-1a', region: 'us-east-1' } as NodeFacts

function setUp({ zone = '_unknown', ownTrouble }: { readonly zone?: string; readonly ownTrouble?: string } = {}) {
  const told: { changes: TenancyChanges; covering: readonly string[] | undefined; standing: Standing; endMs: number } = {
    changes: NOTHING,
    covering: undefined,
    standing: 'unknown',
    endMs: Number.POSITIVE_INFINITY,
  }
  const heard: Changes[] = []
  const said: string[] = []
  const log = { debug: () => undefined, warn: () => undefined, error: () => undefined, info: (text: string) => void said.push(text) }
  const pulse = createHandPulse()
  const troubles: string[] = []
  pulse.onStop(({ message }) => void troubles.push(message))
  const teller = {
    take() {
      const { changes } = told
      told.changes = NOTHING
      return changes
    },
    get covering() {
      return told.covering && { nodes: told.covering }
    },
    ownNode: NODE,
    get trouble() {
      return troubles[0] ?? ''
    },
    ...(ownTrouble === undefined ? {} : { ownTrouble }),
  }
  const news = createNews(
    {
      node: { name: 'n1', zone, region: '' },
      identity: { update: async (changes) => void heard.push(changes) },
      names: { isUsed: (tenancies) => tenancies.length > 0, hasEnded: (nowMs) => nowMs >= told.endMs },
      self: { look: () => undefined, isHere: true },
      record: { place: () => undefined, standing: () => told.standing },
      isCounting: () => true,
      teller: () => teller,
    },
    { clock: { now: () => 5_000, monotonic: () => 0, sleep: async () => undefined, pulse }, log },
  )
  return { news, told, heard, said, pulse }
}

t.test('what was told while nobody could take it is handed on, once', async (t) => {
  const { news, told, heard } = setUp()
  await news.handOn()
  t.notOk(news.isUrgent, 'nothing was told')
  told.changes = { ...NOTHING, tenancies: [OF_CART], zones: [{ zone: 'a', region: '' }] }
  t.ok(news.isUrgent)
  told.changes = { ...NOTHING, ranges: [{ cidr: '10.1.0.0/24', node: 'n1' }] }
  t.ok(news.isUrgent, 'it still is')
  await news.handOn()
  t.match(heard[1], {
    place: { zone: 'us-east-1a', region: 'us-east-1' },
    cluster: { tenancies: [OF_CART], ranges: [{ cidr: '10.1.0.0/24' }], zones: [{ zone: 'a' }], isCurrent: true },
  })
  t.notOk(news.isUrgent)
  told.endMs = 5_001
  t.notOk(news.isUrgent, 'somebody has an address for a moment longer')
  told.endMs = 5_000
  t.ok(news.isUrgent, 'nobody has it any more')
  await news.handOn()
  t.match(heard[2], { cluster: { tenancies: [], ranges: undefined, zones: undefined } })
})

t.test('who covers, and where this node stands, is said when it changes', async (t) => {
  const { news, told, heard, said } = setUp()
  await news.handOn()
  told.covering = ['n2', 'n1']
  told.standing = 'joining'
  t.ok(news.isUrgent)
  await news.handOn()
  told.covering = ['n1', 'n2']
  t.notOk(news.isUrgent, 'the same ones')
  told.standing = 'yes'
  t.ok(news.isUrgent)
  await news.handOn()
  t.same(
    heard.map(({ cluster }) => [cluster?.covering && [...cluster.covering], cluster?.standing]),
    [
      [undefined, 'unknown'],
      [['n2', 'n1'], 'joining'],
      [undefined, 'yes'],
    ],
  )
  t.match(said, [/^joins the nodes/, /^covers its pods/])
})

t.test('a zone that is configured stands', async (t) => {
  const { news, heard } = setUp({ zone: 'rack-7' })
  await news.handOn()
  t.same(heard[0]?.place, { zone: 'rack-7', region: 'us-east-1' })
})

t.test("whether this node's own pods are heard of, where others tell of all else", async (t) => {
  for (const [ownTrouble, isOwnCurrent] of [
    ['', true],
    ['the API server is away', false],
    [undefined, undefined],
  ] as const) {
    const { news, heard } = setUp(ownTrouble === undefined ? {} : { ownTrouble })
    await news.handOn()
    t.equal(heard[0]?.cluster?.isOwnCurrent, isOwnCurrent)
  }
})

t.test('what was heard by a process that stood still since is handed on as not heard', async (t) => {
  const { news, heard, pulse } = setUp()
  await news.handOn()
  pulse.standStill()
  await news.handOn()
  t.same(
    heard.map(({ cluster }) => cluster?.isCurrent),
    [true, false],
  )
})
