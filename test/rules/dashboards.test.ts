// What Prometheus answers to the queries of dashboards, over a sample of each family and the real rules: something, and nothing where the
// variables leave nothing.
import t from 'tap'
import { catalogue } from '../../src/catalogue.js'
import type { Family } from '../../src/model.js'
import { panelQueries } from '../panels.js'
import { reasonToSkip } from '../peers/needed.js'
import { PROMTOOLS, testRules } from './promtool.js'

const AT = '20m'
/** Of a day and a week ago there is no sample; of some minutes ago there is. */
const EARLIER = { '1d': '1m', '1w': '2m' }

/** Values that a label takes, each with each; a label that is not here has its own name for its value. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  scope: ['same_zone', 'cross_zone', 'cross_region', 'to_external', 'from_external', 'unknown'],
  src_owner_kind: ['Deployment'],
  src_owner_name: ['istiod', 'cart'],
  push: ['full', 'incremental'],
  response_flags: ['UC'],
  ended: ['yes', 'no'],
  le: ['0.1', '1', '+Inf'],
}

/** Samples a minute; those that say that something is wrong say so. */
const SAMPLES: Readonly<Record<string, string>> = {
  meshtoll_source_up: '0x30',
  meshtoll_state_writable: '0x30',
  meshtoll_node_network_transmit_bytes_total: '0+60000x30',
}
const usual = (kind: Family['kind']): string => (kind === 'gauge' ? '1x30' : '0+60x30')

const SCRAPED = { job: 'meshtoll', instance: 'a:10042', cluster: 'main' }

function labelSets(labels: readonly string[]): readonly Readonly<Record<string, string>>[] {
  return labels.reduce<readonly Readonly<Record<string, string>>[]>(
    (sets, label) => sets.flatMap((set) => (VALUES[label] ?? [label]).map((value) => ({ ...set, [label]: value }))),
    [SCRAPED],
  )
}

const seriesOf = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels).map(([label, value]) => `${label}="${value}"`)}}`

function sampleOf({ name, kind, labels }: Family): object[] {
  const [all, series]: [readonly string[], string] = kind === 'histogram' ? [[...labels, 'le'], `${name}_bucket`] : [labels, name]
  return labelSets(all).map((set) => ({ series: seriesOf(series, set), values: SAMPLES[name] ?? usual(kind) }))
}

const ALERT = seriesOf('ALERTS', { ...SCRAPED, alertname: 'AgentDown', alertstate: 'firing', severity: 'warning' })
const INPUT = [...catalogue.flatMap(sampleOf), { series: ALERT, values: '1x30' }]

const queriesWith = (values: Readonly<Record<string, string>>): readonly string[] => {
  const exprs = panelQueries({ ...values, __rate_interval: '5m' }).map(({ expr }) => expr)
  return [...new Set(exprs.map((expr) => expr.replaceAll(/offset (1d|1w)/g, (_, age: keyof typeof EARLIER) => `offset ${EARLIER[age]}`)))]
}

/** 60 a minute is one a second. */
const KNOWN_INPUT: Readonly<Record<string, string>> = {
  'meshtoll_zone_bytes_total{src_zone="a",dst_zone="a",scope="same_zone"}': '0+180x30',
  'meshtoll_zone_bytes_total{src_zone="a",dst_zone="b",scope="cross_zone"}': '0+60x30',
  'meshtoll_zone_bytes_total{src_zone="a",dst_zone="",scope="to_external"}': '0+60x30',
  'meshtoll_zone_bytes_total{src_zone="_unknown",dst_zone="a",scope="unknown"}': '0+300x30',
  meshtoll_flow_observed_bytes_total: '0+100x30',
  meshtoll_flow_posted_bytes_total: '0+60x30',
  meshtoll_flow_elsewhere_bytes_total: '0+40x30',
  meshtoll_flow_tunnel_bytes_total: '0x30',
  meshtoll_flow_multicast_bytes_total: '0x30',
  meshtoll_flow_overflow_bytes_total: '0x30',
  meshtoll_flow_pending_bytes: '7x30',
  'meshtoll_proxy_clusters{owner_namespace="shop",owner_name="cart"}': '30x30',
  'meshtoll_proxies{owner_namespace="shop",owner_name="cart"}': '3x30',
  'meshtoll_pilot_connected_proxies{proxy_zone="a",owner_zone="b"}': '4x30',
}

/** By dashboard, panel and query. Where nothing is of a kind a stat says 0. */
const NUMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'Overview / Stays in its zone A': { '{}': 0.75 },
  'Overview / Unknown A': { '{}': 0.5 },
  'Overview / From zone to zone A': {
    '{src_zone="a",dst_zone="a"}': 3,
    '{src_zone="a",dst_zone="b"}': 1,
    '{src_zone="a",dst_zone="outside"}': 1,
    '{src_zone="_unknown",dst_zone="a"}': 5,
  },
  'Itself / Difference of the books A': { '{}': 7 },
  'Owner / Clusters in each proxy A': { '{owner_namespace="shop",owner_name="cart"}': 10 },
  'Control plane / Proxies connected, by zones A': { '{proxy_zone="a",owner_zone="b"}': 4 },
  'Phantom traffic / Longest A': { '{}': 0 },
}

const test = (name: string, exprs: readonly string[], samples: readonly object[]): object => ({
  name,
  interval: '1m',
  input_series: INPUT,
  promql_expr_test: exprs.map((expr) => ({ expr, eval_time: AT, exp_samples: samples })),
})

const skip = reasonToSkip(['prometheus', 'promtool']) ?? false

for (const { name, path } of PROMTOOLS) {
  t.test(name, { skip }, async (t) => {
    const run = (tests: object): string => testRules(path(), [tests], { folder: t.testdir(), interval: '1m' })
    const all = queriesWith({}).map((expr) => `count((${expr}) >= 0) > bool 0`)
    t.equal(run(test('all', all, [{ labels: '{}', value: 1 }])), '', `${all.length} queries have an answer`)
    const elsewhere = queriesWith({ cluster: 'other' }).map((expr) => `(${expr}) > 0`)
    t.equal(run(test('other', elsewhere, [])), '', 'and none in a cluster that is not there')
  })
}

t.test('numbers', { skip }, async (t) => {
  const queries = panelQueries({ __rate_interval: '5m' })
  const cases = Object.entries(NUMBERS).map(([panel, samples]) => ({
    expr: queries.find(({ where }) => where === `meshtoll / ${panel}`)?.expr,
    eval_time: AT,
    exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
  }))
  const input = Object.entries(KNOWN_INPUT).map(([series, values]) => ({ series, values }))
  const tests = [{ name: 'numbers', interval: '1m', input_series: input, promql_expr_test: cases }]
  t.equal(testRules(PROMTOOLS.at(-1)?.path() ?? '', tests, { folder: t.testdir(), interval: '1m' }), '', 'are what panels say they are')
})

t.test('variables choose', { skip }, async (t) => {
  const path = PROMTOOLS.at(-1)?.path() ?? ''
  for (const variable of ['zone', 'namespace', 'owner']) {
    const chosen = panelQueries({ [variable]: 'nowhere', __rate_interval: '5m' })
    const usual = panelQueries({ __rate_interval: '5m' })
    const exprs = chosen.filter(({ expr }, i) => expr !== usual[i]?.expr).map(({ expr }) => `(${expr}) > 0`)
    t.ok(exprs.length > 0)
    const tests = [test(variable, exprs, [])]
    t.equal(testRules(path, tests, { folder: t.testdir(), interval: '1m' }), '', `a ${variable} that is not there leaves nothing`)
  }
})
