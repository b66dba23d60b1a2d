import t from 'tap'
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import { createTotals, type TotalEntry, type Totals } from '../../../src/ledger/totals/totals.js'
import type { Family, Series } from '../../../src/model.js'
import { fc, runs } from '../../property.js'
import { createModelDisk } from '../disk-model.js'

const RUNS = runs(300)
const FAMILY: Family = { name: 'meshtoll_debounce_seconds', kind: 'histogram', labels: ['owner_name'], help: 'Time.' }
const INFINITE = Number.POSITIVE_INFINITY
/** Of istiod to 1.30, from 1.31 on, and one that nobody has seen yet. */
const RELEASES: readonly (readonly number[])[] = [
  [0.01, 0.1, 1, 3, INFINITE],
  [0.01, 0.1, 0.5, 1, 3, INFINITE],
  [0.25, 2, INFINITE],
]
const SOURCE = 'istiod'
const IDLE_MS = 3_600_000

interface Istiod {
  name: string
  release: number
  startedMs: number
  /** By the upper bound of its bucket. */
  readonly within: Map<number, number>
  sum: number
}

type Step =
  | { readonly do: 'observe'; readonly of: number; readonly seconds: number }
  | { readonly do: 'restart'; readonly of: number; readonly release: number }
  | { readonly do: 'read' | 'kill' }
  | { readonly do: 'wait'; readonly ms: number }

const of = fc.integer({ min: 0, max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('observe' as const), of, seconds: fc.constantFrom(0.004, 0.1, 0.3, 0.7, 2, 2.5, 40) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('restart' as const), of, release: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'read' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'kill' }) },
  { weight: 2, arbitrary: fc.constantFrom(1_000, 15_000, 700_000, 4_000_000).map((ms): Step => ({ do: 'wait', ms })) },
)

const entriesOf = ({ name, startedMs, within, sum }: Istiod): readonly TotalEntry[] => {
  const common = { family: FAMILY, labels: { owner_name: 'istiod' }, target: name, startedMs, whose: 'certain' as const }
  const buckets = [...within].map(([part, value]): TotalEntry => ({ ...common, series: `${part}`, part, value }))
  return [...buckets, { ...common, series: 'sum', part: 'sum', value: sum }]
}

function createWorld() {
  const disk = createModelDisk()
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  let nowMs = 1_000_000_000
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  let journal = createTotalsJournal({ clock, disk, log })
  let totals: Totals | undefined
  const istiods: Istiod[] = []
  /** Observations that were read, with the bound that their istiod has for them. */
  const counted: { readonly bound: number; readonly seconds: number }[] = []
  let fresh: { readonly of: Istiod; readonly bound: number; readonly seconds: number }[] = []

  function begin(at: number, release: number): void {
    const istiod = { name: `istiod ${at} ${nowMs}`, release, startedMs: nowMs, within: new Map<number, number>(), sum: 0 }
    for (const le of RELEASES[release] ?? []) istiod.within.set(le, 0)
    fresh = fresh.filter(({ of }) => of !== istiods[at])
    istiods[at] = istiod
  }

  function observe(at: number, seconds: number): void {
    const istiod = istiods[at]
    const bound = RELEASES[istiod?.release ?? 0]?.find((le) => seconds <= le) ?? INFINITE
    if (!istiod) return
    istiod.within.set(bound, (istiod.within.get(bound) ?? 0) + 1)
    istiod.sum += seconds
    fresh.push({ of: istiod, bound, seconds })
  }

  async function read(): Promise<void> {
    journal = totals ? journal : createTotalsJournal({ clock, disk, log })
    totals ??= createTotals({ idleMs: IDLE_MS, families: [FAMILY] }, { clock }, await journal.load())
    nowMs += 1_000
    totals.post(SOURCE, istiods.flatMap(entriesOf), nowMs)
    await journal.write(totals.take(), totals.rows)
    counted.push(...fresh)
    fresh = []
    nowMs += 1_000
  }

  return {
    async step(one: Step): Promise<void> {
      if (one.do === 'observe') observe(one.of, one.seconds)
      else if (one.do === 'restart') begin(one.of, one.release)
      else if (one.do === 'wait') nowMs += one.ms
      else if (one.do === 'kill') totals = undefined
      else await read()
    },
    served: (): Series | undefined => [...(totals?.families()[0]?.series ?? [])][0],
    counted,
  }
}

function assertValid({ value, histogram }: Series, before: Series | undefined): void {
  const buckets = histogram?.buckets ?? []
  const say = JSON.stringify(histogram)
  for (const [i, { le, count }] of buckets.entries()) {
    const last = buckets[i - 1]
    if (last && (last.le >= le || last.count > count)) throw new Error(`falls with le: ${say}`)
    const earlier = before?.histogram?.buckets.findLast((bucket) => bucket.le <= le)?.count ?? 0
    if (earlier > count) throw new Error(`falls over time at ${le}: ${JSON.stringify(before?.histogram)} then ${say}`)
  }
  if (buckets.at(-1)?.le !== INFINITE || buckets.at(-1)?.count !== value) throw new Error(`+Inf is not the count ${value}: ${say}`)
  const gone = before?.histogram?.buckets.find(({ le }) => !buckets.some((bucket) => bucket.le === le))
  if (gone) throw new Error(`the bucket ${gone.le} is gone: ${say}`)
}

t.test('histograms of istiods of any release add up to one that is valid at all times, and says what all of them say', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
      const world = createWorld()
      await world.step({ do: 'read' })
      let before: Series | undefined
      for (const one of [...[0, 1, 2].map((of): Step => ({ do: 'restart', of, release: of })), ...steps]) {
        await world.step(one)
        const served = one.do === 'read' ? world.served() : undefined
        if (!served) continue
        assertValid(served, before)
        for (const { le, count } of served.histogram?.buckets ?? []) {
          const wanted = world.counted.filter(({ bound }) => bound <= le).length
          if (wanted !== count) throw new Error(`${count} up to ${le}, not ${wanted}`)
        }
        const sum = world.counted.reduce((all, { seconds }) => all + seconds, 0)
        if (Math.abs((served.histogram?.sum ?? 0) - sum) > 1e-6) throw new Error(`the sum is ${served.histogram?.sum}, not ${sum}`)
        before = served
      }
    }),
    { numRuns: RUNS },
  )
  t.pass(`${RUNS} runs`)
})
