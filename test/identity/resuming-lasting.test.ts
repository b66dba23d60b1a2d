import t from 'tap'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { isPod, type Tenant } from '../../src/identity/holders.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { Placement, Who } from '../../src/model.js'

const ADDRESS = '10.1.0.7'
const READ_MS = 10_000_000
const NOW_MS = READ_MS + 60_000
const PLACE = { zone: 'a', region: 'r' }
const NOWHERE = { zone: '_unknown', region: '_unknown' }

const CART: Who = { ...PLACE, namespace: 'shop', kind: 'Deployment', name: 'cart', external: false }
const nodeWho = (name: string, place = PLACE): Who => ({ ...place, namespace: '', kind: 'Node', name, external: false })
const serviceWho = (kind: string): Who => ({ ...NOWHERE, namespace: 'shop', kind, name: 'web', external: false })

const lasting = (key: string, tenant: Tenant): Tenancy => ({
  address: ADDRESS,
  key,
  tenant,
  fromMs: 0,
  untilMs: Number.POSITIVE_INFINITY,
})
const node = (name: string): Tenancy => lasting(`node/${name}`, { who: nodeWho(name), node: name, coverage: 'node' })
const SERVICE = lasting('service/shop/web', { who: serviceWho('Service'), node: '', coverage: 'always' })
const BALANCER = lasting('service/shop/web', { who: serviceWho('LoadBalancer'), node: '', coverage: 'never' })

/** Made after the last reading. */
const since = (told: Tenancy, afterMs = 30_000): Tenancy => ({ ...told, fromMs: READ_MS + afterMs })

const decided = (who: Who): Placement => ({ who, local: 'no', covered: 'no' })
const WAITS: Placement = {
  who: { ...CART, ...NOWHERE, namespace: '_unknown', kind: '_unknown', name: '_unknown' },
  local: 'unknown',
  covered: 'unknown',
}
const text = ({ who: { name }, ambiguous }: Placement): string => `${name}${ambiguous ? ', ambiguous' : ''}`

async function after(tenancy: Tenancy, had: string) {
  const names = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => false })
  const hadIt = (_: string, holder: string): boolean | undefined => (had === '' ? undefined : holder === had)
  names.resume({ readAtMs: READ_MS, atMs: READ_MS + 100, addresses: [ADDRESS], had: hadIt })
  const identity = createIdentity({ name: 'n1', ...PLACE }, { clock: { now: () => NOW_MS }, cluster: names })
  const heard: ClusterChanges = { isCurrent: true, standing: 'yes', covering: new Set(['n2', 'n5']) }
  const changes = { ...heard, unheard: [{ fromMs: 0, toMs: NOW_MS - 2_000 }], tenancies: [tenancy] }
  await identity.update({ cluster: changes }, async () => undefined)
  return { identity, names }
}

t.test('what is there for as long as it is told of is certain over a restart, unless it was another’s before', async (t) => {
  const cases: readonly {
    readonly name: string
    readonly told: Tenancy
    /** `''`: it is not known who had it. */
    readonly had: string
    readonly before?: Placement
    readonly says: string
  }[] = [
    { name: 'a node that stays', told: node('n2'), had: 'node/n2', before: decided(nodeWho('n2')), says: 'n2' },
    { name: 'as an earlier version left it', told: node('n2'), had: '', before: decided(nodeWho('n2')), says: 'n2' },
    { name: 'of another zone since', told: node('n2'), had: '', before: decided(nodeWho('n2', NOWHERE)), says: 'n2' },
    { name: 'whose bytes waited', told: node('n2'), had: 'node/n2', before: WAITS, says: 'n2' },
    { name: 'whose bytes waited, as an earlier version left it', told: node('n2'), had: '', before: WAITS, says: 'n2' },
    { name: 'a node seen for the first time', told: node('n2'), had: '', says: 'n2' },
    { name: 'a Service that stays', told: SERVICE, had: 'service/shop/web', before: decided(serviceWho('Service')), says: 'web' },
    { name: 'a Service, as an earlier version left it', told: SERVICE, had: '', before: decided(serviceWho('Service')), says: 'web' },
    { name: 'a Service seen for the first time', told: SERVICE, had: '', says: 'web' },
    { name: 'a load balancer that stays', told: BALANCER, had: '', before: decided(serviceWho('LoadBalancer')), says: 'web' },
    { name: 'a node made since, at an address of which nothing was known', told: since(node('n5')), had: '', says: '_unknown, ambiguous' },
    { name: 'a Service made since', told: since(SERVICE), had: '', says: '_unknown, ambiguous' },
    { name: 'a load balancer made since, and bytes waited', told: since(BALANCER), had: '', before: WAITS, says: '_unknown, ambiguous' },
    { name: 'a node made within the skew of the reading', told: since(node('n5'), -1_000), had: '', says: '_unknown, ambiguous' },
    { name: 'a node made just before that', told: since(node('n5'), -2_000), had: '', says: 'n5' },
    {
      name: 'a node made just before, that had it',
      told: since(node('n2'), -1_000),
      had: 'node/n2',
      before: decided(nodeWho('n2')),
      says: 'n2',
    },
    { name: 'a new node, after a pod', told: node('n5'), had: 'cart', before: decided(CART), says: '_unknown, ambiguous' },
    { name: 'the same, as an earlier version left it', told: node('n5'), had: '', before: decided(CART), says: '_unknown, ambiguous' },
    { name: 'a new node, after another', told: node('n5'), had: 'node/n2', before: decided(nodeWho('n2')), says: '_unknown, ambiguous' },
    { name: 'a new node, and bytes of a pod waited', told: node('n5'), had: 'cart', before: WAITS, says: '_unknown, ambiguous' },
    { name: 'a new node, and nobody had it before', told: node('n5'), had: 'nobody', before: WAITS, says: '_unknown, ambiguous' },
    { name: 'a new Service, after a pod', told: SERVICE, had: 'cart', before: decided(CART), says: '_unknown, ambiguous' },
    { name: 'a new load balancer, after a node', told: BALANCER, had: '', before: decided(nodeWho('n2')), says: '_unknown, ambiguous' },
  ]
  for (const { name, told, had, before, says } of cases) {
    const { identity } = await after(told, had)
    const now = identity.placeSince(ADDRESS, before, READ_MS)
    t.equal(text(now), says, name)
    t.equal(text(identity.place(ADDRESS)), told.tenant.who.name, `${name}: from now on`)
    const waited = identity.placeDuring(ADDRESS, now, { fromMs: READ_MS - 20_000, toMs: READ_MS })
    if (before === WAITS && had !== 'nobody') t.equal(text(waited), says, `${name}: what waited`)
  }
})

t.test('a node that came after the restart had its address while later nothing was heard for a while', async (t) => {
  const { names, identity } = await after(node('n5'), 'cart')
  names.apply({ unheard: [{ fromMs: NOW_MS + 10_000, toMs: NOW_MS + 20_000 }] }, NOW_MS + 20_000)
  const during = { fromMs: NOW_MS + 12_000, toMs: NOW_MS + 15_000 }
  t.equal(identity.called(ADDRESS, during).who.name, 'n5')
  t.equal(identity.called(ADDRESS, { fromMs: READ_MS, toMs: READ_MS + 30_000 }).who.name, '_unknown', 'but not before it')
})

t.test('who has an address for as long as it is there, as another process will find it', async (t) => {
  for (const told of [node('n2'), SERVICE, BALANCER]) t.equal((await after(told, '')).names.holderOf(ADDRESS), told.key)
})

t.test('who is said to be at a public address stays certain, where a pod may have been at another', async (t) => {
  const entry: Who = { ...PLACE, namespace: 'shop', kind: 'ServiceEntry', name: 'orders', external: false }
  const cases = [
    { address: '93.184.216.34', says: 'orders' },
    { address: '10.1.0.9', says: '_unknown, ambiguous' },
    { address: '2600:1f18::7', says: '_unknown, ambiguous' },
  ]
  for (const { address, says } of cases) {
    const said = { ...lasting('serviceentry/shop/orders', { who: entry, node: '', coverage: 'outside' }), address }
    const { identity } = await after(said, '')
    t.equal(text(identity.placeSince(address, decided(entry), READ_MS)), says, address)
  }
})

t.test('a pod is a pod whatever its owner is called', async (t) => {
  for (const kind of ['Node', 'Service', 'LoadBalancer', 'Deployment']) {
    const who: Who = { ...CART, kind }
    t.equal(isPod({ who, node: 'n1', coverage: 'node' }), true, kind)
    const { identity, names } = await after({ ...node('n2'), address: '10.1.0.8' }, 'cart')
    t.equal(names.isForgotten(ADDRESS, who), true, kind)
    t.equal(text(identity.placeSince(ADDRESS, decided(who), READ_MS)), '_unknown, ambiguous', kind)
  }
  const { names } = await after(SERVICE, '')
  for (const who of [nodeWho('n2'), nodeWho('n2', NOWHERE), serviceWho('Service'), serviceWho('LoadBalancer')]) {
    t.equal(names.isForgotten('10.1.0.8', who), false, who.kind)
  }
})
