// Prometheus text 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0
// (prometheus.io/docs/specs/om/open_metrics_spec). They differ in five things: what is escaped in HELP, the family name of
// a counter (OpenMetrics: without `_total`), the bounds of buckets, `_created` samples, and the last line.
import type { Family, FamilySnapshot, Labels, Series } from '../model.js'

export type Format = 'text' | 'openmetrics'

export interface PrometheusText {
  /** Pieces of about 64 KiB, so that the caller may give the event loop a turn between two of them. */
  renderChunks(families: Iterable<FamilySnapshot>, format: Format): Iterable<string>
}

export interface PrometheusTextOptions {
  /** Off unless asked for: a Prometheus without `created-timestamp-zero-ingestion` stores each `_created` as a series of its own. */
  readonly created?: boolean
}

const PIECE_LENGTH = 64 * 1024

/** Keeps the text of the labels of each series for as long as its labels object lives: a second rendering writes numbers only. */
export function createPrometheusText({ created = false }: PrometheusTextOptions = {}): PrometheusText {
  const kept = new WeakMap<Labels, string>()

  function labelTextOf(labels: Labels): string {
    const known = kept.get(labels)
    if (known !== undefined) return known
    const text = renderLabels(labels)
    kept.set(labels, text)
    return text
  }

  function sampleRendererOf(family: Family, format: Format): (series: Series) => string {
    const { name, kind } = family
    const renderSample =
      kind === 'histogram'
        ? (series: Series): string => renderHistogram(name, labelTextOf(series.labels), { series, format })
        : ({ labels, value }: Series): string => `${name}${labelTextOf(labels)} ${renderValue(value)}\n`
    if (!created || format === 'text' || kind === 'gauge') return renderSample
    const since = `${baseNameOf(family)}_created`
    return (series) => {
      const { labels, sinceMs } = series
      return renderSample(series) + (sinceMs === undefined ? '' : `${since}${labelTextOf(labels)} ${renderValue(sinceMs / 1000)}\n`)
    }
  }

  function* renderChunks(families: Iterable<FamilySnapshot>, format: Format): Iterable<string> {
    let piece = ''
    for (const { family, series } of families) {
      const renderSample = sampleRendererOf(family, format)
      // Before the first sample only: a family without series is left out whole, as Prometheus's own client does.
      let head = renderHead(family, format)
      for (const one of series) {
        piece += head + renderSample(one)
        head = ''
        if (piece.length < PIECE_LENGTH) continue
        yield piece
        piece = ''
      }
    }
    if (format === 'openmetrics') piece += '# EOF\n'
    if (piece !== '') yield piece
  }

  return { renderChunks }
}

function renderHistogram(name: string, labels: string, { series, format }: { readonly series: Series; readonly format: Format }): string {
  const { sum, buckets } = series.histogram ?? { sum: 0, buckets: [{ le: Number.POSITIVE_INFINITY, count: series.value }] }
  const open = labels === '' ? '{' : `${labels.slice(0, -1)},`
  const lines = buckets.map(({ le, count }) => `${name}_bucket${open}le="${renderBound(le, format)}"} ${renderValue(count)}\n`)
  return `${lines.join('')}${name}_sum${labels} ${renderValue(sum)}\n${name}_count${labels} ${renderValue(series.value)}\n`
}

/** `1` in text, `1.0` in OpenMetrics: as Prometheus's own clients do, so that nobody's series split in two. */
function renderBound(le: number, format: Format): string {
  return format === 'openmetrics' && Number.isInteger(le) ? le.toFixed(1) : renderValue(le)
}

/** Integers to 2^53 come out digit by digit: JavaScript turns to exponents at 1e21 only. */
export function renderValue(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}

/** Joined, not added up: a string made by `+` keeps all its parts alive. */
function renderLabels(labels: Labels): string {
  const parts: string[] = []
  let separator = '{'
  for (const name of Object.keys(labels)) {
    parts.push(separator, name, '="', escapeQuoted(labels[name] ?? ''), '"')
    separator = ','
  }
  if (parts.length > 0) parts.push('}')
  return parts.join('')
}

function renderHead(family: Family, format: Format): string {
  const name = format === 'openmetrics' ? baseNameOf(family) : family.name
  const help = format === 'openmetrics' ? escapeQuoted(family.help) : escapeLine(family.help)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${family.kind}\n`
}

function baseNameOf({ kind, name }: Family): string {
  return kind === 'counter' ? name.replace(/_total$/, '') : name
}

function escapeLine(text: string): string {
  return /[\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : text
}

function escapeQuoted(text: string): string {
  return /[\\\n"]/.test(text) ? escapeLine(text).replaceAll('"', '\\"') : text
}
