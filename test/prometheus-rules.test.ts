// Rules name what there is: families and labels of the catalogue, values of the chart, pages of docs/runbooks. What promtool says is in test/rules.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Rule, readRuleSettings, renderRuleFiles } from '../scripts/rules.js'
import { catalogue } from '../src/catalogue.js'
import { knownSeries, readRules, strangersIn } from './known-series.js'

const ROOT = join(import.meta.dirname, '..')
const files = renderRuleFiles()
const rules = readRules()
const alerts = rules.filter(({ alert }) => alert !== undefined)

t.test('deploy/prometheus is what npm run manifests would write', async (t) => {
  for (const [file, text] of Object.entries(files)) t.equal(readFileSync(file, 'utf8'), text, file)
  t.same(
    readdirSync(join(ROOT, 'deploy/prometheus')).sort(),
    Object.keys(files)
      .map((file) => file.split('/').at(-1))
      .sort(),
  )
  const object = Object.entries(files).find(([file]) => file.endsWith('prometheusrule.yaml'))
  t.match(object?.[1], 'kind: PrometheusRule')
})

t.test('every metric and label is one of the catalogue, or recorded', async (t) => {
  const known = knownSeries(rules)
  for (const { record, alert, expr, annotations = {} } of rules) {
    t.same(strangersIn(expr, known), [], `${record ?? alert}`)
    for (const [name, text] of Object.entries(annotations)) t.same(strangersIn(text, known), [], `${alert}: ${name}`)
  }
  const cases = [
    { expr: 'meshtoll_gone_total', found: ['meshtoll_gone_total'] },
    { expr: 'meshtoll_zone_bytes_total{zone="a"}', found: ['meshtoll_zone_bytes_total{zone}'] },
    { expr: 'sum by (device) (meshtoll_zone_bytes_total)', found: ['device'] },
    { expr: 'zone_pair:meshtoll_zone_bytes:rate{device="a"}', found: ['zone_pair:meshtoll_zone_bytes:rate{device}'] },
    { expr: 'rate(meshtoll_pilot_debounce_seconds[5m])', found: ['meshtoll_pilot_debounce_seconds'] },
  ]
  for (const { expr, found } of cases) t.same(strangersIn(expr, known), found, expr)
})

t.test('names of recorded series are level, metric and operation', async (t) => {
  for (const { record } of rules) if (record !== undefined) t.match(record, /^[a-z_]+:meshtoll_[a-z_]+:[a-z_]+$/)
})

t.test('what an alert tells', async (t) => {
  const { runbookUrl } = readRuleSettings()
  const pageOf = ({ alert }: Rule): string => join(ROOT, 'docs/runbooks', `${alert}.md`)
  for (const rule of alerts) {
    const { alert, annotations = {} } = rule
    t.match(rule.labels, { severity: /^(info|warning|critical)$/ }, `${alert}: severity`)
    t.match(
      annotations,
      { summary: /\.$/, description: /\.( ?\{\{-? end \}\})?$/, runbook_url: `${runbookUrl}/${alert}.md` },
      `${alert}: texts`,
    )
    const headings = readFileSync(pageOf(rule), 'utf8').match(/^#.*/gm)
    t.same(headings, [`# ${alert}`, '## How to confirm', '## How to mend', '## How to silence'], `${alert}: the page`)
  }
  const pages = readdirSync(join(ROOT, 'docs/runbooks')).map((page) => page.replace(/\.md$/, ''))
  t.same(pages.sort(), alerts.map(({ alert = '' }) => alert).sort(), 'a page each, and no other')
})

t.test('of what an alert looks for the first one agents serve a 0 before it', async (t) => {
  const first = alerts.flatMap(({ expr }) => [...expr.matchAll(/increase\((\w+)\[\w+\]\)\) > 0\b/g)].map(([, name]) => name))
  t.ok(first.length > 0)
  const shown = catalogue.filter(({ zeroFirst }) => zeroFirst).map(({ name }) => name)
  t.same(
    first.filter((name) => !shown.some((one) => one === name)),
    [],
  )
})

t.test('run books name what there is', async (t) => {
  const known = knownSeries(rules)
  const text = alerts.map(({ alert }) => readFileSync(join(ROOT, 'docs/runbooks', `${alert}.md`), 'utf8')).join('\n')
  t.same(strangersIn(text, known), [])
})

t.test('docs/rules.md lists them', async (t) => {
  const doc = readFileSync(join(ROOT, 'docs/rules.md'), 'utf8')
  for (const { alert, labels } of alerts) t.match(doc, `| [${alert}](runbooks/${alert}.md) | ${labels?.['severity']} |`)
  for (const { record = '' } of rules) t.ok(doc.includes(record.replace(/.*_per_month/, '..._per_month')), record)
})

t.test('values of the chart', async (t) => {
  const settings = readRuleSettings()
  t.same(Object.keys(settings.alerts).sort(), alerts.map(({ alert = '' }) => alert).sort(), 'for each alert')
  const source = readdirSync(join(ROOT, 'deploy/helm/meshtoll/files/rules')).map((file) =>
    readFileSync(join(ROOT, 'deploy/helm/meshtoll/files/rules', file), 'utf8'),
  )
  const chunks = source.join('').split(/^ +- (?=alert|record)/m)
  for (const [alert, values] of Object.entries(settings.alerts)) {
    const chunk = chunks.find((one) => one.startsWith(`alert: ${alert}\n`)) ?? ''
    const unused = Object.keys(values).filter((name) => name !== 'enabled' && !chunk.includes(`\${${name}}`))
    t.same(unused, [], `${alert} has none that changes nothing`)
  }
  t.throws(() => renderRuleFiles({ ...settings, recording: {} }), /\$\{window\} is no value of prometheusRule/, 'nor lacks one')
})
