// What PromQL can name: series of the catalogue, what rules record of them, and what Prometheus and a scrape add.
import { groupsOf, type Rule, readRuleSettings, renderRuleFiles, withAllAlerts } from '../scripts/rules.js'
import { catalogue } from '../src/catalogue.js'

/** Which a scrape puts on each series, or the Prometheus Operator; `cluster` comes from whoever has several. */
const OF_SCRAPES = ['cluster', 'job', 'instance', 'node']
/** Prometheus's own. */
const OWN: readonly [string, readonly string[]][] = [
  ['up', OF_SCRAPES],
  ['ALERTS', [...OF_SCRAPES, 'alertname', 'alertstate', 'severity']],
]

/** Labels by the name of their series. */
export type KnownSeries = ReadonlyMap<string, readonly string[]>

/** Those of deploy/prometheus, and those that are a comment there. */
export function readRules(): readonly Rule[] {
  const files = Object.entries(renderRuleFiles(withAllAlerts(readRuleSettings()))).filter(([file]) => !file.endsWith('prometheusrule.yaml'))
  return files.flatMap(([, text]) => groupsOf(text).flatMap((group) => group.rules))
}

export function knownSeries(rules: readonly Rule[]): KnownSeries {
  const served = catalogue.flatMap(({ name, kind, labels }): [string, readonly string[]][] => {
    const all = [...labels, ...OF_SCRAPES]
    if (kind !== 'histogram') return [[name, all]]
    return [
      [`${name}_bucket`, [...all, 'le']],
      [`${name}_sum`, all],
      [`${name}_count`, all],
    ]
  })
  const known = new Map<string, readonly string[]>([...served, ...OWN])
  for (const { record, expr, labels = {} } of rules) {
    if (record !== undefined) known.set(record, [...labelsBy(expr, known), ...Object.keys(labels), 'cluster'])
  }
  return known
}

/** What a recorded series may have: labels of its outer `by`, or, without one, those of what it is made of. */
function labelsBy(expr: string, known: KnownSeries): readonly string[] {
  return [...listsBy(expr), ...namesIn(expr).flatMap(({ name }) => (name.includes(':') ? (known.get(name) ?? []) : []))]
}

/** Labels of each `by`. */
export const listsBy = (expr: string): readonly string[] =>
  [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))

/** Names of series in an expression or a text, with the labels by which they are selected. */
export function namesIn(text: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const found = text.matchAll(/(?<![\w:$])((?:\w+:)?meshtoll_\w+(?::\w+)?|process_\w+|(?:up|ALERTS)(?=\{))(?:\{([^}]*)\})?/g)
  return [...found].map(([, name = '', selector = '']) => ({
    name,
    labels: [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }))
}

/** What a text names that there is not. */
export function strangersIn(text: string, known: KnownSeries): readonly string[] {
  const names = namesIn(text)
  const wrong = names.flatMap(({ name, labels }) => {
    const has = known.get(name)
    return has ? labels.filter((label) => !has.includes(label)).map((label) => `${name}{${label}}`) : [name]
  })
  const all = names.flatMap(({ name }) => known.get(name) ?? [])
  const listed = [...text.matchAll(/\b(?:by|on|without|group_left) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))
  return [...wrong, ...listed.filter((label) => label !== '' && !all.includes(label))]
}
