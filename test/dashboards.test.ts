// Dashboards name what there is: families and labels of the catalogue, recorded series, variables, pages of docs/runbooks. What Prometheus
// answers is in test/rules.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { renderDashboards } from '../scripts/dashboards.js'
import { readRuleSettings } from '../scripts/rules.js'
import { catalogue } from '../src/catalogue.js'
import { knownSeries, listsBy, namesIn, readRules, strangersIn } from './known-series.js'
import { type Dashboard, type Panel, readDashboards } from './panels.js'

const ROOT = join(import.meta.dirname, '..')
const rules = readRules()
const known = knownSeries(rules)
const dashboards = readDashboards()
const panelsOf = ({ panels }: Dashboard): readonly Panel[] => panels.filter(({ type }) => type !== 'row')
const exprsOf = (dashboard: Dashboard): readonly string[] =>
  panelsOf(dashboard).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** Those that Prometheus 2.42, Thanos, Mimir and VictoriaMetrics all have, and take for the same. */
const FUNCTIONS = [
  'sum',
  'max',
  'min',
  'count',
  'topk',
  'bottomk',
  'rate',
  'increase',
  'abs',
  'time',
  'vector',
  'label_replace',
  'histogram_quantile',
]
const KEYWORDS = ['by', 'on', 'and', 'or']

/** Grafana's own. */
const BUILT_IN = ['__all', '__rate_interval', '__url_time_range', '__data', '__value']

/** Families that no panel shows, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  'process_cpu_(user|system)_seconds_total': 'their sum is shown',
  process_start_time_seconds: 'a restart shows in the counters',
  'process_(virtual_memory|heap)_bytes': 'resident memory is shown',
  'meshtoll_node_(network_receive|wire)_packets_total': 'bytes are shown, and packets that were dropped',
  process_max_fds: 'no agent comes near it',
  meshtoll_flow_books_difference_bytes: 'what is shown is added up of the books themselves',
}

t.test('dashboards/grafana is what npm run docs would write', async (t) => {
  const files = renderDashboards()
  for (const [file, text] of Object.entries(files)) t.equal(readFileSync(join(ROOT, file), 'utf8'), text, file)
  t.same(
    readdirSync(join(ROOT, 'dashboards/grafana')).map((file) => `dashboards/grafana/${file}`),
    Object.keys(files).sort(),
    'and nothing else',
  )
})

t.test('every metric and label is one of the catalogue, or recorded', async (t) => {
  for (const dashboard of dashboards) {
    const queries = dashboard.templating.list.filter(({ type }) => type === 'query').map(({ query }) => query)
    for (const text of [...exprsOf(dashboard), ...queries]) {
      t.same(strangersIn(text, known), [], text)
      t.ok(namesIn(text).length > 0, `${text} names something`)
    }
  }
})

t.test('label_values asks for a label that the series has', async (t) => {
  for (const { query } of dashboards.flatMap(({ templating }) => templating.list).filter(({ type }) => type === 'query')) {
    const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? []
    t.ok(known.get(namesIn(series)[0]?.name ?? '')?.includes(label), query)
  }
})

/** Labels that a legend fills in, a table has columns for, or a matrix is made of. */
function labelsShown({ targets = [], transformations = [] }: Panel): readonly string[] {
  const inLegends = targets.flatMap(({ legendFormat = '' }) => [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label))
  const inTables = transformations.flatMap(({ options: { indexByName = {}, rowField, columnField } }) => [
    ...Object.keys(indexByName).filter((name) => !name.startsWith('Value')),
    ...[rowField, columnField].filter((label) => label !== undefined),
  ])
  return [...inLegends, ...inTables]
}

t.test('legends, columns and cells are of labels that the answer has', async (t) => {
  const labelsOf = (expr: string): readonly string[] => {
    const lists = listsBy(expr)
    return lists.length > 0 ? lists : namesIn(expr).flatMap(({ name }) => known.get(name) ?? [])
  }
  for (const panel of dashboards.flatMap(panelsOf)) {
    const has = (panel.targets ?? []).flatMap(({ expr }) => labelsOf(expr))
    t.same(
      labelsShown(panel).filter((label) => !has.includes(label)),
      [],
      panel.title,
    )
  }
})

t.test('every query heeds the cluster, with no function that only some servers have', async (t) => {
  for (const expr of dashboards.flatMap(exprsOf)) {
    for (const [selector] of expr.matchAll(/(?<=\w)\{[^}]*\}/g)) t.match(selector, 'cluster=~"$cluster"', expr)
    t.equal(expr.match(/(?<=\w)\{/g)?.length, namesIn(expr).length, `each series of it has a selector: ${expr}`)
    const called = [...expr.replaceAll(/"[^"]*"/g, '').matchAll(/\b([a-z_]+) ?\(/g)].map(([, name = '']) => name)
    t.same(
      called.filter((name) => ![...FUNCTIONS, ...KEYWORDS].includes(name)),
      [],
      expr,
    )
  }
})

t.test('variables', async (t) => {
  for (const { title, text, templating } of dashboards) {
    const names = templating.list.map(({ name }) => name)
    const used = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name)
    t.same(
      used.filter((name) => !names.includes(name) && !BUILT_IN.includes(name)),
      [],
      `${title}: those used are there`,
    )
    t.same(
      names.filter((name) => !used.includes(name)),
      [],
      `${title}: those there are used`,
    )
    t.equal(names[0], 'datasource', `${title}: all others ask it`)
  }
})

t.test('a panel says what it shows', async (t) => {
  for (const panel of dashboards.flatMap(panelsOf)) {
    t.match(panel, { title: /^[A-Z]\S/i, description: /^[A-Z].*\.$/, fieldConfig: { defaults: { unit: /./ } } }, panel.title)
    t.ok((panel.targets ?? []).length > 0, `${panel.title} asks for something`)
    for (const { datasource } of [panel, ...(panel.targets ?? [])])
      t.same(datasource, { type: 'prometheus', uid: `\${datasource}` }, panel.title)
  }
})

t.test('ids are unique, and panels lie beside each other', async (t) => {
  const uids = dashboards.map(({ uid }) => uid)
  t.equal(new Set(uids).size, uids.length, 'of dashboards')
  for (const { title, uid, panels } of dashboards) {
    t.match(uid, /^meshtoll-[a-z-]{1,31}$/)
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${title}: of panels`)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    )
    t.equal(new Set(cells).size, cells.length, `${title}: none covers another`)
    t.ok(
      panels.every(({ gridPos: { x, w } }) => x + w <= 24),
      `${title}: none is beyond the edge`,
    )
  }
})

t.test('links lead somewhere', async (t) => {
  const pages = dashboards.flatMap(({ text }) => [...text.matchAll(/\$\{runbooks:raw\}\/(\w+)\.md/g)].map(([, page = '']) => page))
  for (const page of pages) t.ok(existsSync(join(ROOT, 'docs/runbooks', `${page}.md`)), page)
  t.same([...new Set(pages)].sort(), Object.keys(readRuleSettings().alerts).sort(), 'each alert has a panel to look at')
  const uids = dashboards.map(({ uid }) => uid)
  for (const { text } of dashboards) for (const [, uid = ''] of text.matchAll(/\/d\/([\w-]+)/g)) t.ok(uids.includes(uid), uid)
  for (const { title, tags } of dashboards) t.same(tags, ['meshtoll'], `${title} is among those that dashboards link to`)
})

t.test('every family is to be seen somewhere', async (t) => {
  const asked = dashboards.flatMap(exprsOf).flatMap(namesIn)
  const recorded = new Map(rules.flatMap(({ record, expr }) => (record === undefined ? [] : [[record, expr]])))
  const made = (name: string): readonly string[] => [name, ...namesIn(recorded.get(name) ?? '').flatMap((one) => made(one.name))]
  const shown = new Set(asked.flatMap(({ name }) => made(name)).map((name) => name.replace(/_bucket$/, '')))
  const reasons = Object.keys(NOT_SHOWN)
  const isExcused = (name: string): boolean => reasons.some((pattern) => new RegExp(`^${pattern}$`).test(name))
  t.same(
    catalogue.map(({ name }) => name).filter((name) => !shown.has(name) && !isExcused(name)),
    [],
  )
  t.same([...shown].filter(isExcused), [], 'and those that are said not to be are not')
})
