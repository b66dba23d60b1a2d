// docs/metrics.md, from the catalogue.
import { type Chapter, chapters } from '../src/catalogue.js'
import { datadogNameOf } from '../src/exporters/datadog/name.js'
import type { Family } from '../src/model.js'

const HEAD = `# Metrics
Everything that \`/metrics\` can serve, written by \`npm run docs\` from the families in code. In Datadog a counter is a COUNT over the
flush interval and every label is a tag; \`-\` is not sent there. A histogram is two COUNTs, \`.count\` and \`.sum\`, and of each window the GAUGEs \`.p50\`, \`.p95\`, \`.p99\` and \`.max\`.

How label values read: \`_unknown\` is not known, \`_other\` is folded because \`series.limit\` was reached, empty does not apply (a node has no
namespace). \`scope\` is one of \`same_zone\`, \`cross_zone\`, \`cross_region\`, \`to_external\`, \`from_external\`, \`unknown\`.
`

export const renderMetricsDoc = (): string => [HEAD, ...chapters.map(renderChapter)].join('\n')

function renderChapter({ title, families }: Chapter): string {
  const head = `## ${title}\n| family | kind | labels | meaning | Datadog |\n|---|---|---|---|---|\n`
  return `${head}${families.map(renderRow).join('')}`
}

function renderRow(family: Family): string {
  const { name, kind, labels, help } = family
  const datadog = datadogNameOf(family)
  const cells = [
    code(name),
    kind,
    labels.map(code).join(' ') || '-',
    help.replaceAll('|', '\\|'),
    datadog === undefined ? '-' : code(datadog),
  ]
  return `| ${cells.join(' | ')} |\n`
}

const code = (text: string): string => `\`${text}\``
