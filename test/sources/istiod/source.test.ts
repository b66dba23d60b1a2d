import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Reading, Series, Source } from '../../../src/model.js'
import { createIstiod } from '../../../src/sources/istiod/source.js'
import type { Target } from '../../../src/sources/scraping.js'
import { testSourceContract } from '../../contract/source.js'
import { type Answers, createMesh, type Mesh, type Targets } from '../mesh.js'

const PHASES = [
  '0-idle-start',
  '1-idle-end',
  '2-endpoint-churn',
  '3-service-label-churn',
  '4-exportto-set',
  '5-endpoint-churn-after-exportto',
]
const CAPTURES = await Promise.all(
  PHASES.map((phase) => readFile(join(import.meta.dirname, `../../fixtures/istio/istiod.${phase}.prom`), 'utf8')),
)
const captureOf = (phase: number): string => CAPTURES[phase] ?? ''
const OWNER = { owner_zone: 'a', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }
const targetOf = (name: string, labels = OWNER): Target => ({ name, url: `http://${name}/metrics`, labels })

const meshOf = (targets: Targets, answers: Answers = {}): Mesh => createMesh({ create: createIstiod, targets, answers })

const FAMILY = 'meshtoll_pilot_'
const byXds = ({ seriesOf }: Mesh, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(seriesOf(`${FAMILY}${name}`).map(({ labels, value }) => [labels.xds, value]))
const histogramOf = ({ seriesOf }: Mesh, name: string): Series | undefined => seriesOf(`${FAMILY}${name}`)[0]

/** And not none for want of a word. */
const isSaid = (reading: Reading): boolean => reading.kind !== 'total' || reading.value !== 0

const one = (text: string): Source => meshOf([targetOf('istiod')], { istiod: text }).source

testSourceContract(t, {
  empty: () => meshOf([]).source,
  failing: (failure) =>
    meshOf(() => {
      throw failure
    }).source,
  recorded: () => one(captureOf(3)),
  // An istiod that is cut off hangs up: that is an answer that failed.
  hanging: () => meshOf([targetOf('istiod')]).source,
})

t.test('real captures: what each phase cost', async (t) => {
  const mesh = meshOf([targetOf('istiod')]).run(t)
  const phases: unknown[] = []
  for (const phase of PHASES.keys()) {
    await mesh.read({ istiod: captureOf(phase) })
    phases.push([
      byXds(mesh, 'xds_pushes_total'),
      byXds(mesh, 'xds_config_bytes_total'),
      byXds(mesh, 'xds_rejects_total').lds,
      histogramOf(mesh, 'debounce_seconds')?.value,
    ])
  }
  t.same(phases, [
    [{ cds: 0, eds: 0, lds: 0 }, { cds: 0, eds: 0, lds: 0 }, 0, 0],
    [{ cds: 0, eds: 0, lds: 0 }, { cds: 0, eds: 0, lds: 0 }, 0, 0],
    [{ cds: 0, eds: 120, lds: 0 }, { cds: 0, eds: 54_360, lds: 0 }, 0, 40],
    [{ cds: 36, eds: 156, lds: 36 }, { cds: 39_360, eds: 70_668, lds: 252_420 }, 36, 52],
    [{ cds: 39, eds: 159, lds: 39 }, { cds: 41_994, eds: 71_217, lds: 273_455 }, 39, 53],
    [{ cds: 39, eds: 199, lds: 39 }, { cds: 41_994, eds: 89_337, lds: 273_455 }, 39, 93],
  ])
  const debounce = histogramOf(mesh, 'debounce_seconds')
  t.ok(Math.abs((debounce?.histogram?.sum ?? 0) - (9.532524371999997 - 0.169845673)) < 1e-9, 'the sum of its times')
  t.same(
    debounce?.histogram?.buckets.map(({ le, count }) => [le, count]),
    [0.01, 0.1, 0.5, 1, 3, 5, 10, 20, 30, Number.POSITIVE_INFINITY].map((le) => [le, le < 0.5 ? 0 : 93]),
  )
  t.equal(histogramOf(mesh, 'proxy_convergence_seconds')?.value, 279, 'a series that appears later counts in full')
  t.equal(histogramOf(mesh, 'push_context_seconds')?.value, 93)
})

t.test('triggers of pushes are no pushes: each is counted once for each proxy', async (t) => {
  const triggers = /^pilot_push_triggers.* (\d+)$/m
  t.equal(triggers.exec(captureOf(2))?.[1], '120', 'of 40 pushes to three proxies')
  const mesh = meshOf([targetOf('istiod')]).run(t)
  for (const phase of [0, 2]) await mesh.read({ istiod: captureOf(phase) })
  const before = mesh.totals.families().map(({ series }) => [...series])
  const { readings } = await mesh.read({ istiod: captureOf(2).replace(triggers, 'pilot_push_triggers{type="endpoint"} 5000') })
  t.notOk(readings.some((reading) => reading.kind === 'total' && reading.value === 5_000))
  t.same(
    mesh.totals.families().map(({ series }) => [...series]),
    before,
  )
})

t.test('proxies by release, as values', async (t) => {
  const { readings } = await meshOf([targetOf('istiod')])
    .run(t)
    .read({ istiod: `${captureOf(0)}pilot_xds{version="1.30.3"} 2\n` })
  const values = readings.flatMap((reading) => (reading.kind === 'value' ? [[reading.labels.version, reading.value]] : []))
  t.same(values, [
    ['1.31.0', 3],
    ['1.30.3', 2],
  ])
})

const started = (seconds: number, pushed: number): string =>
  `process_start_time_seconds ${seconds}.35\npilot_xds_pushes{type="cds"} ${pushed}\npilot_xds_pushes{type="cds_senderr"} ${pushed / 10}\n`

t.test('an istiod that begins anew', async (t) => {
  const mesh = meshOf([targetOf('istiod'), targetOf('other')], { other: 'pilot_xds{version="1.31.0"} 1\n' }).run(t)
  const { read, clock } = mesh
  const nowSeconds = (): number => Math.floor(clock.now() / 1000)
  await read({ istiod: started(nowSeconds() - 100, 50) })
  await read({ istiod: started(nowSeconds() - 100, 70) })
  t.same(
    [byXds(mesh, 'xds_pushes_total'), byXds(mesh, 'xds_send_errors_total')],
    [{ cds: 20 }, { cds: 2, eds: 0, lds: 0, rds: 0 }],
    'of the types without their ending',
  )
  await read({ istiod: started(nowSeconds() + 5, 80) })
  t.same(byXds(mesh, 'xds_pushes_total'), { cds: 100 }, 'however much it has done since')
  await read({ istiod: new Error('nobody listens there') })
  await read({ istiod: started(nowSeconds() - 20, 90) })
  t.same(byXds(mesh, 'xds_pushes_total'), { cds: 110 }, 'one that did not answer goes on')
  for (let i = 0; i < 45; i++) await read({ istiod: new Error('nobody listens there') })
  await read({ istiod: started(nowSeconds() - 11 * 60 - 35, 95) })
  t.same(byXds(mesh, 'xds_pushes_total'), { cds: 115 }, 'also after more than ten minutes')
})

t.test('what never happened was none: the first reject is seen against 0', async (t) => {
  const pushed = 'pilot_xds_pushes{type="cds"} 5\npilot_xds_pushes{type="nds"} 5\n'
  const none = { cds: 0, eds: 0, lds: 0, rds: 0, nds: 0 }
  const mesh = meshOf([targetOf('istiod')]).run(t)
  await mesh.read({ istiod: pushed })
  t.same([byXds(mesh, 'xds_rejects_total'), byXds(mesh, 'xds_send_errors_total')], [none, none], 'usual types, and those that are sent')
  await mesh.read({ istiod: `${pushed}pilot_total_xds_rejects{type="lds"} 1\n` })
  t.same(byXds(mesh, 'xds_rejects_total'), { ...none, lds: 1 })
  await mesh.read({ istiod: `${pushed}pilot_total_xds_rejects{type="lds"} one\n` })
  await mesh.read({ istiod: `${pushed}pilot_total_xds_rejects{type="lds"} 1\n` })
  t.same(byXds(mesh, 'xds_rejects_total'), { ...none, lds: 1 }, 'one that could not be understood was not none')
})

t.test('several, of two revisions, one of which has other buckets', async (t) => {
  const canary = { ...OWNER, owner_name: 'istiod-canary' }
  const { read, seriesOf } = meshOf([targetOf('a'), targetOf('b'), targetOf('c', canary)]).run(t)
  const old = (observed: number): string =>
    `pilot_xds_pushes{type="eds"} ${observed}\npilot_debounce_time_bucket{le="0.1"} ${observed}\npilot_debounce_time_bucket{le="1"} ${observed * 2}\n` +
    `pilot_debounce_time_bucket{le="+Inf"} ${observed * 2}\npilot_debounce_time_sum ${observed}\npilot_debounce_time_count ${observed * 2}\n`
  const young = (observed: number): string =>
    old(observed).replace('\npilot_debounce_time_bucket{le="1"}', `\npilot_debounce_time_bucket{le="0.5"} ${observed * 2}$&`)
  await read({ a: old(0), b: young(0), c: young(0) })
  await read({ a: old(10), b: young(1), c: young(5) })
  t.same(
    seriesOf(`${FAMILY}debounce_seconds`).map(({ labels, value, histogram }) => [
      labels.owner_name,
      value,
      histogram?.buckets.map(({ le, count }) => [le, count]),
    ]),
    [
      [
        'istiod',
        22,
        [
          [0.1, 11],
          [0.5, 12],
          [1, 22],
          [Number.POSITIVE_INFINITY, 22],
        ],
      ],
      [
        'istiod-canary',
        10,
        [
          [0.1, 5],
          [0.5, 10],
          [1, 10],
          [Number.POSITIVE_INFINITY, 10],
        ],
      ],
    ],
  )
})

t.test('what cannot be', async (t) => {
  const base = 'pilot_xds_pushes{type="eds"} 1\n'
  const cases = [
    {
      name: 'a bucket with fewer than the one before it',
      text: 'pilot_debounce_time_bucket{le="0.1"} 5\npilot_debounce_time_bucket{le="+Inf"} 4\npilot_debounce_time_sum 1\n',
    },
    { name: 'a histogram without its last bucket', text: 'pilot_debounce_time_bucket{le="0.1"} 5\npilot_debounce_time_sum 1\n' },
    { name: 'one without a sum', text: 'pilot_debounce_time_bucket{le="+Inf"} 4\n' },
    {
      name: 'a bound that is no number',
      text: 'pilot_debounce_time_bucket{le="x"} 4\npilot_debounce_time_bucket{le="+Inf"} 4\npilot_debounce_time_sum 1\n',
    },
    { name: 'less than nothing', text: 'pilot_total_xds_rejects{type="lds"} -1\n' },
  ]
  for (const { name, text } of cases) {
    const { readings, rejected } = await one(base + text).read(new AbortController().signal)
    t.equal(rejected, 1, name)
    t.same(
      readings.filter(isSaid).map((reading) => 'family' in reading && reading.family.name),
      ['meshtoll_pilot_xds_pushes_total'],
      `${name}: the rest stands`,
    )
  }
})

t.test('whoever calls itself an istiod has no names of its own making', async (t) => {
  const long = 'x'.repeat(1_000)
  const text = [
    'pilot_xds_pushes{type="cds"} 1',
    'pilot_xds_pushes{type="type.googleapis.com/istio.workload.Address"} 2',
    `pilot_xds_pushes{type="${long}"} 3`,
    'pilot_xds_pushes{type="anything"} 4',
    'pilot_xds_config_size_bytes_sum{type="anything"} 5',
    'pilot_xds{version="1.31.0-alpha.2"} 6',
    `pilot_xds{version="${long}"} 7`,
    'pilot_xds{version="a b"} 8',
  ].join('\n')
  const { readings } = await one(`${text}\n`).read(new AbortController().signal)
  const said = readings
    .filter(isSaid)
    .flatMap((reading) =>
      reading.kind === 'total' || reading.kind === 'value' ? [[reading.labels.xds ?? reading.labels.version, reading.value]] : [],
    )
  t.same(said, [
    ['1.31.0-alpha.2', 6],
    ['_other', 15],
    ['cds', 1],
    ['wds', 2],
    ['_other', 7],
    ['_other', 5],
  ])
  const many = Array.from({ length: 10_000 }, (_, i) => `pilot_debounce_time_bucket{le="${i}"} 0\n`).join('')
  const source = one(`pilot_xds_pushes{type="cds"} 1\n${many}`)
  await source.read(new AbortController().signal)
  const again = await source.read(new AbortController().signal)
  t.same(
    again.readings.map((reading) => reading.kind === 'total' && reading.value),
    [undefined],
    'one that says too much says nothing',
  )
})

t.test('who does not answer', async (t) => {
  const refused = Object.assign(new Error('it answers 403'), { status: 403 })
  const cases = [
    { name: 'to us', answer: refused, says: 'it answers 403; take METRICS_LOCALHOST_ACCESS_ONLY out of the environment of istiod' },
    { name: 'as another', answer: 'go_goroutines 5\n', says: 'it is no istiod' },
    { name: 'at all', answer: new Error('nobody listens there'), says: 'nobody listens there' },
  ]
  for (const { name, answer, says } of cases) {
    const { read, log } = meshOf([targetOf('istiod'), targetOf('b')]).run(t)
    for (let i = 0; i < 3; i++) await read({ istiod: answer, b: captureOf(0) })
    t.match(log.lines.join('\n'), says, name)
    t.equal(log.lines.filter((line) => line.startsWith('warn')).length, 1, `${name}: said once`)
    const alone = meshOf([targetOf('istiod')]).run(t)
    await alone.read({ istiod: answer })
    await t.rejects(
      alone.read({ istiod: answer }),
      { message: `none of 1 asked istiods answers, such as http://istiod/metrics: ${says}` },
      name,
    )
  }
})
