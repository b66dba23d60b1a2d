// The rows as a table that fits its width: names are shortened step by step, numbers never.
import { renderBytes, renderCount } from '../../http/page-rows.js'
import { type Naming, namingsOf, shortened } from './names.js'
import { dollarsPerMonth, type Row } from './rows.js'
import type { Line, Style } from './style.js'

export interface Size {
  readonly columns: number
  /** Headings and totals included. */
  readonly lines: number
}

interface Shape {
  readonly naming: Naming
  /** The arrows stand below each other. */
  readonly aligned: boolean
  readonly gap: string
  readonly hasScope: boolean
  /** Names may be shortened, but not so that both together are narrower. */
  readonly leastOwners: number
}

interface Cells {
  readonly zones: string
  /** One text, or two with an arrow between them. */
  readonly owners: readonly [string, string?]
  /** bytes, rate, scope, per month */
  readonly rest: readonly string[]
  readonly style: Style
}

const ARROW = ' -> '
const SCOPE = 2
/** Room enough for what they grow to, so that nothing moves while numbers do. */
const LEAST_WIDTHS = ['99.9 MB'.length, '99.9 MB/s'.length, 'scope'.length, 'per month'.length]
const LEAST_OWNERS = 20
const LEAST_ROWS = 2

export function renderTable(rows: readonly Row[], { columns, lines }: Size): readonly Line[] {
  const room = Math.max(lines - 2, LEAST_ROWS)
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows
  const tables = shapesOf(rows).map((shape) => ({ shape, table: cellsOf(rows, shown, shape) }))
  const fitting = tables.find(({ shape, table }) => leastWidth(table, shape) <= columns) ?? tables.at(-1)
  return fitting ? layOut(fitting.table, fitting.shape, columns) : []
}

/** The most beautiful first. */
function shapesOf(rows: readonly Row[]): readonly Shape[] {
  const namings = namingsOf(rows)
  const whole = { aligned: true, gap: '  ', hasScope: true, leastOwners: Number.POSITIVE_INFINITY }
  const shapes = namings.map((naming) => ({ naming, ...whole }))
  return [
    ...shapes,
    ...shapes.slice(-1).flatMap((last) => [
      { ...last, aligned: false },
      { ...last, aligned: false, gap: ' ', leastOwners: LEAST_OWNERS },
      { ...last, aligned: false, gap: ' ', leastOwners: 0, hasScope: false },
    ]),
  ]
}

function cellsOf(rows: readonly Row[], shown: readonly Row[], { naming, hasScope }: Shape): readonly Cells[] {
  const more = rows.slice(shown.length)
  const table: readonly Cells[] = [
    { zones: naming.heading, owners: ['owner pair'], rest: ['bytes', 'rate', 'scope', 'per month'], style: 'soft' },
    ...shown.map((row) => rowCells(row, naming)),
    ...(more.length > 0 ? [{ zones: '', owners: [`${more.length} more`] as const, rest: numbersOf(more), style: 'soft' as const }] : []),
    { zones: 'total', owners: [''], rest: numbersOf(rows), style: 'strong' },
  ]
  return hasScope ? table : table.map((cells) => ({ ...cells, rest: cells.rest.map((text, index) => (index === SCOPE ? '' : text)) }))
}

const rowCells = (row: Row, { zone, owner }: Naming): Cells => ({
  zones: `${zone(row.from.zone)}${ARROW}${zone(row.to.zone)}`,
  owners: [owner(row.from), owner(row.to)],
  rest: numbersOf([row], row.scope),
  style: row.price === 0 ? 'soft' : 'plain',
})

function numbersOf(rows: readonly Row[], scope = ''): readonly string[] {
  const sum = (value: (row: Row) => number): number => rows.reduce((total, row) => total + value(row), 0)
  const rate = Math.round(sum((row) => row.bytesPerSecond))
  return [renderBytes(sum((row) => row.bytes)), `${renderBytes(rate)}/s`, scope, renderMonth(rows)]
}

/** `?` where no price is known, `-` where all is free. */
function renderMonth(rows: readonly Row[]): string {
  const known = rows.filter(({ price }) => price !== undefined)
  if (known.length === 0 && rows.length > 0) return '?'
  if (known.every(({ price }) => price === 0)) return '-'
  const dollars = known.reduce((sum, row) => sum + (dollarsPerMonth(row) ?? 0), 0)
  return dollars < 1 ? '< $ 1' : `$ ${renderCount(Math.round(dollars))}`
}

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length))

/** Widths of all columns but the owners', the gaps included. */
function otherWidths(table: readonly Cells[], { gap, hasScope }: Shape): number {
  const widths = restWidths(table, hasScope).filter((width) => width > 0)
  const columns = [widest(table.map(({ zones }) => zones)), ...widths]
  return columns.reduce((sum, width) => sum + width + gap.length, 0)
}

function restWidths(table: readonly Cells[], hasScope: boolean): readonly number[] {
  return LEAST_WIDTHS.map((least, column) => {
    return column === SCOPE && !hasScope ? 0 : Math.max(least, widest(table.map(({ rest }) => rest[column] ?? '')))
  })
}

function leastWidth(table: readonly Cells[], shape: Shape): number {
  return otherWidths(table, shape) + Math.min(widest(ownerTexts(table, shape, Number.POSITIVE_INFINITY)), shape.leastOwners)
}

function layOut(table: readonly Cells[], shape: Shape, columns: number): readonly Line[] {
  const owners = ownerTexts(table, shape, columns - otherWidths(table, shape))
  const widths = restWidths(table, shape.hasScope)
  const padded = [table.map(({ zones }) => zones), owners].map((texts) => texts.map((text) => text.padEnd(widest(texts))))
  return table.map(({ rest, style }, index) => {
    const numbers = rest.map((text, column) => (column === SCOPE ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)))
    const cells = [...padded.map((texts) => texts[index] ?? ''), ...numbers.filter((_, column) => (widths[column] ?? 0) > 0)]
    return { text: cells.join(shape.gap).slice(0, columns), style }
  })
}

function ownerTexts(table: readonly Cells[], { aligned }: Shape, width: number): readonly string[] {
  const first = widest(table.map(({ owners: [from, to] }) => (to === undefined ? '' : from)))
  return table.map(({ owners: [from, to] }) => {
    if (to === undefined) return shortened(from, width)
    return aligned ? `${from.padEnd(first)}${ARROW}${to}` : pairWithin([from, to], width)
  })
}

/** What one owner does not need, the other may have. */
function pairWithin([from, to]: readonly [string, string], width: number): string {
  const room = Math.max(width - ARROW.length, 2)
  const first = shortened(from, Math.max(Math.floor(room / 2), room - to.length))
  return `${first}${ARROW}${shortened(to, room - first.length)}`
}
