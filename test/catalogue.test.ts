// Names and labels are an interface: what is documented is what is served, and all of it reads as Prometheus's conventions ask
// (prometheus.io/docs/practices/naming, prometheus.io/docs/instrumenting/writing_exporters).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { renderMetricsDoc } from '../scripts/metrics-doc.js'
import { catalogue } from '../src/catalogue.js'
import { datadogNameOf } from '../src/exporters/datadog/name.js'
import type { Family } from '../src/model.js'

const DOC = readFileSync(join(import.meta.dirname, '../docs/metrics.md'), 'utf8')

/** Labels that a scrape, the Prometheus Operator or a usual relabelling puts on every series; ours would become `exported_*`. */
const TAKEN = [
  ...['job', 'instance', 'namespace', 'pod', 'container', 'node', 'service', 'endpoint', 'prometheus', 'cluster', 'region', 'zone'],
  ...['availability_zone', 'az', 'env', 'stage', 'owner', 'team', 'host'],
]
/** Where the name says of what, the label which. */
const WORDS_IN_BOTH = ['source', 'xds', 'push']
const RESERVED = ['le', 'quantile', 'type']

const NOT_BASE = /_(milliseconds|ms|microseconds|us|nanoseconds|ns|minutes|hours|days|bits|kilobytes|kb|megabytes|mb|gb|percent)(_|$)/
const TYPE_WORD = /_(counter|gauge|histogram|summary|metric|metrics)(_|$)/
const SUFFIX_OF_OTHERS = /_(count|sum|bucket|created|gcount|gsum)$/
const SNAKE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/

const RULES: readonly { readonly name: string; readonly holds: (family: Family) => boolean }[] = [
  { name: 'is snake case with our prefix', holds: ({ name }) => SNAKE.test(name) && /^(meshtoll|process)_/.test(name) },
  { name: 'ends in _total exactly when it is a counter', holds: ({ name, kind }) => name.endsWith('_total') === (kind === 'counter') },
  { name: 'has base units', holds: ({ name }) => !NOT_BASE.test(name) },
  { name: 'has its unit last', holds: ({ name }) => !/_(bytes|seconds|dollars|ratio)_(?!total$|per_)/.test(name) },
  { name: 'has a unit when it is a histogram', holds: ({ name, kind }) => kind !== 'histogram' || /_(bytes|seconds)$/.test(name) },
  { name: 'does not repeat its kind', holds: ({ name }) => !TYPE_WORD.test(name) },
  { name: 'has no suffix that means something else', holds: ({ name }) => !SUFFIX_OF_OTHERS.test(name) },
  { name: 'has help: one sentence', holds: ({ help }) => /^[A-Z].*[^.\s]\.$/s.test(help) && !help.includes('\n') },
  {
    name: 'has labels in snake case, each once',
    holds: ({ labels }) => labels.every((one) => SNAKE.test(one)) && new Set(labels).size === labels.length,
  },
  { name: 'has no label that a scrape adds', holds: ({ labels }) => !labels.some((one) => TAKEN.includes(one)) },
  { name: 'has no label that a format reserves', holds: ({ labels }) => !labels.some((one) => RESERVED.includes(one)) },
  {
    name: 'has no label that its name says already',
    holds: ({ labels, name }) => !labels.some((one) => name.split('_').includes(one) && !WORDS_IN_BOTH.includes(one)),
  },
]

/** Family to labels, as the document's tables have them. */
function documented(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = text.split('\n').filter((line) => /^\| `/.test(line))
  const words = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
  return new Map(rows.map((row) => row.split(' | ')).map(([name, , labels]) => [words(name)[0] ?? '', words(labels)]))
}

t.test('docs/metrics.md says what there is; npm run docs writes it anew', async (t) => {
  const rows = documented(DOC)
  for (const { name, labels } of catalogue) {
    if (t.ok(rows.has(name), `${name} is there`)) t.same(rows.get(name), labels, `${name} has the labels it has`)
  }
  const names = catalogue.map(({ name }) => name)
  const gone = [...rows.keys()].filter((name) => !names.includes(name))
  t.same(gone, [], 'nothing is there that no part serves')
  t.equal(DOC, renderMetricsDoc(), 'nor does it differ in anything else')
})

t.test('names', async (t) => {
  for (const family of catalogue) {
    const broken = RULES.filter(({ holds }) => !holds(family)).map(({ name }) => name)
    t.same(broken, [], family.name)
  }
  const bases = catalogue.flatMap(({ name, kind }) =>
    kind === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : name.replace(/_total$/, ''),
  )
  t.same(
    bases.filter((base, i) => bases.indexOf(base) !== i),
    [],
    'no name twice, in OpenMetrics either, where _total is no part of it',
  )
})

t.test('the rules find what they are for', async (t) => {
  const sound: Family = { name: 'meshtoll_x_bytes_total', kind: 'counter', labels: ['device'], help: 'Bytes.' }
  const cases: readonly { readonly rule: string; readonly wrong: Partial<Family> }[] = [
    { rule: 'is snake case with our prefix', wrong: { name: 'meshtoll_xBytes_total' } },
    { rule: 'is snake case with our prefix', wrong: { name: 'x_bytes_total' } },
    { rule: 'ends in _total exactly when it is a counter', wrong: { kind: 'gauge' } },
    { rule: 'ends in _total exactly when it is a counter', wrong: { name: 'meshtoll_x_bytes' } },
    { rule: 'has base units', wrong: { name: 'meshtoll_x_ms_total' } },
    { rule: 'has its unit last', wrong: { name: 'meshtoll_bytes_seen_total' } },
    { rule: 'has a unit when it is a histogram', wrong: { name: 'meshtoll_x_debounce', kind: 'histogram' } },
    { rule: 'does not repeat its kind', wrong: { name: 'meshtoll_x_counter_total' } },
    { rule: 'has no suffix that means something else', wrong: { name: 'meshtoll_x_count', kind: 'gauge' } },
    { rule: 'has help: one sentence', wrong: { help: '' } },
    { rule: 'has help: one sentence', wrong: { help: 'bytes' } },
    { rule: 'has labels in snake case, each once', wrong: { labels: ['device', 'device'] } },
    { rule: 'has labels in snake case, each once', wrong: { labels: ['deviceName'] } },
    { rule: 'has no label that a scrape adds', wrong: { labels: ['zone'] } },
    { rule: 'has no label that a format reserves', wrong: { labels: ['le'] } },
    { rule: 'has no label that its name says already', wrong: { labels: ['x'] } },
  ]
  const broken = (family: Family): string[] => RULES.filter(({ holds }) => !holds(family)).map(({ name }) => name)
  t.same(broken(sound), [], 'a sound family')
  for (const { rule, wrong } of cases) t.ok(broken({ ...sound, ...wrong }).includes(rule), `${rule}: ${JSON.stringify(wrong)}`)
})

t.test('names in Datadog', async (t) => {
  const cases = [
    { name: 'meshtoll_flow_bytes_total', datadog: 'meshtoll.flow.bytes' },
    { name: 'meshtoll_owner_network_receive_bytes_total', datadog: 'meshtoll.owner.network_receive_bytes' },
    { name: 'meshtoll_flow_pairs_limit', datadog: 'meshtoll.flow.pairs_limit' },
    { name: 'meshtoll_series', datadog: 'meshtoll.series' },
    { name: 'meshtoll_proxies', datadog: 'meshtoll.proxies' },
    { name: 'process_open_fds', datadog: undefined },
  ]
  const family = (name: string): Family => ({ name, kind: 'gauge', labels: [], help: '' })
  for (const { name, datadog } of cases) t.equal(datadogNameOf(family(name)), datadog, name)
  const all = catalogue.map(datadogNameOf).filter((name) => name !== undefined)
  t.same(new Set(all).size, all.length, 'no two families have one name')
})
