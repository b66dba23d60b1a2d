// An intake that somebody else wrote: VictoriaMetrics, a real one, or that of MESHTOLL_TEST_VICTORIAMETRICS (its URL; started with
// -dedup.minScrapeInterval=1s).
import { deflateSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createIntake } from '../../src/exporters/datadog/intake.js'
import type { Family, FamilySnapshot } from '../../src/model.js'
import { createWorld, FLUSH_MS } from '../exporters/datadog/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { type ExportedSeries, exportSeries, runVictoriaMetrics } from '../victoriametrics.js'
import { KEY, type SentPoint } from './judge.js'

t.setTimeout(120_000)

const GAUGE: Family = { name: 'meshtoll_proxies', kind: 'gauge', labels: ['owner_kind', 'owner_name'], help: 'Proxies.' }
const HISTOGRAM: Family = { name: 'meshtoll_pilot_debounce_seconds', kind: 'histogram', labels: ['owner_name'], help: 'Time.' }
const WINDOWS = 4
const SECOND_MS = 1_000

async function urlOf(t: Test): Promise<string> {
  const given = process.env['MESHTOLL_TEST_VICTORIAMETRICS']
  if (given) return given
  const judge = await runVictoriaMetrics(t.testdir())
  t.teardown(() => judge.stop())
  return judge.url
}

/** Windows of counts, levels and a histogram, as an agent sends them. */
async function windows(others: FamilySnapshot[]) {
  const world = createWorld()
  await world.start()
  world.others = others
  for (let window = 1; window <= WINDOWS; window++) {
    world.count('cart', window * 1_000_003)
    world.count('Grüße', 2 ** 51 + window)
    await world.pass(FLUSH_MS)
  }
  world.kill()
  return world.judge
}

const othersOf = (run: string): FamilySnapshot[] => {
  const buckets = [0.1, 1, Number.POSITIVE_INFINITY].map((le, i) => ({ le, count: [2, 5, 6][i] ?? 0 }))
  return [
    { family: GAUGE, series: [{ labels: { owner_kind: 'StatefulSet', owner_name: run }, value: 2.5 }] },
    { family: HISTOGRAM, series: [{ labels: { owner_name: 'istiod' }, value: 6, sinceMs: 1, histogram: { sum: 4.25, buckets } }] },
  ]
}

/** A tag is a label there, and the resource of type host the label host. */
const linesOf = (points: readonly SentPoint[]): readonly string[] =>
  points
    .map(({ metric, host, tags, timestamp, value }) => JSON.stringify([metric, ...[`host:${host}`, ...tags].sort(), timestamp, value]))
    .sort()

const linesThere = (all: readonly ExportedSeries[]): readonly string[] =>
  all
    .flatMap(({ metric: { __name__: name, ...labels }, values, timestamps }) => {
      const tags = Object.entries(labels).map(([label, value]) => `${label}:${value}`)
      return values.map((value, i) => JSON.stringify([name, ...tags.sort(), (timestamps[i] ?? 0) / SECOND_MS, value]))
    })
    .sort()

t.test('what is sent to VictoriaMetrics is what it has', { skip: reasonToSkip(['victoriametrics']) ?? false }, async (t) => {
  const url = await urlOf(t)
  const run = `run-${Date.now()}`
  const { bodies, points } = await windows(othersOf(run))
  const intake = createIntake(`${url}/datadog`, { clock: createWorld().clock })
  t.teardown(() => intake.close())
  t.ok(bodies.length >= WINDOWS)
  for (const { series } of [...bodies, ...bodies.slice(-1)]) {
    const body = deflateSync(JSON.stringify({ series }))
    const outcome = await intake.send(body, { encoding: 'deflate', key: KEY, signal: AbortSignal.timeout(10_000) })
    t.same(outcome, { kind: 'accepted', complaint: '' })
  }
  const there = await exportSeries(url, '{__name__=~"meshtoll.*"}')
  t.ok(points().length > WINDOWS * 3)
  t.same(linesThere(there), linesOf(points()), 'each point, and what was sent again once')
})
