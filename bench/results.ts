// The results as text: a table for the terminal, and the one in README.md with what it was measured on.
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Row } from './figure.js'

const README = fileURLToPath(new URL('README.md', import.meta.url))
const BEGIN = '<!-- results: written by npm run bench -- --write -->'
const END = '<!-- end of results -->'
const COLUMNS = ['number', 'bar', 'measured', 'ratio', 'verdict', 'beside'] as const

export function renderTable(rows: readonly Row[]): string {
  const widths = COLUMNS.map((column) => Math.max(column.length, ...rows.map((row) => row[column].length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[line(COLUMNS), ...rows.map((row) => line(COLUMNS.map((column) => row[column])))].join('\n')}\n`
}

/** `before`: what stands there; rows of numbers that were not measured this time stay. */
function renderMarkdown(rows: readonly Row[], loads: readonly number[], before: string): string {
  const day = new Date().toISOString().slice(0, 10)
  const measured = new Map(rows.map((row) => [row.number, lineOf([...COLUMNS.map((column) => shown(row, column)), day])]))
  const lines = new Map([...linesIn(before), ...measured])
  return [
    `${machine()}; load average when a bench of the last run began ${Math.min(...loads).toFixed(2)} to ${Math.max(...loads).toFixed(2)}.`,
    '',
    lineOf([...COLUMNS, 'on']),
    lineOf([...COLUMNS, 'on'].map(() => '---')),
    ...lines.values(),
  ].join('\n')
}

const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const shown = (row: Row, column: (typeof COLUMNS)[number]): string => (row[column] === 'missed' ? '**missed**' : row[column])

/** By their numbers. */
function linesIn(text: string): readonly (readonly [string, string])[] {
  const [, , ...lines] = text.split('\n').filter((line) => line.startsWith('| '))
  return lines.map((line) => [line.split(' | ', 1)[0]?.slice(2) ?? '', line])
}

function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${availableParallelism()} CPUs (${cpus()[0]?.model.trim() ?? 'unknown'}), ${memory}; Linux ${release()}; Node ${process.version}`
}

export async function writeResults(rows: readonly Row[], loads: readonly number[]): Promise<void> {
  const text = await readFile(README, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)]
  if (begin < BEGIN.length || end < begin) throw new Error(`${README} has no place for the results`)
  await writeFile(README, `${text.slice(0, begin)}\n${renderMarkdown(rows, loads, text.slice(begin, end))}\n${text.slice(end)}`)
}
