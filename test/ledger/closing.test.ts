import t from 'tap'
import { CART, STOCK, WEB } from './identity-model.js'
import { type Action, createWorld } from './world.js'

const [cart, web, stock] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const
const PLACES = new Map([
  [cart, { who: CART, local: 'yes', covered: 'yes' }],
  [web, { who: WEB, local: 'yes', covered: 'yes' }],
  [stock, { who: STOCK, local: 'no', covered: 'yes' }],
] as const)

const send = (from: string, bytes: number): Action => ({ do: 'send', from, to: stock, bytes, path: 'plain', isInFlight: false })
const cycle: Action = {
  do: 'cycle',
  killAfter: 'nothing',
  tearAt: 0,
  meanwhile: { from: cart, to: stock, bytes: 1, path: 'tunnel', isInFlight: false },
}
const wait: Action = { do: 'wait', ms: 2000 }
const rotate: Action = { do: 'rotate' }

t.test('what only a closed generation had is forgotten', async (t) => {
  const cases: readonly { name: string; limit: number; actions: readonly Action[]; flows: readonly (readonly [string, number])[] }[] = [
    {
      name: 'a withdrawn series whose pairs live on waits for them',
      limit: 2,
      actions: [send(cart, 5), cycle, wait, cycle],
      flows: [['cart', 0]],
    },
    { name: 'one whose pairs are dead is gone', limit: 2, actions: [send(cart, 5), cycle, wait, cycle, rotate, cycle], flows: [] },
    {
      name: 'a folded owner pair stays folded while its pairs live',
      limit: 1,
      actions: [send(cart, 5), cycle, send(web, 7), cycle, wait, cycle, send(web, 3), cycle],
      flows: [
        ['cart', 0],
        ['_other', 10],
      ],
    },
    {
      name: 'one whose pairs are dead has its own series when it comes back to a place',
      limit: 1,
      actions: [send(cart, 5), cycle, send(web, 7), cycle, wait, cycle, rotate, cycle, send(web, 3), cycle],
      flows: [
        ['_other', 7],
        ['web', 3],
      ],
    },
  ]
  for (const { name, limit, actions, flows } of cases) {
    const world = createWorld({ limit, idleMs: 1000, places: PLACES })
    for (const action of [cycle, ...actions]) await world.run(action)
    const all = [...(world.ledger?.accounts.flows.values() ?? [])]
    t.same(
      all.map(({ labels, value }) => [labels['src_owner_name'], value]),
      flows,
      name,
    )
  }
})
