import type { Finding } from './finding.js'

export interface NamedFinding extends Finding {
  readonly name: string
}

const COLORS = { ok: 32, warn: 33, fail: 31 } as const

/** A line each, the remedy under it, the verdict last. */
export function renderFindings(findings: readonly NamedFinding[], hasColors: boolean): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  const lines = findings.flatMap(({ level, name, says, remedy }) => [
    `${paint(level, hasColors)}  ${name.padEnd(width)}  ${says}\n`,
    ...remedy.map((line) => `        ${line}\n`),
  ])
  return `${lines.join('')}${verdictOf(findings)}\n`
}

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
