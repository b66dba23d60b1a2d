import t from 'tap'
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import type { TotalsState } from '../../../src/ledger/totals/state.js'
import { createTotals } from '../../../src/ledger/totals/totals.js'
import type { Family, Labels } from '../../../src/model.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { fc } from '../../property.js'
import { createModelDisk } from '../disk-model.js'

const LABELS = ['owner_name', 'code', 'flags']
const LIMITED: Family = { name: 'meshtoll_failures_total', kind: 'counter', labels: LABELS, limit: 2, help: 'Failures.' }

t.test('a family with a limit: what is beyond it goes to _other, and comes back when there is room', async (t) => {
  const clock = createHandClock()
  const create = (restored?: TotalsState) => createTotals({ idleMs: 60_000, families: [LIMITED] }, { clock }, restored)
  let totals = create()
  const counts = new Map<string, number>([['', 0]])
  const labelsByName = new Map<string, Labels>()
  /** `owner code`, each a counter of its own in a target that is known. */
  const read = (said: Readonly<Record<string, number>> = {}): Record<string, number> => {
    for (const [name, value] of Object.entries(said)) counts.set(name, value)
    const entries = [...counts].map(([name, value]) => {
      const [owner = '', code = ''] = name.split(' ')
      // Always the same object, as sources and whose.ts have them.
      const labels = labelsByName.get(name) ?? { owner_name: owner, code, flags: '-' }
      labelsByName.set(name, labels)
      return { family: LIMITED, labels, target: 'a', series: name, value, startedMs: undefined, whose: 'certain' as const }
    })
    totals.post('things', entries, clock.now())
    const series = [...(totals.families()[0]?.series ?? [])]
    return Object.fromEntries(series.map(({ labels, value }) => [`${labels.owner_name} ${labels.code} ${labels.flags}`, value]))
  }
  t.same(read(), {}, 'what says nothing takes no room')
  t.same(read({ 'cart 500': 5, 'cart 503': 3 }), { 'cart 500 -': 5, 'cart 503 -': 3 })
  t.same(read({ 'cart 504': 7, 'web 500': 1 }), { 'cart 500 -': 5, 'cart 503 -': 3, 'cart _other _other': 7, 'web _other _other': 1 })
  const full = { 'cart 500 -': 6, 'cart 503 -': 3, 'cart _other _other': 9, 'web _other _other': 1 }
  t.same(read({ 'cart 500': 6, 'cart 504': 9 }), full, 'each goes on where it is')
  const disk = createModelDisk()
  const log = createKeptLog()
  await createTotalsJournal({ clock, disk, log }).write(totals.take(), totals.rows)
  totals = create(await createTotalsJournal({ clock, disk, log }).load())
  t.same(read({ 'cart 503': 4, 'cart 504': 10, 'web 500': 3 }), {
    ...full,
    'cart 503 -': 4,
    'cart _other _other': 10,
    'web _other _other': 3,
  })
  clock.advance(30_000)
  read({ 'cart 500': 7, 'web 500': 4 })
  clock.advance(40_000)
  read()
  clock.advance(10_000)
  t.same(
    read({ 'web 500': 6 }),
    { 'cart 500 -': 7, 'web _other _other': 4, 'web 500 -': 2 },
    'an idle one gives its room away, to the next that says something',
  )
  clock.advance(70_000)
  read({ 'web 500': 7 })
  t.same(read({ 'cart 500': 8 }), { 'web 500 -': 3, 'cart 500 -': 1 }, 'one that comes back begins at 0')
})

t.test('whatever is folded when, and whenever it is killed: the sum is what came', async (t) => {
  const step = fc.record({
    series: fc.integer({ min: 0, max: 9 }),
    amount: fc.integer({ min: 1, max: 100 }),
    isKilled: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const clock = createHandClock()
      const [disk, log] = [createModelDisk(), createKeptLog()]
      const counts = new Map<number, number>()
      let journal = createTotalsJournal({ clock, disk, log })
      let totals = createTotals({ idleMs: 1e12, families: [LIMITED] }, { clock })
      const post = async (): Promise<void> => {
        const entries = [...Array(10).keys()].map((series) => {
          const labels = { owner_name: `o${series % 2}`, code: String(series), flags: '-' }
          return { family: LIMITED, labels, target: 'a', series: String(series), value: counts.get(series) ?? 0, whose: 'certain' as const }
        })
        totals.post('things', entries, clock.now())
        await journal.write(totals.take(), totals.rows)
      }
      await post()
      for (const { series, amount, isKilled } of steps) {
        counts.set(series, (counts.get(series) ?? 0) + amount)
        if (isKilled) {
          journal = createTotalsJournal({ clock, disk, log })
          totals = createTotals({ idleMs: 1e12, families: [LIMITED] }, { clock }, await journal.load())
        }
        await post()
        const all = [...(totals.families()[0]?.series ?? [])]
        const sum = all.reduce((total, { value }) => total + value, 0)
        const came = [...counts.values()].reduce((total, value) => total + value, 0)
        if (sum !== came) throw new Error(`${sum} of ${came}`)
        if (all.length > 4) throw new Error('two series, and one of _other for each of two owners')
      }
    }),
    { numRuns: 200 },
  )
  t.pass()
})

t.test('a target that has new names in each read is not remembered without end', async (t) => {
  const clock = createHandClock()
  const totals = createTotals({ idleMs: 60_000, families: [LIMITED] }, { clock })
  const labels = { owner_name: 'cart', code: '503', flags: '-' }
  for (let read = 0; read < 30; read++) {
    const series = Array.from({ length: 1_000 }, (_, i) => `${read} ${i}`)
    const entries = ['0 0', ...series].map((name) => {
      const one = { family: LIMITED, labels, target: 'a', series: name, startedMs: undefined, whose: 'certain' as const }
      return { ...one, value: name === '0 0' ? read : 1 }
    })
    totals.post('things', entries, clock.now())
    clock.advance(1)
  }
  t.equal([...(totals.rows().series ?? [])].length, 20_000)
  t.equal([...(totals.families()[0]?.series ?? [])][0]?.value, 19_000 + 29, 'those that it has go on')
})
