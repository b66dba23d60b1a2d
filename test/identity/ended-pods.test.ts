import t from 'tap'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import type { Tenant } from '../../src/identity/holders.js'

const ADDRESS = '10.1.0.7'
const who = (name: string, kind = 'Deployment') => ({ zone: 'a', region: 'r', namespace: 'shop', kind, name, external: false })
const CART: Tenant = { who: who('cart'), node: 'n2', coverage: 'node' }
const WEB: Tenant = { who: who('web'), node: 'n2', coverage: 'node' }
const NODE: Tenant = { who: { ...who('n2', 'Node'), namespace: '' }, node: 'n2', coverage: 'node' }
const SERVICE: Tenant = { who: who('cart', 'Service'), node: '', coverage: 'never' }

/** In seconds. */
const held = (tenant: Tenant, fromS: number, untilS = Number.POSITIVE_INFINITY): ClusterChanges => ({
  tenancies: [{ address: ADDRESS, key: `uid-${tenant.who.name}`, tenant, fromMs: fromS * 1000, untilMs: untilS * 1000 }],
})
const POD_RANGE: ClusterChanges = { ranges: [{ cidr: '10.1.0.0/24', node: 'n2' }] }
const OF_CART = { uid: 'uid-cart', who: CART.who, endedMs: 50_000 }
const OF_NO_RECORD = { uid: '', who: { kind: '_unknown' }, endedMs: undefined }

t.test('the pod that ended, while nobody has its address', async (t) => {
  const cases: { name: string; told: readonly ClusterChanges[]; atS: number; is: object | undefined }[] = [
    { name: 'it lives', told: [held(CART, 10)], atS: 60, is: undefined },
    { name: 'it ended', told: [held(CART, 10, 50)], atS: 52, is: OF_CART },
    { name: 'perhaps only now', told: [held(CART, 10, 50)], atS: 51, is: undefined },
    { name: 'another has its address', told: [held(CART, 10, 50), held(WEB, 55)], atS: 60, is: undefined },
    { name: 'changes are not heard of', told: [held(CART, 10, 50), { isCurrent: false }], atS: 60, is: undefined },
    {
      name: 'another may have had it unheard of',
      told: [held(CART, 10, 50), { unheard: [{ fromMs: 53_000, toMs: 55_000 }] }],
      atS: 60,
      is: undefined,
    },
    { name: 'a node', told: [held(NODE, 10, 50)], atS: 60, is: undefined },
    { name: 'a Service', told: [held(SERVICE, 10, 50)], atS: 60, is: undefined },
    { name: 'on no record', told: [], atS: 60, is: undefined },
    { name: 'on no record, though of a pod', told: [POD_RANGE], atS: 60, is: OF_NO_RECORD },
    { name: 'the same, while changes are not heard of', told: [POD_RANGE, { isCurrent: false }], atS: 60, is: undefined },
  ]
  for (const { name, told, atS, is } of cases) {
    const names = createClusterNames({ node: 'n1', patienceMs: 30_000, skewMs: 2_000, isBehindUs: () => false })
    names.apply({ standing: 'yes', covering: new Set(['n2']), isCurrent: true }, 0)
    for (const changes of told) names.apply(changes, 51_000)
    const found = names.endedPod(ADDRESS, atS * 1000)
    if (is) t.match(found, is, name)
    else t.equal(found, undefined, name)
    t.same([...names.used], [], 'nobody waits for it')
  }
})
