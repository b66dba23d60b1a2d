// Reads Prometheus text 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): `name{label="value"} 1.5 1395066363000`.
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

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+([^ \t]+)(?:[ \t]+-?\d+)?[ \t]*$/
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)/y

/** Only samples that `isWanted` names are looked into, since a text has many. Comments are passed over, HELP and TYPE among them. */
export function parseSamples(text: string, isWanted: (name: string) => boolean): ParsedSamples {
  const samples: Sample[] = []
  let rejected = 0
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [found, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    if (found !== undefined && !isWanted(name)) continue
    const sample = { name, labels: parseLabels(labels), value: parseValue(value) }
    if (found === undefined || !sample.labels || Number.isNaN(sample.value)) rejected++
    else samples.push({ ...sample, labels: sample.labels })
  }
  return { samples, rejected }
}

function parseLabels(text: string): Labels | undefined {
  const labels: Record<string, string> = {}
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    LABEL.lastIndex = at
    const [found, name = '', value = ''] = LABEL.exec(text) ?? []
    if (found === undefined) return undefined
    labels[name] = value.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
  }
  return labels
}

/** NaN where it is no number, and where it says so. */
function parseValue(text: string): number {
  if (/^\+?Inf$/i.test(text)) return Number.POSITIVE_INFINITY
  return /^-Inf$/i.test(text) ? Number.NEGATIVE_INFINITY : text === '' ? Number.NaN : Number(text)
}
