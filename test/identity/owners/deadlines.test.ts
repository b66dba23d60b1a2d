import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createDeadlines } from '../../../src/identity/owners/deadlines.js'
import { createHandClock } from '../../kube/hand-clock.js'

t.test('each ends after its own time', async (t) => {
  const clock = createHandClock()
  const deadlines = createDeadlines(clock, new AbortController().signal)
  const [short, long] = [deadlines.start(1000), deadlines.start(5000)]
  clock.advance(1000)
  await turn()
  t.same([short.signal.aborted, long.signal.aborted], [true, false])
  t.match(short.signal.reason, { message: 'not done within 1 s' })
})

t.test('one that is released ends nothing, and sleeps no more', async (t) => {
  const clock = createHandClock()
  const deadline = createDeadlines(clock, new AbortController().signal).start(1000)
  deadline.release()
  await turn()
  t.same(clock.sleeping, [])
})

t.test('all end with the signal, and those that begin later', async (t) => {
  const clock = createHandClock()
  const stopping = new AbortController()
  const deadlines = createDeadlines(clock, stopping.signal)
  const running = Array.from({ length: 20 }, () => deadlines.start(1000))
  stopping.abort(new Error('stopped'))
  const all = [...running, deadlines.start(1000)]
  t.ok(all.every(({ signal }) => (signal.reason as Error | undefined)?.message === 'stopped'))
  await turn()
  t.same(clock.sleeping, [])
})

t.test('Node does not warn of listeners, however many run', async (t) => {
  const warnings: Error[] = []
  const keep = (warning: Error): void => void warnings.push(warning)
  process.on('warning', keep)
  t.teardown(() => process.off('warning', keep))
  const deadlines = createDeadlines(createHandClock(), new AbortController().signal)
  for (let at = 0; at < 50; at++) deadlines.start(1000)
  await turn()
  t.same(warnings, [])
})
