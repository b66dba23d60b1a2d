import t from 'tap'
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import { createScores } from '../../../src/ledger/totals/scores.js'
import { createTotals, type Totals } from '../../../src/ledger/totals/totals.js'
import type { EventReading, Family } from '../../../src/model.js'
import { fc, runs } from '../../property.js'
import { createModelDisk } from '../disk-model.js'

const RUNS = runs(300)
const FAMILY: Family = { name: 'meshtoll_causes_total', kind: 'counter', labels: ['cause', 'push'], help: 'Causes.' }
const LIMIT = 3
const SOURCE = 'log'

type Step = {
  readonly causes: readonly { readonly cause: number; readonly push: string; readonly count: number }[]
  readonly kill: boolean
  readonly ms: number
}

const cause = fc.record({
  cause: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 5, max: 60 })),
  push: fc.constantFrom('full', 'incremental'),
  count: fc.integer({ min: 1, max: 50 }),
})
const step: fc.Arbitrary<Step> = fc.record({
  causes: fc.array(cause, { maxLength: 12 }),
  kill: fc.boolean(),
  ms: fc.constantFrom(15_000, 15_000, 400_000, 5_000_000),
})

function createWorld() {
  const disk = createModelDisk()
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  let nowMs = 1_000_000_000
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const options = { idleMs: 3_600_000, families: [FAMILY], budgets: [{ family: FAMILY, limit: LIMIT, name: ['cause'] }] }
  let journal = createTotalsJournal({ clock, disk, log })
  let totals: Totals | undefined
  return {
    served: () => new Map([...(totals?.families()[0]?.series ?? [])].map(({ labels, value }) => [`${labels.cause} ${labels.push}`, value])),
    async read({ causes, kill, ms }: Step): Promise<void> {
      nowMs += ms
      if (kill) totals = undefined
      if (!totals) journal = createTotalsJournal({ clock, disk, log })
      totals ??= createTotals(options, { clock }, await journal.load())
      const events = causes.map(
        ({ cause, push, count }): EventReading => ({ kind: 'event', family: FAMILY, labels: { cause: `c${cause}`, push }, count }),
      )
      totals.count(SOURCE, { events, marks: [] })
      totals.post(SOURCE, [], nowMs)
      await journal.write(totals.take(), totals.rows)
    },
  }
}

t.test('each event is in one series, of its name or of _other, and no more names have one than may', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      const world = createWorld()
      let before = new Map<string, number>()
      for (const one of steps) {
        await world.read(one)
        const served = world.served()
        const risen = [...served].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const)
        const names = new Set([...served.keys()].map((key) => key.split(' ')[0]).filter((name) => name !== '_other'))
        if (names.size > LIMIT) throw new Error(`${[...names]} have series`)
        for (const push of ['full', 'incremental']) {
          const came = one.causes.filter((cause) => cause.push === push).reduce((sum, { count }) => sum + count, 0)
          const rise = risen.filter(([key]) => key.endsWith(` ${push}`)).reduce((sum, [, by]) => sum + by, 0)
          if (came !== rise) throw new Error(`${came} ${push} came, ${rise} were served: ${JSON.stringify(risen)}`)
        }
        for (const [key, by] of risen) if (by < 0) throw new Error(`${key} fell by ${-by}`)
        before = served
      }
    }),
    { numRuns: RUNS },
  )
  t.pass(`${RUNS} runs`)
})

t.test('who occurs most has a series', async (t) => {
  const few = Array.from({ length: LIMIT }, (_, i) => ({ cause: i, push: 'full', count: 2 }))
  const storm = { cause: 99, push: 'full', count: 1 }
  const cases = [
    { name: 'not while it is no more than the others', storms: 4, ms: 15_000, is: undefined },
    { name: 'as soon as it is clearly more, from then on', storms: 6, ms: 15_000, is: 2 },
    { name: 'sooner, where the others were long ago', storms: 3, ms: 700_000, is: 1 },
  ]
  for (const { name, storms, ms, is } of cases) {
    const world = createWorld()
    await world.read({ causes: few, kill: false, ms: 15_000 })
    for (let i = 0; i < storms; i++) await world.read({ causes: [storm], kill: false, ms: i === 0 ? ms : 15_000 })
    t.equal(world.served().get('c99 full'), is, name)
  }
  const world = createWorld()
  await world.read({ causes: few.map((one) => ({ ...one, count: 5 })), kill: false, ms: 1_000 })
  for (let i = 0; i < 200; i++) await world.read({ causes: [{ ...storm, cause: 100 + i }], kill: i === 190, ms: 1_000 })
  const names = ['_other full', 'c0 full', 'c1 full', 'c2 full']
  t.same([...world.served().keys()].sort(), names, 'many that occur once take nothing from those, nor after a restart')
})

t.test('to choose among many takes no longer for each of them', async (t) => {
  const steps = (names: number): number => {
    let compared = 0
    const scores = createScores<number>((score) => {
      compared++
      return score
    })
    for (let i = 0; i < names; i++) scores.set(`${i}`, (i * 7_919) % names)
    for (let i = 0; i < names; i++) {
      const [key] = scores.least() ?? ['']
      scores.delete(key)
      scores.set(`${key} again`, names + i)
    }
    return compared / names
  }
  t.ok(steps(10_000) < 2 * steps(100) + 20, `${steps(10_000)} after ${steps(100)}`)
})

t.test('the least of scores that come, change and go', async (t) => {
  const change = fc.record({ key: fc.integer({ min: 0, max: 12 }), score: fc.option(fc.integer({ min: 0, max: 40 })), halve: fc.boolean() })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const scores = createScores<number>((score) => score)
      const model = new Map<string, number>()
      for (const { key, score, halve } of changes) {
        if (halve) {
          scores.changeAll((one) => one / 2)
          for (const [name, one] of model) model.set(name, one / 2)
        }
        if (score === null) {
          scores.delete(`${key}`)
          model.delete(`${key}`)
        } else {
          scores.set(`${key}`, score)
          model.set(`${key}`, score)
        }
        const least = scores.least()
        const expected = model.size === 0 ? undefined : Math.min(...model.values())
        if (least?.[1] !== expected || scores.size !== model.size) throw new Error(`${least} of ${[...model]}`)
        if (least && model.get(least[0]) !== least[1]) throw new Error(`${least} is of another`)
      }
    }),
    { numRuns: RUNS },
  )
  t.pass(`${RUNS} runs`)
})
