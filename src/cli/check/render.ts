import { wrapWords } from '../../config/words.js'
import type { Terminal } from '../commands.js'
import type { Finding } from './finding.js'

export interface NamedFinding extends Finding {
  readonly name: string
}

const COLORS = { ok: 32, warn: 33, fail: 31 } as const
const WIDTH = 80
const LEVEL = 'fail  '.length
const REMEDY = 8

/** A line each, the remedy under it, the verdict last. Long lines are wrapped for a terminal, not for a file or `grep`. */
export function renderFindings(findings: readonly NamedFinding[], { columns, hasColors }: Terminal): string {
  const names = Math.max(...findings.map(({ name }) => name.length))
  const width = columns === 0 ? Number.POSITIVE_INFINITY : Math.min(columns, WIDTH)
  const lines = findings.flatMap(({ level, name, says, remedy }) => [
    `${paint(level, hasColors)}  ${name.padEnd(names)}  ${hang(says, LEVEL + names + 2, width)}\n`,
    ...remedy.map((line) => `${' '.repeat(REMEDY)}${renderRemedy(line, width)}\n`),
  ])
  return `${lines.join('')}${verdictOf(findings)}\n`
}

/** A mistake goes on below its text, not below its place (`  12:3  flows.interval is ...`). */
function renderRemedy(line: string, width: number): string {
  const [start = ''] = /^ *(\d+:\d+ +)?/.exec(line) ?? []
  return start + hang(line.slice(start.length), REMEDY + start.length, width)
}

const hang = (text: string, indent: number, width: number): string => wrapWords(text, width - indent).join(`\n${' '.repeat(indent)}`)

const paint = (level: Finding['level'], hasColors: boolean): string =>
  hasColors ? `\u001b[${COLORS[level]}m${level.padEnd(4)}\u001b[0m` : level.padEnd(4)

function verdictOf(findings: readonly Finding[]): string {
  const count = (level: Finding['level']): number => findings.filter((finding) => finding.level === level).length
  const [failures, warnings] = [count('fail'), count('warn')]
  const parts = [
    failures > 0 && `${failures} failure${failures === 1 ? '' : 's'}`,
    warnings > 0 && `${warnings} warning${warnings === 1 ? '' : 's'}`,
  ]
  return parts.filter(Boolean).join(', ') || 'no failures, no warnings'
}
