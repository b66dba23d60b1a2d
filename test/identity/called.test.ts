import t from 'tap'
import { type Called, createCalledDuring } from '../../src/identity/called.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createHolders, type Holding, isPod, type Tenant } from '../../src/identity/holders.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { InventoryEntry, Who } from '../../src/model.js'

const ADDRESS = '10.1.0.7'
const who = (name: string, kind = 'Deployment'): Who => ({ zone: 'a', region: 'r', namespace: 'shop', kind, name, external: false })
const tenant = (name: string): Tenant => ({ who: who(name), node: 'n1', coverage: 'node' })
const [CART, WEB] = [tenant('cart'), tenant('web')]
const NODE: Tenant = { ...tenant('n1'), who: { ...who('n1', 'Node'), namespace: '' } }

const holding = (key: string, of: Tenant, fromS: number, untilS = Number.POSITIVE_INFINITY): Holding => ({
  key,
  tenant: of,
  fromMs: fromS * 1_000,
  untilMs: untilS * 1_000,
})

const said = (called: Called | undefined): string => (called ? `${called.who.name} ${called.ended}` : 'nobody ever')

t.test('who was called, and whether that pod had ended', async (t) => {
  const cases: readonly (readonly [name: string, all: readonly Holding[], seconds: readonly [number, number], is: string])[] = [
    ['an address that nobody ever had', [], [100, 101], 'nobody ever'],
    ['a pod that was there throughout', [holding('1', CART, 0)], [100, 101], 'cart no'],
    ['a pod that ended long after', [holding('1', CART, 0, 200)], [100, 101], 'cart no'],
    ['a pod that had ended', [holding('1', CART, 50, 97)], [100, 101], 'cart yes'],
    ['a pod that ended just before', [holding('1', CART, 50, 99)], [100, 101], 'cart _unknown'],
    ['a pod that ended just after', [holding('1', CART, 50, 102)], [100, 101], 'cart _unknown'],
    ['a pod that ended while a request of it was open', [holding('1', CART, 50, 150)], [100, 200], 'cart _unknown'],
    ['a pod that had just come', [holding('1', CART, 99)], [100, 101], 'cart _unknown'],
    ['a pod that came later', [holding('1', CART, 200)], [100, 101], '_unknown _unknown'],
    ['before another came', [holding('1', CART, 50, 90), holding('2', WEB, 200)], [100, 101], 'cart yes'],
    ['after another came', [holding('1', CART, 50, 90), holding('2', WEB, 95)], [100, 101], 'web no'],
    ['while another came', [holding('1', CART, 50, 90), holding('2', WEB, 100)], [100, 101], '_unknown _unknown'],
    ['while another of the same came', [holding('1', CART, 50, 90), holding('2', CART, 100)], [100, 101], 'cart _unknown'],
    ['a node', [holding('1', NODE, 0)], [100, 101], 'n1 '],
    ['a pod that ended before anything was heard', [holding('1', CART, 10, 30)], [100, 101], '_unknown _unknown'],
  ]
  for (const [name, all, [fromS, toS], is] of cases) {
    const holders = createHolders({ skewMs: 2_000 })
    for (const one of all) holders.set(ADDRESS, one)
    const called = createCalledDuring({ holders, skewMs: 2_000, isDoubtful: () => false })
    t.equal(said(called(ADDRESS, { fromMs: fromS * 1_000, toMs: toS * 1_000 }, 40_000)), is, name)
  }
})

t.test('what was not heard', async (t) => {
  const holders = createHolders({ skewMs: 2_000 })
  holders.set(ADDRESS, holding('1', CART, 50, 90))
  let isAway = false
  const called = createCalledDuring({ holders, skewMs: 2_000, isDoubtful: ({ tenant: one }) => isAway && isPod(one) })
  const at = (second: number): string => said(called(ADDRESS, { fromMs: second * 1_000, toMs: second * 1_000 }, 0))
  t.equal(at(120), 'cart yes')
  isAway = true
  t.equal(at(120), '_unknown _unknown', 'while nothing is heard')
  isAway = false
  holders.miss({ fromMs: 100_000, toMs: 110_000 })
  t.equal(at(95), 'cart yes', 'before that')
  t.equal(at(120), '_unknown _unknown', 'another may have come and gone since')
  holders.set(ADDRESS, holding('2', WEB, 91))
  t.equal(at(120), 'web no', 'who was there all the time is certain')
})

t.test('an address of whatever kind', async (t) => {
  const cluster = createClusterNames({ node: 'n1', patienceMs: 0, skewMs: 2_000, isBehindUs: () => false })
  const identity = createIdentity({ name: 'n1', zone: 'a', region: 'r' }, { clock: { now: () => 0 }, cluster })
  const entry: InventoryEntry = {
    ...{
      cidr: '10.9.0.0/24',
      zone: 'b',
      region: 'r',
      namespace: '',
      ownerKind: 'Database',
      ownerName: 'orders',
      node: '',
      external: false,
    },
  }
  const heard = [{ ...holding('1', CART, 50, 90), address: 'fd00::1:2' }]
  await identity.update({ entries: [entry], addresses: ['192.168.0.1'] }, async () => undefined)
  await identity.update({ cluster: { isCurrent: true } }, async () => undefined)
  await identity.update({ cluster: { tenancies: heard } }, async () => undefined)
  const at = (address: string): string => said(identity.called(address, { fromMs: 100_000, toMs: 100_000 }))
  t.equal(at('fd00:0:0:0::1:2'), 'cart yes', 'by whatever text')
  t.equal(at('10.9.0.4'), 'orders ', 'the inventory')
  t.equal(at('192.168.0.1'), 'n1 ', 'the node itself')
  t.equal(at('203.0.113.7'), '_unknown _unknown', 'an address that is reserved')
  t.equal(at('8.8.8.8'), '_unknown ', 'outside')
  t.equal(at('10.200.0.1'), '_unknown _unknown', 'nobody that is known')
  t.equal(at('no address'), '_unknown _unknown')
  await identity.update({ cluster: { isCurrent: false } }, async () => undefined)
  t.equal(at('10.9.0.4'), '_unknown _unknown', 'in a range a pod may be that nobody has told of')
  await identity.update({ cluster: { isCurrent: true, unheard: [{ fromMs: 90_000, toMs: 110_000 }] } }, async () => undefined)
  t.equal(at('10.9.0.4'), '_unknown _unknown', 'or may have been')
})
