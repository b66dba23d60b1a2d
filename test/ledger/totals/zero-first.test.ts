// A rate sees nothing of what the first sample of a series has: so it is 0 for a while.
import t from 'tap'
import { renderTotals, TOTALS_STATE } from '../../../src/ledger/totals/state.js'
import { createTotals, type TotalEntry, type TotalsOptions } from '../../../src/ledger/totals/totals.js'
import type { Family } from '../../../src/model.js'

const USUAL: Family = { name: 'meshtoll_things_total', kind: 'counter', labels: ['owner_name'], help: 'Things.' }
const RARE: Family = { ...USUAL, name: 'meshtoll_rejects_total', zeroFirst: true }
const SECONDS: Family = { ...USUAL, name: 'meshtoll_things_seconds', kind: 'histogram' }
const OPTIONS: TotalsOptions = { idleMs: 3_600_000, families: [USUAL, RARE, SECONDS] }
const EVERY_MS = 15_000

function createReader(options = OPTIONS, restored?: Parameters<typeof createTotals>[2]) {
  let nowMs = 1_000_000_000
  let wallMs = 0
  const clock = { now: () => nowMs + wallMs, monotonic: () => nowMs, sleep: async () => undefined }
  const totals = createTotals(options, { clock }, restored)
  const valuesOf = (family: Family, zeroFirst = true): readonly number[] =>
    [...(totals.families({ zeroFirst }).find((one) => one.family === family)?.series ?? [])].map(({ value }) => value)
  return {
    totals,
    valuesOf,
    pass: (ms: number) => {
      nowMs += ms
    },
    setClock: (ms: number) => {
      wallMs += ms
    },
    /** Of a pod that has just begun, as far as the second read of all and those after it know. */
    read: (values: readonly (readonly [Family, number])[]) => {
      nowMs += EVERY_MS
      totals.post('things', values.map(entryOf(nowMs + wallMs)), clock.now())
    },
  }
}

const entryOf =
  (startedMs: number) =>
  ([family, value]: readonly [Family, number]): TotalEntry => ({
    family,
    labels: { owner_name: 'cart' },
    target: 'a',
    series: family.name,
    ...(family === SECONDS ? { part: Number.POSITIVE_INFINITY } : {}),
    value,
    startedMs,
    whose: 'certain',
  })

t.test('where alerts look for the first, it is 0 for a minute, and then in full', async (t) => {
  const { read, valuesOf, pass, setClock } = createReader()
  read([])
  read([
    [USUAL, 2],
    [RARE, 2],
  ])
  t.same([valuesOf(USUAL), valuesOf(RARE)], [[2], [0]])
  t.same(valuesOf(RARE, false), [2], 'Datadog takes counts by themselves')
  setClock(3_600_000)
  pass(59_999)
  t.same(valuesOf(RARE), [0], 'whatever the clock does')
  pass(1)
  t.same(valuesOf(RARE), [2])
})

t.test('a restart shortens it: nothing that was served falls', async (t) => {
  const { read, totals } = createReader()
  read([])
  read([[RARE, 2]])
  const { state } = await TOTALS_STATE.parse(Buffer.from([...renderTotals(totals.rows())].join('')), async () => undefined)
  t.same(createReader(OPTIONS, state).valuesOf(RARE), [2])
})

t.test('series.zeroFirst: all are, histograms as well', async (t) => {
  const { read, valuesOf, pass } = createReader({ ...OPTIONS, zeroFirstMs: 90_000 })
  read([])
  read([
    [USUAL, 2],
    [RARE, 2],
    [SECONDS, 3],
  ])
  pass(89_999)
  t.same([valuesOf(USUAL), valuesOf(RARE), valuesOf(SECONDS)], [[0], [0], [0]])
  pass(1)
  t.same([valuesOf(USUAL), valuesOf(RARE), valuesOf(SECONDS)], [[2], [2], [3]])
})
