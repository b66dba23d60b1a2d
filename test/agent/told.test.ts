import t from 'tap'
import { createTold } from '../../src/agent/told.js'
import type { Tenancy } from '../../src/identity/tenancies.js'

const who = { zone: 'a', region: 'r', namespace: 'shop', kind: 'Deployment', name: 'cart', external: false }
const tenancy = (address: string, untilMs = Number.POSITIVE_INFINITY): Tenancy => ({
  address,
  key: `pod-${address}`,
  tenant: { who, node: 'n2', coverage: 'node' },
  fromMs: 1_000,
  untilMs,
})
const said = (tenancies: readonly Tenancy[]): string[] => tenancies.map(({ address, untilMs }) => `${address} until ${untilMs}`)

t.test('what is not told again is over', async (t) => {
  const told = createTold()
  told.keep([tenancy('10.1.2.1'), tenancy('10.1.2.2'), tenancy('10.1.2.3'), tenancy('10.1.2.4', 5_000)])
  told.settle()
  t.same(said(told.take()), ['10.1.2.1 until Infinity', '10.1.2.2 until Infinity', '10.1.2.3 until Infinity', '10.1.2.4 until 5000'])
  told.forget((address) => address !== '10.1.2.3')
  told.beginAnew(9_000)
  told.keep([tenancy('10.1.2.1')])
  told.settle()
  t.same(said(told.take()), ['10.1.2.1 until Infinity', '10.1.2.2 until 9000'], 'but for those that nobody asked for again')
  told.settle()
  t.same(told.take(), [], 'said once')
})
