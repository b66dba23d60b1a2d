import t from 'tap'
import { createIntake } from '../../../src/sources/container-logs/intake.js'

t.test('what comes after the end waits for nobody', async (t) => {
  const intake = createIntake(10)
  const life = new AbortController()
  life.abort(new Error('over'))
  await t.rejects(intake.put(Buffer.alloc(20), life.signal), { message: 'over' })
  const other = new AbortController()
  const waiting = intake.put(Buffer.alloc(20), other.signal)
  other.abort(new Error('over as well'))
  await t.rejects(waiting, { message: 'over as well' })
})
