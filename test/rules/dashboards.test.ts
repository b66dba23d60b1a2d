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
