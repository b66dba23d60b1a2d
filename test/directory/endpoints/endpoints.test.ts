import t from 'tap'
import { MOVED_WITHIN_MS, SHORT_LIFE_MS } from '../../../src/directory/endpoints/churn.js'
import { type Counted, startCounted } from './counted.js'

/** Slices of Service cart that are there before: `s1`, `s2`. */
async function startTold(...slices: readonly string[]): Promise<Counted> {
  const counted = startCounted()
  for (const [index, words] of slices.entries()) counted.slice(`s${index + 1}`, 'cart', words)
  await counted.told()
  return counted
}

const settle = (counted: Counted): readonly string[] => {
  counted.clock.advance(MOVED_WITHIN_MS)
  return counted.take()
}

t.test('changes of one slice', async (t) => {
  const cases = [
    { name: 'nothing', from: 'a b-', to: 'b- a', counts: [] },
    { name: 'one is in it twice', from: 'a', to: 'a a-', counts: [] },
    { name: 'one comes', from: 'a', to: 'a b-', counts: ['cart added 1'] },
    { name: 'one comes, ready', from: '', to: 'b', counts: ['cart added 1'] },
    { name: 'one gets ready', from: 'a b-', to: 'a b', counts: ['cart ready 1'] },
    { name: 'one gets unready', from: 'a b', to: 'a b-', counts: ['cart unready 1'] },
    { name: 'one leaves', from: 'a b', to: 'a b~', counts: ['cart unready 1'] },
    { name: 'one that was unready leaves', from: 'a b-', to: 'a b~', counts: [] },
    { name: 'one is gone', from: 'a b~', to: 'a', counts: ['cart removed 1'] },
    { name: 'all are others', from: 'a b', to: 'c d-', counts: ['cart added 2', 'cart removed 2'] },
  ]
  for (const { name, from, to, counts } of cases) {
    const counted = await startTold(from)
    counted.slice('s1', 'cart', to)
    t.same(settle(counted), counts, name)
  }
})

t.test('what is there at first is no change', async (t) => {
  const counted = startCounted()
  counted.slice('s1', 'cart', 'a b-')
  counted.slice('s1', 'cart', 'a b')
  counted.slice('s2', 'cart', 'c')
  counted.removeSlice('s2')
  t.same(settle(counted), [])
  await counted.told()
  t.same(settle(counted), [])
  counted.slice('s3', 'cart', 'd')
  t.same(counted.take(), ['cart added 1'])
})

t.test('an endpoint that moves to another slice', async (t) => {
  const cases = [
    { name: 'into the other one first', steps: ['s2 c b', 's1 a'] },
    { name: 'out of the first one first', steps: ['s1 a', 's2 c b'] },
    { name: 'out, and a moment later into a new one', steps: ['s1 a', 'wait', 's3 b'] },
    { name: 'with its slice', steps: ['s1', 's3 a b', 'wait'] },
  ]
  for (const { name, steps } of cases) {
    const counted = await startTold('a b', 'c')
    for (const step of steps) {
      const [key = '', ...words] = step.split(' ')
      if (key === 'wait') counted.clock.advance(MOVED_WITHIN_MS - 1)
      else if (words.length === 0) counted.removeSlice(key)
      else counted.slice(key, 'cart', words.join(' '))
    }
    t.same(settle(counted), [], name)
    t.same(settle(counted), [], name)
  }
  const late = await startTold('a b', 'c')
  late.slice('s1', 'cart', 'a')
  late.clock.advance(MOVED_WITHIN_MS)
  late.slice('s2', 'cart', 'c b')
  t.same(settle(late), ['cart added 1', 'cart removed 1'], 'one that was away for longer')
})

t.test('one that moves, and is not ready there', async (t) => {
  const counted = await startTold('a b', 'c')
  counted.slice('s1', 'cart', 'a')
  counted.slice('s2', 'cart', 'c b-')
  t.same(settle(counted), ['cart unready 1'])
})

t.test('an endpoint in two slices, as one of two families', async (t) => {
  const counted = await startTold('a', 'a')
  counted.slice('s1', 'cart', 'a b')
  counted.slice('s2', 'cart', 'a b')
  t.same(settle(counted), ['cart added 1'])
  counted.slice('s1', 'cart', 'a b-')
  t.same(settle(counted), [], 'ready in one')
  counted.slice('s2', 'cart', 'a b-')
  t.same(settle(counted), ['cart unready 1'])
  counted.slice('s1', 'cart', 'a')
  t.same(settle(counted), [])
  counted.removeSlice('s2')
  t.same(settle(counted), ['cart removed 1', 'cart restarted ShortLived 1'])
})

t.test('the same pod behind two Services', async (t) => {
  const counted = await startTold('a')
  counted.slice('x1', 'stock', 'a')
  t.same(settle(counted), ['stock added 1'])
  counted.slice('x1', 'mail', 'a')
  t.same(settle(counted), ['stock removed 1', 'mail added 1'], 'a slice that is of another Service now')
})

t.test('restarts', async (t) => {
  const counted = await startTold('a b-')
  const cases = [
    { name: 'one that was never', pod: ['a', 'main 1 Error'], counts: ['cart restarted Error 1'] },
    { name: 'nothing new', pod: ['a', 'main 1 Error'], counts: [] },
    { name: 'twice at once', pod: ['a', 'main 3 OOMKilled'], counts: ['cart restarted OOMKilled 2'] },
    { name: 'another container', pod: ['a', 'main 3 Error', 'proxy 1 Error'], counts: ['cart restarted Error 1'] },
    { name: 'some are forgotten', pod: ['a', 'main 2 Error', 'proxy 1 Error'], counts: [] },
    { name: 'and it goes on', pod: ['a', 'main 3 Error', 'proxy 1 Error'], counts: ['cart restarted Error 1'] },
    { name: 'a pod of the same name', pod: ['b', 'main 2 Error'], counts: ['cart restarted Error 2'] },
    { name: 'behind nothing', pod: ['z', 'main 5 Error'], counts: [] },
  ]
  for (const { name, pod, counts } of cases) {
    const [uid = '', ...containers] = pod
    counted.pod('web-0', uid, ...containers)
    t.same(settle(counted), counts, name)
  }
})

t.test('a pod whose endpoint comes after its restart', async (t) => {
  const counted = await startTold('a')
  counted.pod('web-1', 'b', 'main 1 Error')
  counted.slice('s1', 'cart', 'a b-')
  t.same(counted.take(), ['cart added 1'])
  t.same(settle(counted), ['cart restarted Error 1'])
  t.same(settle(counted), [])
})

t.test('a pod that is gone, and another of its name and uid', async (t) => {
  const counted = await startTold('a')
  counted.pod('web-0', 'a', 'main 2 Error')
  counted.removePod('web-0')
  counted.pod('web-0', 'a', 'main 1 Error')
  t.same(counted.take(), ['cart restarted Error 3'])
})

t.test('short lives', async (t) => {
  const counted = await startTold('a')
  const cases = [
    { name: 'deleted', steps: ['a b-', 'a b', 40_000, 'a b~', 'a'], isShort: true },
    { name: 'deleted after it had got unready', steps: ['a b', 30_000, 'a b-', 20_000, 'a b~', 'a'], isShort: true },
    { name: 'gone at once', steps: ['a b', 30_000, 'a'], isShort: true },
    { name: 'just not short', steps: ['a b', SHORT_LIFE_MS, 'a b~', 'a'], isShort: false },
    { name: 'gone a moment before', steps: ['a b', SHORT_LIFE_MS - 1, 'a'], isShort: true },
    { name: 'gone a moment before, and others come', steps: ['a b', SHORT_LIFE_MS - 1, 'a', 2_000, 'a c-'], isShort: true },
    { name: 'ready again later in its life', steps: ['a b', 90_000, 'a b-', 'a b', 10_000, 'a b~', 'a'], isShort: false },
    { name: 'never ready', steps: ['a b-', 10_000, 'a b~', 'a'], isShort: false },
    { name: 'unready for long before', steps: ['a b-', 300_000, 'a b', 10_000, 'a b~', 'a'], isShort: true },
    { name: 'moved', steps: ['a b', 10_000, 'a', 1_000, 'a b'], isShort: false },
  ]
  for (const { name, steps, isShort } of cases) {
    for (const step of steps) {
      if (typeof step === 'number') counted.clock.advance(step)
      else counted.slice('s1', 'cart', step)
    }
    const short = settle(counted).filter((count) => count.includes('restarted'))
    t.same(short, isShort ? ['cart restarted ShortLived 1'] : [], name)
    counted.slice('s1', 'cart', 'a')
    counted.clock.advance(SHORT_LIFE_MS)
    settle(counted)
  }
})

t.test('one that was there before has an age that nobody knows', async (t) => {
  const counted = await startTold('a')
  counted.slice('s1', 'cart', 'a~')
  counted.slice('s1', 'cart', '')
  t.same(settle(counted), ['cart removed 1', 'cart unready 1'])
})

t.test('a Service that is deleted takes its endpoints along, not its pods', async (t) => {
  const counted = await startTold()
  counted.slice('s1', 'cart', 'a b-')
  counted.clock.advance(10_000)
  counted.removeSlice('s1')
  t.same(settle(counted), ['cart added 2', 'cart removed 2'])
})

t.test('terms', async (t) => {
  const counted = await startTold('a')
  counted.slice('s1', 'cart', 'a b')
  t.same(counted.take(), ['cart added 1'])
  counted.end()
  t.notOk(counted.isFollowing)
  t.equal(counted.families, 0)
  counted.pod('web-0', 'a', 'main 4 Error')
  counted.begin()
  t.ok(counted.isFollowing)
  counted.take()
  counted.slice('s1', 'cart', 'a b c')
  counted.pod('web-0', 'a', 'main 5 Error')
  t.same(settle(counted), [], 'what was in between, and comes before all is told, is no change')
  await counted.told()
  counted.pod('web-0', 'a', 'main 6 Error')
  counted.slice('s1', 'cart', 'a b c d')
  t.same(counted.take(), ['cart added 1', 'cart restarted Error 1'])
})

t.test('past the limit sums stay exact', async (t) => {
  const counted = startCounted({ limit: 2 })
  await counted.told()
  for (let index = 0; index < 5; index++) counted.slice(`s${index}`, `service-${index}`, 'a b')
  counted.pod('web-0', 'a', 'main 1 Error')
  t.same(counted.take(), [
    'service-0 added 2',
    'service-1 added 2',
    '_other/_other added 6',
    'service-0 restarted Error 1',
    'service-1 restarted Error 1',
    '_other/_other restarted Error 3',
  ])
})
