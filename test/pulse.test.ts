import t from 'tap'
import type { Clock } from '../src/deps.js'
import { createPulse } from '../src/pulse.js'
import { createSetClock } from '../src/set-clock.js'
import { createHandClock } from './kube/hand-clock.js'
import { createKeptLog } from './kube/kept-log.js'

/** `stand`: time that passes without anybody being woken; `monotonic` does not tell of sleep. */
function setUp() {
  const hand = createHandClock()
  const log = createKeptLog()
  const stood = { wallMs: 0, steadyMs: 0 }
  const clock: Clock = createSetClock({
    ...hand,
    now: () => hand.now() + stood.wallMs,
    monotonic: () => hand.monotonic() + stood.steadyMs,
  })
  const pulse = createPulse(clock, log)
  const stopping = new AbortController()
  const heard: string[] = []
  pulse.onStop(({ message }) => void heard.push(message))
  return {
    ...{ pulse, stopping, heard, hand, lines: log.lines },
    stand(ms: { readonly wallMs: number; readonly steadyMs: number }) {
      stood.wallMs += ms.wallMs
      stood.steadyMs += ms.steadyMs
    },
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += 500) {
        await hand.untilSleeping(500)
        hand.advance(500)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

t.test('what stands still, and what does not', async (t) => {
  const cases = [
    { name: 'a moment', ms: { wallMs: 2_400, steadyMs: 2_400 }, stops: 0 },
    { name: 'stopped', ms: { wallMs: 17_000, steadyMs: 17_000 }, stops: 1 },
    { name: 'asleep with its machine', ms: { wallMs: 3_600_000, steadyMs: 0 }, stops: 1 },
    { name: 'a clock that is set back', ms: { wallMs: -3_600_000, steadyMs: 0 }, stops: 0 },
  ]
  for (const { name, ms, stops } of cases) {
    const { pulse, stopping, heard, lines, stand, pass } = setUp()
    const running = pulse.run(stopping.signal)
    await pass(10_000)
    stand(ms)
    pulse.look()
    t.equal(pulse.stops, stops, name)
    t.equal(heard.length, stops, 'whoever waits for word of it has it at once')
    await pass(10_000)
    t.equal(pulse.stops, stops, 'once')
    t.equal(lines.length, stops)
    stopping.abort(new Error('stopped'))
    await running
  }
})

t.test('who was stopped, and is ended as soon as it goes on, has stood still all the same', async (t) => {
  const { pulse, stopping, stand, pass } = setUp()
  const running = pulse.run(stopping.signal)
  await pass(1_000)
  stand({ wallMs: 17_000, steadyMs: 17_000 })
  stopping.abort(new Error('stopped'))
  await running
  t.equal(pulse.stops, 1)
})

t.test('while nobody runs it no time between two looks says anything', async (t) => {
  const { pulse, stopping, heard, stand } = setUp()
  stand({ wallMs: 17_000, steadyMs: 17_000 })
  pulse.look()
  const running = pulse.run(stopping.signal)
  stopping.abort(new Error('stopped'))
  await running
  stand({ wallMs: 17_000, steadyMs: 17_000 })
  pulse.look()
  t.equal(pulse.stops, 0)
  t.same(heard, [])
})
