import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createTurns } from '../../../src/sources/flows/turns.js'

t.test('one after the other, failures included', async (t) => {
  const turns = createTurns()
  const told: string[] = []
  const task = (name: string) => async (): Promise<string> => {
    told.push(`${name} begins`)
    await setImmediate()
    told.push(`${name} ends`)
    if (name === 'bad') throw new Error('bad')
    return name
  }
  t.ok(turns.isIdle)
  const all = Promise.allSettled(['first', 'bad', 'last'].map((name) => turns.take(task(name))))
  t.notOk(turns.isIdle)
  t.match(await all, [{ value: 'first' }, { reason: { message: 'bad' } }, { value: 'last' }])
  t.same(told, ['first begins', 'first ends', 'bad begins', 'bad ends', 'last begins', 'last ends'])
  t.ok(turns.isIdle)
})
