// A preview for people: metric by metric, the largest first; what all series have stands once, at the top.
import { wrapWords } from '../../config/words.js'
import type { PreviewedSeries } from '../../datadog/preview.js'
import type { Terminal } from '../commands.js'

export interface Previewed {
  readonly agent: string
  readonly node: string
  /** As it is called in Datadog; undefined where only the agent knows. */
  readonly host: string | undefined
  readonly seconds: number
  readonly isEnabled: boolean
  readonly tags: readonly string[]
  readonly series: readonly PreviewedSeries[]
  readonly customMetrics: {
    readonly window: number
    /** Of all that is served and not zero. */
    readonly ever: number
    readonly limit: number
    readonly folded: number
  }
  readonly strangers: readonly string[]
}

const WIDTH = 80
const GAP = 2
const DIGITS = 6

export function renderPreview(preview: Previewed, terminal: Pick<Terminal, 'columns'>): string {
  const { node, host, tags, series } = preview
  const width = terminal.columns === 0 ? WIDTH : terminal.columns
  const column = series.reduce((most, { value }) => Math.max(most, shownValue(value).length), 0) + GAP
  const head = [`host  ${host ?? `${node}, or what the cloud calls it`}`, ...listOf('tags  ', tags, width)].map((line) => clip(line, width))
  const lines = byMetric(series).flatMap(([first, ...others]) => [
    '',
    clip(`${first.metric}  ${first.type}${first.unit === undefined ? '' : ` of ${first.unit}s`}`, width),
    ...[first, ...others].flatMap((one) => renderSeries(one, { column, width, tags })),
  ])
  return [...head, ...lines, '', ...verdictOf(preview).flatMap((line) => wrapWords(line, width)), ''].join('\n')
}

/** `text` before the first line, and as much room before the others. */
function listOf(text: string, tags: readonly string[], width: number): readonly string[] {
  return wrapTags(tags, width - text.length).map((line, at) => (at === 0 ? text : ' '.repeat(text.length)) + line)
}

type Same = readonly [PreviewedSeries, ...PreviewedSeries[]]

function byMetric(series: readonly PreviewedSeries[]): readonly Same[] {
  const found = new Map<string, [PreviewedSeries, ...PreviewedSeries[]]>()
  for (const one of series) {
    const same = found.get(one.metric)
    if (same) same.push(one)
    else found.set(one.metric, [one])
  }
  for (const same of found.values()) same.sort((a, b) => b.value - a.value)
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, same]) => same)
}

interface Place {
  readonly column: number
  readonly width: number
  /** That are said already. */
  readonly tags: readonly string[]
}

function renderSeries({ value, tags }: PreviewedSeries, { column, width, tags: common }: Place): readonly string[] {
  const text = shownValue(value).padStart(column)
  const own = tags.filter((tag) => !common.includes(tag))
  return own.length === 0 ? [text] : listOf(text + ' '.repeat(GAP), own, width)
}

/** Counts whole; of what is measured as much as one reads. */
const shownValue = (value: number): string => String(Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS)))

/** A tag that is longer than a line goes on in the next one. */
function wrapTags(tags: readonly string[], width: number): readonly string[] {
  const room = Math.max(1, width)
  const lines: string[] = []
  for (const tag of tags) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + tag.length <= room) lines[lines.length - 1] = `${last} ${tag}`
    else for (let at = 0; at < tag.length; at += room) lines.push(tag.slice(at, at + room))
  }
  return lines
}

const clip = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 3)}...`)

function verdictOf({ seconds, isEnabled, customMetrics, strangers }: Previewed): readonly string[] {
  const { window, ever, limit, folded } = customMetrics
  const cut = folded > 0 ? `; ${folded} owners' series are folded into _other` : ''
  return [
    `${window} custom metrics in these ${seconds} s, of ${limit} at most (datadog.maxSeries)${cut}`,
    `${ever} if all comes again that this agent has counted`,
    ...(strangers.length > 0 ? [`left out: ${strangers.length} families that this version does not know, such as ${strangers[0]}`] : []),
    ...(isEnabled ? [] : ['nothing is sent: datadog.enabled is false']),
  ]
}

/** One line per series. */
export function renderPreviewJson({ agent, node, host, seconds, isEnabled, customMetrics, series }: Previewed): string {
  const head = { agent, node, host: host ?? null, seconds, enabled: isEnabled, customMetrics }
  return `${JSON.stringify(head).slice(0, -1)},\n"series":[\n${series.map((one) => JSON.stringify(one)).join(',\n')}]}\n`
}
