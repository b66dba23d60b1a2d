import t from 'tap'
import { createSlots } from '../../src/sources/slots.js'

t.test('so many at once, first come, first served; one that fails fails alone', async (t) => {
  const slots = createSlots(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const tasks = [0, 1, 2, 3].map((id) =>
    slots(async () => {
      begun.push(id)
      await new Promise<void>((resolve) => ends.push(resolve))
      if (id === 0) throw new Error('no')
    }),
  )
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await turn()
  t.same(begun, [0, 1])
  ends[0]?.()
  await t.rejects(tasks[0] as Promise<void>, { message: 'no' })
  await turn()
  t.same(begun, [0, 1, 2])
  ends[1]?.()
  await turn()
  t.same(begun, [0, 1, 2, 3])
  for (const end of ends) end()
  await Promise.all(tasks.slice(1))
})
