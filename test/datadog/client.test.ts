// The official client as a judge: given the same series, it sends the same intake a body that means the same.
import { client as datadog, v2 } from '@datadog/datadog-api-client'
import t from 'tap'
import { createIntake } from '../../src/exporters/datadog/intake.js'
import type { Family, FamilySnapshot } from '../../src/model.js'
import { createWorld, FLUSH_MS } from '../exporters/datadog/world.js'
import { startIntake } from './intake.js'
import { createJudge, KEY } from './judge.js'

t.setTimeout(60_000)

const GAUGE: Family = { name: 'meshtoll_proxies', kind: 'gauge', labels: ['owner_kind', 'owner_name'], help: 'Proxies.' }
const HISTOGRAM: Family = { name: 'meshtoll_pilot_debounce_seconds', kind: 'histogram', labels: ['owner_name'], help: 'Time.' }
const buckets = [
  { le: 0.1, count: 2 },
  { le: 1, count: 5 },
  { le: Number.POSITIVE_INFINITY, count: 6 },
]

t.test('the same series, sent by the client of Datadog', async (t) => {
  const world = createWorld()
  await world.start()
  const others: FamilySnapshot[] = [
    { family: GAUGE, series: [{ labels: { owner_kind: 'StatefulSet', owner_name: 'Grüße' }, value: 2.5 }] },
    { family: HISTOGRAM, series: [{ labels: { owner_name: 'istiod' }, value: 6, sinceMs: 1, histogram: { sum: 4.25, buckets } }] },
  ]
  world.others = others
  world.count('cart', 9_007_199_254_740_991)
  await world.pass(FLUSH_MS)
  world.kill()
  const ours = world.judge.bodies.at(-1)?.series as readonly v2.MetricSeries[]
  const now = (): number => world.clock.now()
  const intake = await startIntake(t, { now })
  const configuration = datadog.createConfiguration({
    authMethods: { apiKeyAuth: KEY },
    baseServer: new datadog.BaseServerConfiguration(intake.url, {}),
  })
  const series = ours.map(({ metric, type, unit, interval, tags = [], resources = [], points }) => ({
    metric,
    ...(type === undefined ? {} : { type }),
    ...(unit === undefined ? {} : { unit }),
    ...(interval === undefined ? {} : { interval }),
    tags,
    resources,
    points,
  }))
  await new v2.MetricsApi(configuration).submitMetrics({ body: { series }, contentEncoding: 'deflate' })
  t.same(intake.problems, [])
  t.equal(intake.bodies.length, 1)
  const byName = (all: readonly unknown[] = []) => [...all].map((one) => JSON.parse(JSON.stringify(one)) as v2.MetricSeries)
  t.same(byName(intake.bodies[0]?.series), byName(ours), 'field by field')
  t.ok(ours.length > 12, 'counts, levels and a histogram')
  t.same(
    intake.points(),
    world.judge.points().filter(({ timestamp }) => timestamp === ours[0]?.points[0]?.timestamp),
    'and so it is kept',
  )
})

const url = process.env['MESHTOLL_TEST_VICTORIAMETRICS']
t.test('an intake of others', { skip: url ? false : 'MESHTOLL_TEST_VICTORIAMETRICS is not set' }, async (t) => {
  const { clock } = createWorld()
  const name = `meshtoll.test.run_${Date.now()}`
  const judge = createJudge({ now: Date.now })
  const points = [{ timestamp: Math.floor(Date.now() / 1000), value: 4_096 }]
  const one = {
    metric: name,
    type: 1,
    interval: 30,
    unit: 'byte',
    resources: [{ type: 'host', name: 'n1' }],
    tags: ['scope:cross_zone'],
    points,
  }
  const body = Buffer.from(JSON.stringify({ series: [one] }))
  const { deflateSync } = await import('node:zlib')
  const headers = { 'content-type': 'application/json', 'dd-api-key': KEY }
  t.equal(judge.take({ method: 'POST', url: '/api/v2/series', headers }, body), undefined)
  const intake = createIntake(`${url}/datadog`, { clock })
  t.teardown(() => intake.close())
  t.same(await intake.send(deflateSync(body), { encoding: 'deflate', key: KEY, signal: AbortSignal.timeout(10_000) }), {
    kind: 'accepted',
    complaint: '',
  })
  await fetch(`${url}/internal/force_flush`)
  const query = new URLSearchParams({ 'match[]': `{__name__="${name.replaceAll('.', '_')}"}` })
  const lines = await (await fetch(`${url}/api/v1/export?${query}`)).text()
  t.match(JSON.parse(lines.split('\n')[0] ?? ''), { metric: { host: 'n1', scope: 'cross_zone' }, values: [4_096] })
})
