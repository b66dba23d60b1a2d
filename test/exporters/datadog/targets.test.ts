import t from 'tap'
import { createBudget } from '../../../src/exporters/datadog/budget.js'
import { deltaOf, type Origin } from '../../../src/exporters/datadog/deltas.js'
import { createHeld } from '../../../src/exporters/datadog/held.js'
import { createMarks } from '../../../src/exporters/datadog/marks.js'
import { pointsOf } from '../../../src/exporters/datadog/points.js'
import { quantileOf } from '../../../src/exporters/datadog/quantiles.js'
import { createTargets, type Target } from '../../../src/exporters/datadog/targets.js'
import type { Family, FamilySnapshot, Series } from '../../../src/model.js'
import { fc, runs } from '../../property.js'

const BYTES: Family = {
  name: 'meshtoll_flow_bytes_total',
  kind: 'counter',
  labels: ['src_zone', 'src_namespace', 'src_owner_name', 'dst_zone', 'dst_owner_name', 'scope'],
  help: 'Bytes.',
}
const ZONES: Family = { name: 'meshtoll_zone_bytes_total', kind: 'counter', labels: ['src_zone', 'dst_zone'], help: 'Bytes.' }
const OLDEST: Family = {
  name: 'meshtoll_proxy_config_update_timestamp_seconds',
  kind: 'gauge',
  labels: ['owner_name'],
  ofOwner: 'minimum',
  help: 'Time.',
}
const TIME: Family = { name: 'meshtoll_pilot_debounce_seconds', kind: 'histogram', labels: ['owner_name'], help: 'Time.' }
const INFINITE = Number.POSITIVE_INFINITY

function targetsOf(families: readonly FamilySnapshot[], { origin = 'own' as Origin, excludeLabels = [] as readonly string[] } = {}) {
  const [all, marks] = [createTargets({ excludeLabels }), createMarks()]
  const gathering = all.begin(marks)
  for (const _ of all.gather(
    gathering,
    { families, origin },
    { marks, labels: new Map(), isNews: () => true, isBorn: () => false, held: createHeld() },
  ));
  return [...gathering.targets]
}

function fit(budget: ReturnType<typeof createBudget>, targets: readonly Target[], nowMs = 0) {
  const steps = budget.fit(targets, nowMs)
  for (;;) {
    const step = steps.next()
    if (step.done) return { ...step.value, targets: [...step.value.targets] }
  }
}

const flow = (name: string, value: number, zone = 'a'): Series => ({
  labels: { src_zone: zone, src_namespace: 'shop', src_owner_name: name, dst_zone: 'b', dst_owner_name: 'stock', scope: 'cross_zone' },
  value,
})

t.test('what came since', async (t) => {
  const mark = (value: number, sinceMs = 1) => ({ value, sinceMs })
  const cases = [
    { name: 'more', before: mark(4_000), now: mark(4_096), came: 96 },
    { name: 'nothing', before: mark(4_000), now: mark(4_000), came: 0 },
    { name: 'fell', before: mark(4_000, 0), now: mark(7, 0), came: 7 },
    { name: 'went back', before: mark(4_000), now: mark(3_990), came: 0 },
    { name: 'began anew, and is at more already', before: mark(4_000), now: mark(4_096, 2), came: 4_096 },
  ]
  for (const { name, before, now, came } of cases) t.equal(deltaOf(before, now, 'counts'), came, name)
  t.equal(deltaOf(undefined, mark(9), 'counts'), 9)
  t.equal(deltaOf(undefined, mark(9), 'is where it begins'), 0)
})

t.test('labels that are not sent: what differs in nothing else is added up', async (t) => {
  const targets = targetsOf([{ family: BYTES, series: [flow('cart', 5), flow('web', 7)] }], { excludeLabels: ['src_owner_name'] })
  t.equal(targets.length, 1)
  t.match(targets[0], { value: 12, metric: 'meshtoll.flow.bytes' })
  t.notOk('src_owner_name' in (targets[0]?.labels ?? {}))
  const oldest = [5, 3, 9].map((value, i) => ({ labels: { owner_name: `o${i}` }, value }))
  t.match(
    targetsOf([{ family: OLDEST, series: oldest }], { excludeLabels: ['owner_name'] }),
    [{ value: 3 }],
    'of levels as their family says',
  )
})

t.test('counters of others begin where they are first seen', async (t) => {
  t.equal(targetsOf([{ family: ZONES, series: [{ labels: { src_zone: 'a', dst_zone: 'b' }, value: 9 }] }], { origin: 'foreign' }).length, 0)
})

t.test('a histogram is two counts and four levels', async (t) => {
  const buckets = [
    { le: 0.1, count: 2 },
    { le: 1, count: 6 },
    { le: INFINITE, count: 6 },
  ]
  const [target] = targetsOf([{ family: TIME, series: [{ labels: { owner_name: 'istiod' }, value: 6, histogram: { sum: 2.5, buckets } }] }])
  t.same(
    pointsOf(target as Target).map(({ metric, kind, value }) => [
      metric.replace('meshtoll.pilot.debounce_seconds.', ''),
      kind,
      Number(value.toFixed(4)),
    ]),
    [
      ['count', 'count', 6],
      ['sum', 'count', 2.5],
      ['p50', 'peak', 0.325],
      ['p95', 'peak', 0.9325],
      ['p99', 'peak', 0.9865],
      ['max', 'peak', 1],
    ],
  )
})

t.test('quantiles', async (t) => {
  t.equal(quantileOf([], 0.5), undefined)
  t.equal(quantileOf([{ le: 1, count: 4 }], 0.5), 0.5, 'from 0 in the first bucket')
  t.equal(
    quantileOf(
      [
        { le: 1, count: 1 },
        { le: INFINITE, count: 9 },
      ],
      0.95,
    ),
    1,
    'the last finite bound for what is beyond it',
  )
})

t.test('the budget: those with the largest shares keep their names, zones are exact', async (t) => {
  const budget = createBudget(4)
  const zone: FamilySnapshot = { family: ZONES, series: [{ labels: { src_zone: 'a', dst_zone: 'b' }, value: 100 }] }
  const flows = [flow('big', 60), flow('middle', 30), flow('small', 7), flow('least', 3)]
  const { targets, folded } = fit(budget, targetsOf([zone, { family: BYTES, series: flows }]))
  const shown = targets.map(({ labels, value }) => [labels['src_owner_name'] ?? 'zones', value])
  t.same(shown, [
    ['big', 60],
    ['middle', 30],
    ['zones', 100],
    ['_other', 10],
  ])
  t.equal(folded, 2)
  const other = targets.find(({ labels }) => labels['src_owner_name'] === '_other')
  t.match(other?.labels, { src_zone: 'a', src_namespace: '_other', dst_zone: 'b', dst_owner_name: '_other', scope: 'cross_zone' })
  const rising = targetsOf([zone, { family: BYTES, series: [flow('middle', 34), flow('small', 36), flow('big', 30)] }])
  t.ok(
    fit(budget, rising).targets.some(({ labels }) => labels['src_owner_name'] === 'middle'),
    'two of a size do not take turns',
  )
})

t.test('any series and any budget: no more of them, nothing lost by zone', async () => {
  const series = fc.record({
    name: fc.integer({ min: 0, max: 40 }),
    zone: fc.constantFrom('a', 'b'),
    value: fc.integer({ min: 1, max: 1e6 }),
  })
  fc.assert(
    fc.property(fc.array(fc.array(series, { maxLength: 40 }), { maxLength: 5 }), fc.integer({ min: 2, max: 60 }), (windows, limit) => {
      const budget = createBudget(limit)
      return windows.every((window, i) => {
        const flows = window.map(({ name, zone, value }) => flow(`o${name}-${zone}`, value, zone))
        const all = targetsOf([{ family: BYTES, series: [...new Map(flows.map((one) => [JSON.stringify(one.labels), one])).values()] }])
        const { targets } = fit(budget, all, i * 30_000)
        const sum = (of: readonly Target[], zone: string): number =>
          of.filter(({ labels }) => labels['src_zone'] === zone).reduce((total, { value }) => total + value, 0)
        return targets.length <= limit && ['a', 'b'].every((zone) => sum(targets, zone) === sum(all, zone))
      })
    }),
    { numRuns: runs(200) },
  )
})
