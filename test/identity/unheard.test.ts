import t from 'tap'
import { notAfter, withUnheard } from '../../src/identity/unheard.js'
import type { Stretch } from '../../src/model.js'
import { fc } from '../property.js'

t.test('who lists anew all the time has one long time of it', async (t) => {
  const times = Array.from({ length: 1_000 }, (_, index) => ({ fromMs: index * 1_000 - 15_000, toMs: index * 1_000 }))
  t.same(times.reduce<readonly Stretch[]>(withUnheard, []), [{ fromMs: -15_000, toMs: 999_000 }])
})

t.test('the same times, in order, each once', async (t) => {
  const moment = fc.integer({ min: 0, max: 60 })
  const stretch = fc.tuple(moment, fc.integer({ min: 0, max: 9 })).map(([fromMs, ms]): Stretch => ({ fromMs, toMs: fromMs + ms }))
  const isIn = (all: readonly Stretch[], atMs: number): boolean => all.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs)
  const property = fc.property(fc.array(stretch, { maxLength: 12 }), (given) => {
    const kept = given.reduce<readonly Stretch[]>(withUnheard, [])
    const isApart = kept.every(({ fromMs }, index) => index === 0 || fromMs > (kept[index - 1]?.toMs ?? 0))
    return isApart && Array.from({ length: 71 }, (_, atMs) => atMs).every((atMs) => isIn(kept, atMs) === isIn(given, atMs))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000 }))
})

t.test('none is yet to come', async (t) => {
  const all = [
    { fromMs: 0, toMs: 30 },
    { fromMs: 40, toMs: 50 },
  ]
  t.same(notAfter(all, 60), all)
  t.same(notAfter(all, 20), [
    { fromMs: 0, toMs: 20 },
    { fromMs: 20, toMs: 20 },
  ])
})
