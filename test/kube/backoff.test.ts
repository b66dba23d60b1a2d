import t from 'tap'
import { createBackoff, fractionOf } from '../../src/kube/backoff.js'

const LEAST = '00000000-0000-4000-8000-000000000000'
const MOST = 'ffffffff-0000-4000-8000-000000000000'

const waits = (random: string, count: number): number[] => {
  const backoff = createBackoff(() => random)
  return Array.from({ length: count }, () => backoff.nextMs())
}

t.test('waits double up to 30 s, a quarter at least, the rest by chance', async (t) => {
  t.strictSame(waits(MOST, 7), [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  t.strictSame(waits(LEAST, 7), [500, 1000, 2000, 4000, 7500, 7500, 7500])
  t.equal(waits(MOST, 2000).at(-1), 30_000, 'for ever')
})

t.test('after a success it begins anew', async (t) => {
  const backoff = createBackoff(() => MOST)
  backoff.nextMs()
  backoff.nextMs()
  backoff.reset()
  t.equal(backoff.nextMs(), 2000)
})

t.test('what the server asks for is waited at least, up to five minutes', async (t) => {
  t.equal(createBackoff(() => LEAST).nextMs(7000), 7500)
  t.equal(createBackoff(() => MOST).nextMs(7000), 9000)
  t.equal(createBackoff(() => LEAST).nextMs(1e9), 300_500)
})

t.test('a UUID makes a fraction', async (t) => {
  t.equal(fractionOf(LEAST), 0)
  t.equal(fractionOf('80000000-0000-4000-8000-000000000000'), 0.5)
  t.ok(fractionOf(MOST) < 1)
  t.equal(fractionOf('no uuid'), 0)
})
