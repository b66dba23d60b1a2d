// Widgets of dashboards, as POST /api/v1/dashboard takes them, and rows of them on its twelve columns.
import { type Query, queryOf } from './queries.js'

export interface Widget {
  readonly definition: Readonly<Record<string, unknown>>
}

/** `number`: what the formula comes to, so that it reads as one expects. */
interface Shown {
  readonly title: string
  /** By the names that the formulas have for them. */
  readonly queries: Readonly<Record<string, Query>>
  readonly formulas: readonly Formula[]
  readonly unit?: Unit
}

interface Formula {
  readonly formula: string
  readonly alias?: string
}

type Unit = 'byte' | 'byte per second' | 'dollar' | 'percent' | 'second'

/** Over all points that a widget shows as one number: counts are added up, levels are not. */
const aggregatorOf = ({ as, of }: Query): string => (as === 'count' ? 'sum' : as === undefined && of !== 'sum' ? of : 'avg')

const FORMATS: Readonly<Record<Unit, unknown>> = {
  byte: { unit: { type: 'canonical_unit', unit_name: 'byte' } },
  'byte per second': { unit: { type: 'canonical_unit', unit_name: 'byte', per_unit_name: 'second' } },
  dollar: { unit: { type: 'canonical_unit', unit_name: 'dollar' } },
  percent: { unit: { type: 'canonical_unit', unit_name: 'percent' } },
  second: { unit: { type: 'canonical_unit', unit_name: 'second' } },
}

const formulasOf = ({ formulas, unit }: Shown): readonly (Formula & { readonly number_format?: unknown })[] =>
  formulas.map((one) => ({ ...one, ...(unit === undefined ? {} : { number_format: FORMATS[unit] }) }))

const seriesOf = ({ queries }: Shown): readonly unknown[] =>
  Object.entries(queries).map(([name, query]) => ({ data_source: 'metrics', name, query: queryOf(query) }))

const scalarsOf = ({ queries }: Shown): readonly unknown[] =>
  Object.entries(queries).map(([name, query]) => ({
    data_source: 'metrics',
    name,
    query: queryOf(query),
    aggregator: aggregatorOf(query),
  }))

export function timeseries(shown: Shown, displayType: 'line' | 'bars' | 'area' = 'line'): Widget {
  const request = {
    response_format: 'timeseries',
    queries: seriesOf(shown),
    formulas: formulasOf(shown),
    display_type: displayType,
  }
  const legend = { show_legend: true, legend_layout: 'auto', legend_columns: ['avg', 'max', 'value'] }
  return { definition: { type: 'timeseries', title: shown.title, ...legend, requests: [request] } }
}

const TOP = 15

/** By its first formula. */
export function toplist(shown: Shown): Widget {
  const sort = { count: TOP, order_by: [{ type: 'formula', index: 0, order: 'desc' }] }
  const request = { response_format: 'scalar', queries: scalarsOf(shown), formulas: formulasOf(shown), sort }
  return { definition: { type: 'toplist', title: shown.title, requests: [request] } }
}

export function value(shown: Shown, precision = 2): Widget {
  const request = { response_format: 'scalar', queries: scalarsOf(shown), formulas: formulasOf(shown) }
  return { definition: { type: 'query_value', title: shown.title, autoscale: true, precision, requests: [request] } }
}

export const note = (content: string): Widget => ({
  definition: {
    type: 'note',
    content,
    background_color: 'white',
    font_size: '14',
    text_align: 'left',
    show_tick: false,
    has_padding: true,
  },
})

const COLUMNS = 12

/** Side by side, of one width. */
export interface Row {
  readonly height: number
  readonly widgets: readonly Widget[]
}

export function group(title: string, ...rows: readonly Row[]): Widget & { readonly layout: unknown } {
  const height = rows.reduce((sum, row) => sum + row.height, 0) + 1
  const widgets = rows.flatMap(({ height, widgets }, i) => {
    const y = rows.slice(0, i).reduce((sum, row) => sum + row.height, 0)
    const width = COLUMNS / widgets.length
    return widgets.map((widget, at) => ({ ...widget, layout: { x: at * width, y, width, height } }))
  })
  const definition = { type: 'group', title, layout_type: 'ordered', show_title: true, widgets }
  return { definition, layout: { x: 0, y: 0, width: COLUMNS, height } }
}

/** One under the other. */
export function stacked(groups: readonly ReturnType<typeof group>[]): readonly unknown[] {
  let y = 0
  return groups.map((one) => {
    const layout = { ...(one.layout as { readonly height: number }), y }
    y += layout.height
    return { ...one, layout }
  })
}

export const row = (height: number, ...widgets: readonly Widget[]): Row => ({ height, widgets })
