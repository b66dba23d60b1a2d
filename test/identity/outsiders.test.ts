import t from 'tap'
import { createOutsiders } from '../../src/identity/outsiders.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { Who } from '../../src/model.js'

const ADDRESS = '10.9.0.5'
const ORDERS: Who = { zone: 'a', region: 'r', namespace: 'shop', kind: 'ServiceEntry', name: 'orders', external: false }
const said = (key: string, who: Partial<Who> = {}, untilMs = Number.POSITIVE_INFINITY): Tenancy => ({
  address: ADDRESS,
  key,
  tenant: { who: { ...ORDERS, ...who }, node: '', coverage: 'outside' },
  fromMs: 0,
  untilMs,
})

t.test('who is said to be at an address', async (t) => {
  const VM = { kind: 'WorkloadEntry', name: 'vm-1', zone: 'b' }
  const INTERNET = { zone: '', region: '', external: true }
  const cases: { name: string; all: readonly Tenancy[]; who: Who | undefined }[] = [
    { name: 'nobody', all: [], who: undefined },
    { name: 'one', all: [said('1')], who: ORDERS },
    { name: 'the same, changed', all: [said('1'), said('1', { zone: 'b' })], who: { ...ORDERS, zone: 'b' } },
    { name: 'one that is gone', all: [said('1'), said('1', {}, 5)], who: undefined },
    { name: 'one of two is gone', all: [said('1'), said('2', { name: 'b' }), said('1', {}, 5)], who: { ...ORDERS, name: 'b' } },
    { name: 'two alike share a place', all: [said('1'), said('2', { name: 'b' })], who: { ...ORDERS, name: '_unknown' } },
    {
      name: 'two of two namespaces, in two zones',
      all: [said('1'), said('2', { name: 'b', namespace: 'far', zone: 'b' })],
      who: { ...ORDERS, name: '_unknown', namespace: '_unknown', zone: '_unknown' },
    },
    {
      name: 'both on the internet',
      all: [said('1', INTERNET), said('2', { ...INTERNET, name: 'b' })],
      who: { ...ORDERS, ...INTERNET, name: '_unknown' },
    },
    { name: 'a host before its services', all: [said('1'), said('2', VM), said('3', { name: 'b' })], who: { ...ORDERS, ...VM } },
  ]
  for (const { name, all, who } of cases) {
    const outsiders = createOutsiders()
    for (const one of all) outsiders.put(one)
    t.strictSame(outsiders.place(ADDRESS), who && { who, local: 'no', covered: 'no' }, name)
  }
})

t.test('what many share is found out once, not at each of them', async (t) => {
  const MANY = 1_000
  let looks = 0
  const outsiders = createOutsiders()
  for (let number = 0; number < MANY; number++) {
    const { tenant, ...rest } = said(String(number), { name: `orders-${number}` })
    const who: Who = {
      ...tenant.who,
      get zone() {
        looks++
        return 'a'
      },
    }
    outsiders.put({ ...rest, tenant: { ...tenant, who } })
  }
  t.match(outsiders.place(ADDRESS), { who: { ...ORDERS, name: '_unknown' } })
  t.ok(looks < 10 * MANY, `${looks} looks`)
})
