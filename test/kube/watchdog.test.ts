import t from 'tap'
import { startWatchdog } from '../../src/kube/watchdog.js'
import { createHandClock } from './hand-clock.js'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('it barks once, when nothing was heard for long enough', async (t) => {
  const clock = createHandClock()
  let barks = 0
  const watchdog = startWatchdog({ ms: 100, onSilence: () => barks++ }, clock)
  for (const { ms, says, name } of [
    { ms: 99, says: 0, name: 'not yet' },
    { ms: 0, says: 0, name: 'heard something' },
    { ms: 99, says: 0, name: 'not yet' },
    { ms: 1, says: 1, name: 'silence' },
    { ms: 1000, says: 1, name: 'only once' },
  ]) {
    if (name === 'heard something') watchdog.heard()
    clock.advance(ms)
    await settled()
    t.equal(barks, says, name)
  }
})

t.test('it does not bark after it was released', async (t) => {
  const clock = createHandClock()
  const watchdog = startWatchdog({ ms: 100, onSilence: () => t.fail('barked') }, clock)
  clock.advance(100)
  watchdog.release()
  await settled()
  t.strictSame(clock.sleeping, [])
})
