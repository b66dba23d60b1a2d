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

export function renderMarkdown(rows: readonly Row[], loads: readonly number[]): string {
  const cells = (values: readonly string[]): string => `| ${values.join(' | ')} |`
  const bold = (verdict: string): string => (verdict === 'missed' ? '**missed**' : verdict)
  return [
    `${machine()}; load average when a bench began ${Math.min(...loads).toFixed(2)} to ${Math.max(...loads).toFixed(2)}.`,
    '',
    cells(COLUMNS),
    cells(COLUMNS.map(() => '---')),
    ...rows.map((row) => cells(COLUMNS.map((column) => (column === 'verdict' ? bold(row.verdict) : row[column])))),
  ].join('\n')
}

function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const date = new Date().toISOString().slice(0, 10)
  return `${date}; ${availableParallelism()} CPUs (${cpus()[0]?.model.trim() ?? 'unknown'}), ${memory}; Linux ${release()}; Node ${process.version}`
}

export async function writeResults(rows: readonly Row[], loads: readonly number[]): Promise<void> {
  const text = await readFile(README, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${README} has no place for the results`)
  await writeFile(README, `${text.slice(0, begin + BEGIN.length)}\n${renderMarkdown(rows, loads)}\n${text.slice(end)}`)
}
