// The official client as a judge: given the same series, it sends the same intake a body that means the same.
import * as datadog from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js'
import { MetricsApi } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/MetricsApi.js'
import type { MetricSeries } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/models/MetricSeries.js'
import t from 'tap'
import type { Family, FamilySnapshot } from '../../src/model.js'
import { createWorld, FLUSH_MS } from '../exporters/datadog/world.js'
import { startIntake } from './intake.js'
import { KEY } from './judge.js'

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
  const ours = world.judge.bodies.at(-1)?.series as readonly MetricSeries[]
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
  await new MetricsApi(configuration).submitMetrics({ body: { series }, contentEncoding: 'deflate' })
  t.same(intake.problems, [])
  t.equal(intake.bodies.length, 1)
  const byName = (all: readonly unknown[] = []) => [...all].map((one) => JSON.parse(JSON.stringify(one)) as MetricSeries)
  t.same(byName(intake.bodies[0]?.series), byName(ours), 'field by field')
  t.ok(ours.length > 12, 'counts, levels and a histogram')
  t.same(
    intake.points(),
    world.judge.points().filter(({ timestamp }) => timestamp === ours[0]?.points[0]?.timestamp),
    'and so it is kept',
  )
})
