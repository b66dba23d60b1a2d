// Whatever happens to the intake, the process and the disk: what was counted is in Datadog, once, less what is uncertain.
import t from 'tap'
import { fc, runs } from '../../property.js'
import { holdThroughOutage } from './outage.js'
import { createWorld, FLUSH_MS, type Weather, type World } from './world.js'

t.setTimeout(600_000)

const BYTES = 'meshtoll.flow.bytes'
const HOUR_MS = 3_600_000
const WEATHERS: readonly Weather[] = [
  'fine',
  'down',
  'hangs, kept',
  'hangs, not kept',
  'resets, kept',
  'resets, not kept',
  '500, kept',
  '429',
  '413',
]

type Step =
  | { readonly do: 'count'; readonly name: string; readonly bytes: number }
  | { readonly do: 'weather'; readonly weather: Weather }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'withdraw'; readonly name: string }
  | { readonly do: 'kill' }
  | { readonly do: 'disk'; readonly mode: 'works' | 'full' | 'full in the middle of a write' | 'read-only' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('count' as const),
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      bytes: fc.integer({ min: 1, max: 1e9 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('weather' as const), weather: fc.constantFrom(...WEATHERS) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1_000, FLUSH_MS, 300_000, HOUR_MS) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('withdraw' as const), name: fc.constantFrom('a', 'b', 'c', 'd', 'e') }) },
  { weight: 3, arbitrary: fc.constant({ do: 'kill' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('disk' as const),
      mode: fc.constantFrom('works' as const, 'full' as const, 'full in the middle of a write' as const, 'read-only' as const),
    }),
  },
)

/** Bytes of series that were withdrawn while nothing could be written: they wait, and end with the process. */
interface Waiting {
  bytes: number
  ended: number
}

async function play(world: World, one: Step, waiting: Waiting): Promise<void> {
  if (one.do === 'count') world.count(one.name, one.bytes)
  if (one.do === 'weather') world.weather = one.weather
  if (one.do === 'pass') await world.pass(one.ms)
  if (one.do === 'disk') world.disk.mode = one.mode
  // Idle for longer than a flush takes.
  if (one.do === 'withdraw') await world.pass(FLUSH_MS)
  const isWritten = world.disk.mode === 'works'
  if (isWritten && ((one.do === 'pass' && one.ms >= FLUSH_MS) || one.do === 'withdraw')) waiting.bytes = 0
  const withdrawn = one.do === 'withdraw' ? world.withdraw(one.name) : 0
  if (!isWritten) waiting.bytes += withdrawn
  if (one.do !== 'kill') return
  waiting.ended += waiting.bytes
  waiting.bytes = 0
  world.kill()
  await world.start()
}

/** At once, or after as long as it may take. */
async function catchUp(world: World): Promise<void> {
  const endMs = world.clock.now() + 2 * HOUR_MS
  do await world.pass(10 * FLUSH_MS)
  while (world.self('waiting_windows') > 0 && world.clock.now() < endMs)
}

t.test('sums are exact', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.constantFrom(3, 2_000), async (steps, maxSeries) => {
      const world = createWorld({ maxSeries, maxPoints: 7 })
      await world.start()
      const atRisk = { bytes: 0, ended: 0 }
      for (const one of steps) await play(world, one, atRisk)
      world.weather = 'fine'
      world.disk.mode = 'works'
      await catchUp(world)
      const missing = world.truth - world.judge.sum(BYTES)
      // A request that stays too large with a single point in it is refused for good.
      const uncertain = world.self('uncertain_bytes_total') + world.self('refused_bytes_total') + atRisk.ended
      const problems = world.judge.problems
      const waiting = world.self('waiting_windows')
      world.kill()
      if (missing < 0 || missing > uncertain || waiting > 0 || problems.length > 0)
        throw new Error(JSON.stringify({ missing, uncertain, waiting, problems: problems.slice(0, 3), log: world.log.lines.slice(-5) }))
    }),
    { numRuns: runs(60) },
  )
})

t.test('500 series, the intake down for ten minutes, hanging and resetting, and two kills', async (t) => {
  await holdThroughOutage(t, { series: 500 })
})
