import t from 'tap'
import { planOf } from '../../../src/exporters/datadog/plan.js'
import type { State } from '../../../src/exporters/datadog/state.js'

const NOW_S = 1_800_000_000
const window = (fromS: number, toS: number): State['windows'][number] =>
  ({ fromMs: fromS * 1000, toMs: toS * 1000 }) as State['windows'][number]

t.test('which windows are the next batch, and of which second', async (t) => {
  const recent = window(NOW_S - 40, NOW_S - 10)
  const old = window(NOW_S - 7_200, NOW_S - 7_170)
  const cases = [
    { name: 'nothing', windows: [], lastStamp: 0, is: undefined },
    { name: 'one: its end', windows: [recent], lastStamp: 0, is: { windows: 1, stamp: NOW_S - 10, interval: 30 } },
    { name: 'its second is given', windows: [recent], lastStamp: NOW_S - 10, is: { windows: 1, stamp: NOW_S - 9, interval: 30 } },
    {
      name: 'the clock was set back a little',
      windows: [recent],
      lastStamp: NOW_S + 60,
      is: { windows: 1, stamp: NOW_S + 61, interval: 30 },
    },
    { name: 'and far: it waits', windows: [recent], lastStamp: NOW_S + 501, is: undefined },
    { name: 'one that the intake would not take: now', windows: [old], lastStamp: 0, is: { windows: 1, stamp: NOW_S, interval: 30 } },
    { name: 'another of those in the same second', windows: [old], lastStamp: NOW_S, is: { windows: 1, stamp: NOW_S + 1, interval: 30 } },
    { name: 'old ones together', windows: [old, old, recent], lastStamp: 0, is: { windows: 3, stamp: NOW_S - 10, interval: 7_190 } },
  ]
  for (const { name, windows, lastStamp, is } of cases) t.same(planOf({ windows, lastStamp }, NOW_S * 1000), is, name)
})
