import t from 'tap'
import type { Known, Placement } from '../../src/model.js'
import { fc, runs } from '../property.js'
import { WHOS } from './identity-model.js'
import type { Path } from './kernel-model.js'
import type { Action, KillAfter } from './world.js'
import { createWorld } from './world.js'

const RUNS = runs(200)

const SOURCES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5']
const DESTINATIONS = [...SOURCES, '224.0.0.251']
const PATHS: readonly Path[] = ['plain', 'plain', 'translated', 'translated', 'no room for via', 'no room for pair', 'tunnel']
const KILLS: readonly KillAfter[] = [
  'announcing',
  'creating the table',
  'reading',
  'posting',
  'keeping',
  'half of the write',
  'half of the write',
  'writing',
  'releasing',
]

const known = fc.constantFrom<Known>('yes', 'no', 'no', 'unknown')
const placement: fc.Arbitrary<Placement> = fc
  .record({
    who: fc.constantFrom(...WHOS),
    local: fc.oneof({ weight: 5, arbitrary: known }, { weight: 1, arbitrary: fc.constant('joining' as const) }),
    covered: known,
    endedMs: fc.constantFrom(undefined, undefined, 1_763_715_000_000, 1_763_715_300_000),
  })
  .map(({ endedMs, ...rest }) => (endedMs === undefined ? rest : { ...rest, endedMs }))
const packet = fc.record({
  from: fc.constantFrom(...SOURCES),
  to: fc.constantFrom(...DESTINATIONS),
  bytes: fc.integer({ min: 1, max: 1000 }),
  path: fc.constantFrom(...PATHS),
  isInFlight: fc.boolean(),
})
const killAfter = fc.oneof({ weight: 4, arbitrary: fc.constant<KillAfter>('nothing') }, { weight: 3, arbitrary: fc.constantFrom(...KILLS) })
const tearAt = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constant(1_000_000))
const send = packet.map((sent): Action => ({ do: 'send', ...sent }))
const ambiguous = fc.boolean().map((is) => (is ? { ambiguous: true as const } : {}))
const meanwhile = fc.option(
  fc.tuple(placement, ambiguous).map(([one, flag]) => ({ ...one, ...flag })),
  { nil: undefined },
)
const apart = fc.option(fc.record({ agoMs: fc.constantFrom(0, 1_000, 20_000, 60_000), before: placement, after: placement }), {
  nil: undefined,
})
const place = fc.record({ do: fc.constant('place' as const), address: fc.constantFrom(...SOURCES), placement, meanwhile, apart })

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: send },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('cycle' as const), killAfter, tearAt, meanwhile: packet }) },
  { weight: 4, arbitrary: place },
  { weight: 3, arbitrary: fc.constant<Action>({ do: 'rotate' }) },
  { weight: 3, arbitrary: fc.constantFrom(1_000, 20_000, 60_000, 200_000).map((ms): Action => ({ do: 'wait', ms })) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: 'set the clock back' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: 'kill' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), killAfter, tearAt }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: 'destroy the table' }) },
)
/** A disk that fails or is damaged excuses much: so not in every run. */
const badLuck: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('works', 'works', 'full', 'full in the middle of a write', 'read-only')
      .map((mode) => ({ do: 'disk', mode }) as Action),
  },
  { weight: 1, arbitrary: fc.constant<Action>({ do: 'remove the state' }) },
  { weight: 1, arbitrary: fc.nat().map((at): Action => ({ do: 'garble the state', at })) },
)

const places = fc.tuple(...SOURCES.map(() => placement)).map((all) => new Map(all.map((one, at) => [SOURCES[at] ?? '', one] as const)))
const options = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1000)),
  idleMs: fc.constantFrom(1_000, 60_000, 3_600_000),
  places,
})

function assertHolds(actions: fc.Arbitrary<Action>): Promise<void> {
  const property = fc.asyncProperty(options, fc.array(actions, { maxLength: 60, size: 'max' }), async (chosen, all) => {
    const world = createWorld(chosen)
    for (const one of all) await world.run(one)
    await world.settle()
  })
  return fc.assert(property, { numRuns: RUNS, includeErrorInReport: true })
}

t.setTimeout(0)

t.test('what is served is exact, never falls and never doubles, whatever happens between any two steps', async (t) => {
  await t.resolves(assertHolds(action))
})

t.test('a disk that fails or loses the state costs no more than a start from zero', async (t) => {
  await t.resolves(assertHolds(fc.oneof({ weight: 12, arbitrary: action }, { weight: 1, arbitrary: badLuck })))
})
