import t from 'tap'
import { fc, runs } from '../../property.js'
import { createTotalsWorld, type Kill, type Step } from './world.js'

const RUNS = runs(400)
const target = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) })
const owner = fc.constantFrom('cart', 'stock', 'web')
const KILLS: readonly Kill[] = [...Array<Kill>(10).fill('no'), 'before the write', 'in the write', 'in the write', 'after the write']

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('come' as const), target, isStamped: fc.boolean(), owner }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('count' as const),
      target,
      series: fc.constantFrom('in', 'out'),
      amount: fc.integer({ min: 1, max: 1000 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      kill: fc.constantFrom(...KILLS),
      tearAt: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(1_000_000)),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('go', 'hide', 'show', 'show', 'reset', 'reset'), target }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('learn' as const), target }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('own' as const), target, owner }) },
  { weight: 6, arbitrary: fc.constantFrom(200, 700, 15_000, 100_000, 700_000).map((ms): Step => ({ do: 'wait', ms })) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'kill' }) },
)

t.test('served is what came, less what the rules leave out: never twice, never less than before, through any crash', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
      const world = createTotalsWorld()
      let before = new Map<string, number>()
      for (const one of steps) {
        await world.step(one)
        if (!world.isRunning && one.do !== 'read') continue
        if (!world.isRunning) await world.start()
        const served = world.served()
        for (const [name, value] of before)
          if ((served.get(name) ?? -1) < value) throw new Error(`${name} fell from ${value} to ${served.get(name)}`)
        if (one.do === 'read') {
          const [got, wanted] = [[...served].sort(), [...world.wanted].sort()]
          if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`)
        }
        before = served
      }
    }),
    { numRuns: RUNS },
  )
  t.pass(`${RUNS} runs`)
})
