// meshtoll datadog preview before an agent's own routes, by a clock that the test moves.
import { createServer as createRawServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { parseSnapshot } from '../../../src/cli/datadog-preview/snapshot.js'
import { run } from '../../../src/cli/datadog-preview.js'
import { FLAGS, type Flag, type Flags } from '../../../src/config/flags.js'
import { createRoutes } from '../../../src/http/routes.js'
import { createServer } from '../../../src/http/server.js'
import type { FamilySnapshot, Series } from '../../../src/model.js'
import { createServed, flow, owner } from '../../http/served.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'

const DEFAULTS = Object.fromEntries(Object.entries<Flag>(FLAGS).map(([name, { fallback }]) => [name, fallback])) as unknown as Flags
const CART = owner('a shop Deployment cart')
const DB = owner('b shop StatefulSet orders-db')
const WAIT_MS = 30_000
const LOG = createKeptLog()
const HISTOGRAM: FamilySnapshot['family'] = {
  name: 'meshtoll_pilot_debounce_seconds',
  kind: 'histogram',
  labels: ['owner_zone', 'owner_namespace', 'owner_kind', 'owner_name'],
  help: 'Time.',
}

interface World {
  readonly url: string
  flows: Series[]
  others: FamilySnapshot[]
  preview(options: {
    readonly yaml?: string
    readonly flags?: Partial<Flags>
    readonly environment?: Record<string, string>
    /** Between the two reads. */
    readonly meanwhile?: () => void
  }): Promise<{ status: number | string; out: string; err: string }>
}

async function world(t: Test): Promise<World> {
  const clock = createHandClock()
  const { status, self } = createServed()
  const agent = {
    status,
    self,
    withSnapshot: <T>(use: (snapshot: Parameters<Parameters<ReturnType<typeof createServed>['withSnapshot']>[0]>[0]) => Promise<T>) =>
      createServed({ flows: one.flows, zones: [] }).withSnapshot((now) =>
        use({ ...now, families: [...now.families, ...one.others] }),
      ) as Promise<T>,
  }
  const server = await createServer({
    routes: createRoutes({ agent, log: LOG, version: '0.1.0' }),
    listenAddress: { host: '127.0.0.1', port: 0 },
    log: LOG,
  })
  t.teardown(() => server.close(AbortSignal.timeout(1)))
  const one: World = {
    url: server.url,
    flows: [],
    others: [],
    async preview({ yaml = '', flags = {}, environment = {}, meanwhile = () => undefined }) {
      const said = { out: '', err: '' }
      const stop = new AbortController()
      const previewed = run(
        {
          flags: { ...DEFAULTS, 'config.file': '/m.yaml', 'agent.url': one.url, ...flags },
          environment,
          hostName: 'here',
          terminal: { columns: 80, hasColors: false },
          print: (text) => {
            said.out += text
          },
          complain: (text) => {
            said.err += text
          },
        },
        { clock, readFile: () => Promise.resolve(yaml), parseInventory: () => Promise.reject(new Error('no inventory')) },
        stop.signal,
      ).catch((error: Error) => error.message)
      void clock.untilSleeping(WAIT_MS).then(() => {
        meanwhile()
        clock.advance(WAIT_MS)
      })
      const ended = await previewed
      t.same(
        said.out.split('\n').filter((line) => line.length > 80 && !flags.json),
        [],
        'nothing is wider than the terminal',
      )
      return { status: ended, ...said }
    },
  }
  return one
}

const cross = (value: number) => flow(CART, DB, { scope: 'cross_zone', value })
const web = (value: number) => flow(owner('a shop Deployment web'), DB, { scope: 'cross_zone', value })

t.test('what comes within a window, and what all of it comes to', async (t) => {
  const one = await world(t)
  one.flows = [cross(1_000), web(70)]
  const { status, out, err } = await one.preview({
    yaml: 'datadog: {enabled: true, tags: [env:prod], hostname: i-1, excludeLabels: [dst_namespace]}',
    meanwhile: () => {
      one.flows = [cross(5_096), web(70), flow(CART, DB, { scope: 'unknown', value: 9 })]
    },
  })
  t.equal(status, 0, err)
  t.equal(err, 'waiting 30 s, a window of datadog.flushInterval, for what the agent of n1 counts\n')
  t.match(out, /^host {2}i-1\ntags {2}env:prod\n\nmeshtoll\.build\.info {2}gauge\n/)
  const [, flows] = /\nmeshtoll\.flow\.bytes {2}(.*?)\n\n/s.exec(out) ?? []
  t.equal(
    flows,
    `count of bytes
  4096  src_zone:a src_namespace:shop src_owner_kind:deployment
        src_owner_name:cart dst_zone:b dst_owner_kind:statefulset
        dst_owner_name:orders-db scope:cross_zone kube_namespace:shop
        kube_deployment:cart
     9  src_zone:a src_namespace:shop src_owner_kind:deployment
        src_owner_name:cart dst_zone:b dst_owner_kind:statefulset
        dst_owner_name:orders-db scope:unknown kube_namespace:shop
        kube_deployment:cart`,
    'what came, the largest first, and nothing of what was there before',
  )
  const [, now, ever] = /\n(\d+) custom metrics in these 30 s, of 2000 at most \(datadog.maxSeries\)\n(\d+) if all/.exec(out) ?? []
  t.ok(Number(ever) >= Number(now) + 1, 'web would be one more')
  t.notMatch(out, 'nothing is sent')
})

t.test('as JSON, with a histogram and what the push says of itself', async (t) => {
  const one = await world(t)
  const labels = { owner_zone: 'a', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }
  const observed = (counts: readonly number[], sum: number): FamilySnapshot => {
    const buckets = counts.map((count, at) => ({ le: [0.1, 1, Number.POSITIVE_INFINITY][at] ?? 0, count }))
    return { family: HISTOGRAM, series: [{ labels, value: counts.at(-1) ?? 0, histogram: { sum, buckets } }] }
  }
  one.others = [observed([1, 2, 3], 4)]
  const { out, err } = await one.preview({
    flags: { json: true },
    meanwhile: () => {
      one.others = [observed([1, 6, 8], 9.5)]
    },
  })
  const said = JSON.parse(out)
  t.match(said, { agent: one.url, node: 'n1', host: null, seconds: 30, enabled: false, customMetrics: { limit: 2_000, folded: 0 } }, err)
  t.equal(said.customMetrics.window, said.series.length)
  const valueIn = (metric: string) => said.series.find((series: { metric: string }) => series.metric === metric)?.value
  t.equal(valueIn('meshtoll.pilot.debounce_seconds.count'), 5)
  t.equal(valueIn('meshtoll.pilot.debounce_seconds.sum'), 5.5)
  t.equal(valueIn('meshtoll.pilot.debounce_seconds.max'), 1)
  t.equal(valueIn('meshtoll.datadog.series_limit'), 2_000, 'although this agent does not push')
})

t.test('more than datadog.maxSeries', async (t) => {
  const one = await world(t)
  const named = (at: number, value: number) => flow(owner(`a shop Deployment w${at}`), DB, { scope: 'cross_zone', value })
  const all = Array.from({ length: 300 }, (_, at) => at)
  const { out } = await one.preview({
    yaml: 'datadog: {maxSeries: 100}',
    meanwhile: () => {
      one.flows = all.map((at) => named(at, 1_000 + at))
    },
  })
  const [, now, folded] =
    /\n(\d+) custom metrics in these 30 s, of 100 at most \(datadog.maxSeries\); (\d+)\nowners' series/.exec(out) ??
    /\n(\d+) custom metrics in these 30 s, of 100 at most \(datadog.maxSeries\); (\d+)/.exec(out) ??
    []
  t.ok(Number(now) <= 100, `${now} at most`)
  t.ok(Number(folded) >= 200, 'the others have no name')
  t.match(out, /\n3\d\d if all comes again/)
  t.match(out, 'nothing is sent: datadog.enabled is false')
})

t.test('tags that are longer than a line', async (t) => {
  const one = await world(t)
  const name = 'x'.repeat(150)
  const { out } = await one.preview({
    meanwhile: () => {
      one.flows = [flow(owner(`a shop Deployment ${name}`), DB, { scope: 'cross_zone', value: 1 })]
    },
  })
  t.ok(out.replaceAll(/\n */g, '').includes(`src_owner_name:${name}`))
})

t.test('who does not answer', async (t) => {
  const one = await world(t)
  const nobody = 'nobody listens there'
  const remedy = 'start one, or say where it is with --agent.url'
  const strange = createRawServer(({ url, headers }, response) => {
    const isUser = headers.authorization === `Basic ${Buffer.from('me:s p').toString('base64')}`
    response.writeHead(url?.startsWith('/closed/') && !isUser ? 401 : 200)
    response.end(url?.startsWith('/closed/') ? '{"node":"n7","series":{}}' : '<html>')
  })
  await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void strange.close())
  const there = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`
  const cases = [
    { url: 'http://127.0.0.1:1', says: `no agent answers at http://127.0.0.1:1: ${nobody}; ${remedy}` },
    { url: there, says: `no agent answers at ${there}: what answers is no agent of meshtoll; ${remedy}` },
    {
      url: `${there.replace('//', '//me:wrong@')}/closed/`,
      says: `no agent answers at ${there}/closed: it answers 401: write http://USER:PASSWORD@HOST:PORT there; ${remedy}`,
    },
  ]
  for (const { url, says } of cases) t.same(await one.preview({ flags: { 'agent.url': url } }), { status: says, out: '', err: '' })
  t.match(await one.preview({ flags: { 'agent.url': `${there.replace('//', '//me:s%20p@')}/closed/` } }), { status: 0, err: /agent of n7/ })
  t.match(await one.preview({ yaml: 'datadog: {maxSerie: 1}' }), { status: 2, err: /did you mean datadog\.maxSeries\?/ })
  const { status } = await one.preview({ flags: { 'agent.url': null }, environment: { NODE_IP: '127.0.0.3' } })
  t.match(
    status,
    `no agent answers at http://localhost:10042: ${nobody}, nor at http://127.0.0.3:10042: ${nobody}`,
    'where the chart has it',
  )
})

t.test('rows that are none, and families that are not known', async (t) => {
  const rows = [
    { labels: { source: 'a' }, value: 1 },
    { labels: { source: 1 }, value: 1 },
    { labels: {}, value: '1' },
    { value: 1 },
    null,
    7,
  ]
  const histogram = [{ labels: {}, value: 1, sum: 1, buckets: [{ le: '1', count: 1 }] }]
  const text = JSON.stringify({
    node: 'n1',
    series: {
      meshtoll_source_up: rows,
      meshtoll_pilot_debounce_seconds: histogram,
      meshtoll_tomorrow_total: [],
      constructor: [],
      meshtoll_series: 1,
    },
  })
  const { families, strangers } = parseSnapshot(text)
  t.same(strangers, ['meshtoll_tomorrow_total', 'constructor'])
  t.same(
    families.map(({ family, series }) => [family.name, [...series]]),
    [
      ['meshtoll_source_up', [{ labels: { source: 'a' }, value: 1 }]],
      ['meshtoll_pilot_debounce_seconds', []],
    ],
  )
  for (const wrong of ['', '{', '[]', 'null', '{"node":"n1"}', '{"series":{}}']) t.throws(() => parseSnapshot(wrong), /no agent/, wrong)
})
