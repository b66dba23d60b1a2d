import t from 'tap'
import { createTally, type Tally } from '../../../src/directory/endpoints/tally.js'
import { createHandClock } from '../../kube/hand-clock.js'

const OPTIONS = { limit: 2, idleMs: 3_600_000, zeroFirstMs: 0 }

/** `namespace/name change=value`, without those that are 0. */
const shown = (tally: Tally, all = false): readonly string[] =>
  tally.families().flatMap(({ series }) =>
    [...series].flatMap(({ labels: { service_namespace, service_name, ...more }, value }) => {
      const [[label, one] = []] = Object.entries(more)
      return value > 0 || all ? [`${service_namespace}/${service_name} ${label} ${one} ${value}`] : []
    }),
  )

t.test('by service', async (t) => {
  const tally = createTally(OPTIONS, createHandClock())
  t.same(shown(tally), [])
  tally.changed('shop/cart', 'added')
  tally.changed('shop/cart', 'added')
  tally.changed('mail/cart', 'unready')
  tally.restarted('shop/cart', 'OOMKilled', 2)
  tally.restarted('shop/cart', 'Error', 1)
  t.same(shown(tally), [
    'shop/cart change added 2',
    'mail/cart change unready 1',
    'shop/cart reason OOMKilled 2',
    'shop/cart reason Error 1',
  ])
  t.equal(shown(tally, true).filter((line) => line.startsWith('shop/cart change')).length, 4, 'all changes, be they 0')
})

t.test('when each began, by which a push tells one that began anew', async (t) => {
  const clock = createHandClock()
  const tally = createTally({ ...OPTIONS, zeroFirstMs: 60_000 }, clock)
  tally.restarted('shop/cart', 'Error', 3)
  const sinceMs = clock.now()
  clock.advance(1_000)
  tally.restarted('shop/cart', 'Error', 1)
  const restarts = (zeroFirst: boolean) => [...(tally.families({ zeroFirst })[1]?.series ?? [])]
  t.match(restarts(true), [{ value: 0, sinceMs }])
  t.match(restarts(false), [{ value: 4, sinceMs }], 'which need not see a zero first')
})

t.test('past the limit', async (t) => {
  const tally = createTally(OPTIONS, createHandClock())
  for (let index = 0; index < 5; index++) {
    tally.changed(`shop/s${index}`, 'added')
    tally.restarted(`shop/s${index}`, 'Error', index)
  }
  tally.changed('shop/s0', 'added')
  t.same(shown(tally), [
    'shop/s0 change added 2',
    'shop/s1 change added 1',
    '_other/_other change added 3',
    'shop/s1 reason Error 1',
    '_other/_other reason Error 9',
  ])
})

t.test('services that are gone', async (t) => {
  const clock = createHandClock()
  const tally = createTally(OPTIONS, clock)
  for (const service of ['shop/a', 'shop/b', 'shop/c']) tally.changed(service, 'added')
  const isGone = (service: string): boolean => service !== 'shop/b'
  clock.advance(OPTIONS.idleMs - 1)
  tally.withdraw(isGone)
  t.equal(shown(tally).length, 3, 'for less than an hour')
  clock.advance(1)
  tally.withdraw(isGone)
  t.same(shown(tally), ['shop/b change added 1', '_other/_other change added 1'], 'what is folded stays')
  tally.changed('shop/c', 'added')
  t.same(shown(tally), ['shop/b change added 1', '_other/_other change added 1', 'shop/c change added 1'], 'another one has its room')
})

t.test('0 first', async (t) => {
  const clock = createHandClock()
  const tally = createTally({ ...OPTIONS, zeroFirstMs: 60_000 }, clock)
  tally.changed('shop/a', 'added')
  clock.advance(59_999)
  tally.restarted('shop/a', 'Error', 1)
  t.same(shown(tally), [])
  clock.advance(1)
  t.same(shown(tally), ['shop/a change added 1'])
})
