// Reads Prometheus text 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): `name{label="value"} 1.5 1395066363000`. Of OpenMetrics that
// holds as well, where there are no exemplars; its counters end in `_total`.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Labels } from '../model.js'

export interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

export interface ParsedSamples {
  /** In the order of the text. */
  readonly samples: readonly Sample[]
  /** Lines that could not be understood. */
  readonly rejected: number
}

/** Only samples that it names are looked into, since a text has many. */
export type IsWanted = (name: string) => boolean

/**
 * `labelText`: what stands between the braces, `value` may be NaN. False where one of them cannot be, or is more than it may be. Both texts are parts
 * of the whole one: they keep all of it alive.
 */
export type TakeSample = (name: string, labelText: string, value: number) => boolean

const SAMPLE = /^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(.*)\})?[ \t]+([^ \t]+)(?:[ \t]+-?\d+)?[ \t]*$/
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*(?=[{ \t]|$)/
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)/y
/** Takes some milliseconds at most. */
const TURN_LENGTH = 65_536
const END = '# EOF\n'

/** What a counter, or a number of things, may say: beyond 2^53 none is exact, and one that is infinite would stay in every sum. */
export const isCount = (value: number): boolean => value >= 0 && value <= Number.MAX_SAFE_INTEGER

/** Comments are passed over, HELP and TYPE among them, and samples that have no value: NaN. */
export function parseSamples(text: string, isWanted: IsWanted): ParsedSamples {
  const samples: Sample[] = []
  const reader = createReader(text, isWanted, (name, labelText, value) => {
    if (Number.isNaN(value)) return true
    const labels = parseLabels(labelText)
    if (labels) samples.push({ name, labels, value })
    return labels !== undefined
  })
  while (reader.read());
  return { samples, rejected: reader.rejected }
}

/**
 * The same of one that comes in pieces and may be longer than what is to be kept of it, for who knows most of the labels already: others get their
 * turn in between. `rejected`: lines that could not be understood; `isWhole`: it ends as OpenMetrics does, in `# EOF`.
 */
export async function readSamplesInPieces(
  pieces: AsyncIterable<string>,
  isWanted: IsWanted,
  take: TakeSample,
): Promise<{ readonly rejected: number; readonly isWhole: boolean }> {
  let [rejected, isWhole, rest, isTooLong] = [0, false, '', false]
  for await (const piece of pieces) {
    const end = piece.lastIndexOf('\n') + 1
    if (end === 0) {
      // Of a line that is longer than any that is meant to be read no more is kept.
      isTooLong ||= rest.length + piece.length > TURN_LENGTH
      rest = isTooLong ? '' : rest + piece
    } else {
      const lines = isTooLong ? piece.slice(piece.indexOf('\n') + 1, end) : rest + piece.slice(0, end)
      if (isTooLong) rejected++
      isTooLong = false
      isWhole = lines.endsWith(END)
      rest = piece.slice(end)
      rejected += await readSamplesInTurns(lines, isWanted, take)
    }
    await turnOfTheLoop()
  }
  if (isTooLong) rejected++
  rejected += await readSamplesInTurns(rest, isWanted, take)
  return { rejected, isWhole: isWhole && rest === '' && !isTooLong }
}

/** Resolves with how many lines could not be understood. */
async function readSamplesInTurns(text: string, isWanted: IsWanted, take: TakeSample): Promise<number> {
  const reader = createReader(text, isWanted, take)
  while (reader.read()) await turnOfTheLoop()
  return reader.rejected
}

function createReader(text: string, isWanted: IsWanted, take: TakeSample) {
  let rejected = 0
  let at = 0

  function readLine(line: string): void {
    if (line === '' || line.startsWith('#')) return
    const name = NAME.exec(line)?.[0]
    if (name !== undefined && !isWanted(name)) return
    // It would take as long as all others of an answer together.
    if (line.length > TURN_LENGTH) {
      rejected++
      return
    }
    const [found, labelText = '', valueText = ''] = SAMPLE.exec(line) ?? []
    const value = parseValue(valueText)
    if (name === undefined || found === undefined || value === undefined) rejected++
    else if (!take(name, labelText, value)) rejected++
  }

  return {
    /** A part of it. False: that was the last. */
    read(): boolean {
      for (const end = at + TURN_LENGTH; at < text.length && at < end; ) {
        const newline = text.indexOf('\n', at)
        const next = newline < 0 ? text.length : newline
        readLine(text.slice(at, next))
        at = next + 1
      }
      return at < text.length
    },
    get rejected() {
      return rejected
    },
  }
}

/** Undefined where they cannot be understood. */
export function parseLabels(text: string): Labels | undefined {
  const labels: Record<string, string> = {}
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    LABEL.lastIndex = at
    const [found, name = '', value = ''] = LABEL.exec(text) ?? []
    if (found === undefined) return undefined
    labels[name] = value.includes('\\') ? value.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign)) : value
  }
  return labels
}

/** Undefined where it is no number; NaN is one. */
function parseValue(text: string): number | undefined {
  const value = text === '' ? Number.NaN : Number(text)
  if (!Number.isNaN(value)) return value
  if (/^\+?Inf$/i.test(text)) return Number.POSITIVE_INFINITY
  if (/^-Inf$/i.test(text)) return Number.NEGATIVE_INFINITY
  return /^NaN$/i.test(text) ? value : undefined
}
