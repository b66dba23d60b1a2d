import t from 'tap'
import type { ApiServer } from '../../src/agent/api-server.js'
import type { CoverageRecord } from '../../src/agent/coverage-record.js'
import type { DirectoryWatch } from '../../src/agent/directory-watch.js'
import { createDirectoryTeller, createDirectTeller, type Past } from '../../src/agent/teller.js'
import type { NodeFacts } from '../../src/identity/objects/node.js'
import { createTenancies, type Tenancies, type Tenancy } from '../../src/identity/tenancies.js'

const told = (address: string, node: string): Tenancy => ({
  address,
  key: address,
  tenant: {
    who: { zone: 'a', region: '', namespace: 'shop', kind: 'Deployment', name: 'cart', external: false },
    node,
    coverage: 'node',
  },
  fromMs: 1_000,
  untilMs: 9_000,
})

const FOREVER = Number.POSITIVE_INFINITY
const past: Past = { unheard: () => ({ fromMs: 0, toMs: 8_000 }), goneByMs: () => 12_000 }

t.test("a directory's word of other nodes' pods is taken, of this node's own the API server's stands", async (t) => {
  const { signal } = new AbortController()
  const api = {
    readNode: async () => undefined,
    readLease: async () => undefined,
    following: { trouble: '' },
  } as unknown as ApiServer
  const balancer: Tenancy = { ...told('10.1.1.9', 'n1'), tenant: { ...told('', 'n1').tenant, coverage: 'never' } }
  const directory = {
    run: async () => undefined,
    take: () => ({
      tenancies: [{ ...told('10.1.1.2', 'n1'), untilMs: FOREVER }, told('10.1.2.2', 'n2'), balancer],
      ranges: undefined,
      zones: undefined,
      unheard: [],
    }),
    covers: undefined,
    trouble: '',
  } as unknown as DirectoryWatch
  const record = { isMissing: true, covering: undefined } as unknown as CoverageRecord
  const teller = createDirectoryTeller({ node: 'n1', patienceMs: 0, api, tenancies: createTenancies(), record, past }, directory, signal)
  t.same(
    teller.take().tenancies.map(({ address }) => address),
    ['10.1.2.2', '10.1.1.9'],
  )
})

t.test("what stands in the directory's way is none in that of this node's own pods", async (t) => {
  const { signal } = new AbortController()
  const following = { trouble: '' }
  let sayOwn = (): void => undefined
  const ownTold = new Promise<void>((resolve) => {
    sayOwn = resolve
  })
  const api = {
    readNode: async () => undefined,
    readLease: async () => undefined,
    followPods: () => ownTold,
    following,
  } as unknown as ApiServer
  const directory = { run: async () => undefined, covers: undefined, trouble: 'it cannot be asked' } as unknown as DirectoryWatch
  const record = { isMissing: true, covering: undefined } as unknown as CoverageRecord
  const tenancies = createTenancies()
  const teller = createDirectoryTeller({ node: 'n1', patienceMs: 0, api, tenancies, record, past }, directory, signal)
  t.match(teller, { trouble: /n1 was not read yet/, ownTrouble: /n1 was not read yet/ })
  tenancies.putNode({ name: 'n1', zone: 'a', region: '', internalIps: [], externalIps: [], podCidrs: [] } as unknown as NodeFacts, 0)
  await teller.lookAtSelf().catch(() => undefined)
  t.match(teller, { trouble: /has not told of all/, ownTrouble: /has not told of all/ }, 'owners of its pods are still read')
  sayOwn()
  await ownTold
  t.match(teller, { trouble: 'it cannot be asked', ownTrouble: '' })
  following.trouble = 'the API server is away'
  t.match(teller, { trouble: 'the API server is away', ownTrouble: 'the API server is away' })
})

t.test("of this node's own pods that were gone when all of them were told of the directory tells", async (t) => {
  const { signal } = new AbortController()
  const ended = (address: string, untilMs: number): Tenancy => ({ ...told(address, 'n1'), key: address, untilMs })
  const from = (fromMs: number, tenancy: Tenancy): Tenancy => ({ ...tenancy, fromMs })
  const tenancies = [
    ...[ended('10.1.1.2', 9_000), ended('10.1.1.3', 11_500), ended('10.1.1.4', 9_000)],
    ...[ended('10.1.1.5', FOREVER), from(12_500, ended('10.1.1.6', 13_000))],
  ]
  const own = createTenancies()
  const api = {
    readNode: async (name: string, { putNode }: Tenancies) =>
      putNode({ name, zone: 'a', region: '', internalIps: [], externalIps: [], podCidrs: [] } as unknown as NodeFacts, 0),
    readLease: async () => undefined,
    followPods: async () => own.putLasting('10.1.1.4', [ended('10.1.1.4', FOREVER)], 0),
    following: { trouble: '' },
  } as unknown as ApiServer
  const directory = {
    run: async () => undefined,
    take: () => ({ tenancies, ranges: undefined, zones: undefined, unheard: [] }),
    told: Promise.resolve(),
    covers: undefined,
    trouble: '',
  } as unknown as DirectoryWatch
  const record = { isMissing: true, covering: undefined } as unknown as CoverageRecord
  const teller = createDirectoryTeller({ node: 'n1', patienceMs: 0, api, tenancies: own, record, past }, directory, signal)
  await teller.allTold
  t.same(
    teller.take().tenancies.map(({ address, untilMs }) => [address, untilMs]),
    [
      ['10.1.1.4', FOREVER],
      ['10.1.1.2', 9_000],
      ['10.1.1.3', 11_500],
    ],
  )
})

t.test('before all is told nothing is certain, and then who may have come and gone before is said', async (t) => {
  const { signal } = new AbortController()
  let sayAll = (): void => undefined
  const tenancies = createTenancies()
  const api = {
    followObjects: () =>
      new Promise<void>((resolve) => {
        sayAll = resolve
      }),
    followLeases: async () => undefined,
    following: { trouble: '' },
  } as unknown as ApiServer
  const record = { synced: () => undefined, covering: [] } as unknown as CoverageRecord
  const teller = createDirectTeller({ node: 'n1', patienceMs: 0, api, tenancies, record, past }, signal)
  t.match(teller.trouble, /has not told of all/)
  t.same(teller.take().unheard, [])
  sayAll()
  await teller.allTold
  t.notMatch(teller.trouble, /has not told of all/)
  t.same(teller.take().unheard, [{ fromMs: 0, toMs: 8_000 }])
})
