// What Prometheus answers to the queries of dashboards, over a sample of each family and the real rules: something, and nothing where the
// variables leave nothing.
import t from 'tap'
import { panelQueries } from '../panels.js'
import { reasonToSkip } from '../peers/needed.js'
import { PROMTOOLS, testRules } from './promtool.js'
import { AT_MINUTES, INPUT, KNOWN_INPUT, NUMBERS, queriesWith } from './samples.js'

const AT = `${AT_MINUTES}m`

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
