import t from 'tap'
import { createRecentlyUsed } from '../../../src/identity/owners/recently-used.js'

t.test('what was not used for longest is forgotten', async (t) => {
  const cases = [
    { name: 'the first that was set', use: [], forgotten: 'a' },
    { name: 'not one that was asked for', use: ['a'], forgotten: 'b' },
    { name: 'not two that were asked for', use: ['a', 'b'], forgotten: 'c' },
  ]
  for (const { name, use, forgotten } of cases) {
    const used = createRecentlyUsed<{ key: string }>(3)
    for (const key of ['a', 'b', 'c']) used.set(key, { key })
    for (const key of use) used.get(key)
    used.set('d', { key: 'd' })
    t.same(
      ['a', 'b', 'c', 'd'].filter((key) => used.get(key)?.key !== key),
      [forgotten],
      name,
    )
  }
})

t.test('a key that is set again takes no room', async (t) => {
  const used = createRecentlyUsed<{ value: number }>(2)
  used.set('a', { value: 1 })
  used.set('b', { value: 2 })
  used.set('b', { value: 3 })
  t.same([used.get('a'), used.get('b')], [{ value: 1 }, { value: 3 }])
})
