// Panels as data, and what Grafana takes for them.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import * as common from '@grafana/grafana-foundation-sdk/common'
import { GraphGradientMode, LegendDisplayMode, StackingMode, TooltipDisplayMode } from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'

interface About {
  readonly title: string
  /** What the numbers are, and what to think of them. */
  readonly description: string
  /** As Grafana names it. */
  readonly unit: string
  /** Of 24 columns. */
  readonly width: number
  /** Alert whose run book says more. */
  readonly runbook?: string
}

export interface SeriesPanel extends About {
  readonly kind: 'series'
  /** Expressions by legend, in which `{{label}}` is filled in. */
  readonly queries: Readonly<Record<string, string>>
  readonly isStacked?: boolean
}

export interface StatPanel extends About {
  readonly kind: 'stat'
  readonly expr: string
  /** From where on it is red. */
  readonly above?: number
  readonly below?: number
}

/** Of a histogram: buckets by `le` over time. */
export interface HeatmapPanel extends About {
  readonly kind: 'heatmap'
  readonly expr: string
}

/** A cell for each pair of values of two labels, the darker the more. */
export interface MatrixPanel extends About {
  readonly kind: 'matrix'
  readonly expr: string
  readonly rows: string
  readonly columns: string
}

/** A row for each set of labels, as of now. */
export interface TablePanel extends About {
  readonly kind: 'table'
  /** In the order of columns; further ones come after. */
  readonly labels: readonly string[]
  readonly columns: readonly Column[]
}

export interface Column {
  readonly title: string
  readonly expr: string
  /** Where it is not the panel's. */
  readonly unit?: string
}

export type PanelSpec = SeriesPanel | StatPanel | HeatmapPanel | MatrixPanel | TablePanel

interface Common<Self> {
  title(title: string): Self
  description(description: string): Self
  unit(unit: string): Self
  span(width: number): Self
  height(height: number): Self
  datasource(ref: common.DataSourceRef): Self
  links(links: Builder<dashboard.DashboardLink>[]): Self
}

export const DATASOURCE: common.DataSourceRef = { type: 'prometheus', uid: `\${datasource}` }

export function renderPanel(spec: PanelSpec): Builder<dashboard.Panel> {
  switch (spec.kind) {
    case 'series':
      return renderSeries(spec)
    case 'stat':
      return renderStat(spec)
    case 'heatmap':
      return renderHeatmap(spec)
    case 'matrix':
      return renderMatrix(spec)
    case 'table':
      return renderTable(spec)
  }
}

function describe<Self extends Common<Self>>(builder: Self, { title, description, unit, width, runbook }: About, height: number): Self {
  const links = runbook === undefined ? [] : [linkTo({ title: runbook, url: `\${runbooks:raw}/${runbook}.md`, targetBlank: true })]
  return builder.title(title).description(description).unit(unit).span(width).height(height).datasource(DATASOURCE).links(links)
}

/** As a builder, without what only some releases of Grafana know. */
export function linkTo(link: Partial<dashboard.DashboardLink> & { readonly title: string }): Builder<dashboard.DashboardLink> {
  const { placement: _, ...usual } = { ...dashboard.defaultDashboardLink(), ...link }
  return { build: () => usual }
}

const refId = (index: number): string => String.fromCharCode(65 + index)

const query = (expr: string, index = 0): DataqueryBuilder => new DataqueryBuilder().refId(refId(index)).datasource(DATASOURCE).expr(expr)

const queryNow = (expr: string, index: number): DataqueryBuilder => query(expr, index).instant().format(PromQueryFormat.Table)

function renderSeries(spec: SeriesPanel): Builder<dashboard.Panel> {
  const { queries, isStacked = false } = spec
  const legend = new common.VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(common.LegendPlacement.Bottom)
  return describe(new timeseries.PanelBuilder(), spec, 8)
    .targets(Object.entries(queries).map(([name, expr], i) => query(expr, i).range().legendFormat(name)))
    .min(0)
    .fillOpacity(isStacked ? 30 : 5)
    .gradientMode(GraphGradientMode.None)
    .stacking(new common.StackingConfigBuilder().group('A').mode(isStacked ? StackingMode.Normal : StackingMode.None))
    .legend(legend.showLegend(true).calcs([]))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
}

function renderStat(spec: StatPanel): Builder<dashboard.Panel> {
  const { expr, above, below } = spec
  const first = { value: null, color: below === undefined ? 'green' : 'red' }
  const limit = above ?? below
  const next = limit === undefined ? [] : [{ value: limit, color: below === undefined ? 'red' : 'green' }]
  const thresholds = new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps([first, ...next])
  return describe(new stat.PanelBuilder(), spec, 4)
    .targets([query(expr).range()])
    .thresholds(thresholds)
    .colorMode(limit === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.Area)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
}

function renderHeatmap(spec: HeatmapPanel): Builder<dashboard.Panel> {
  return describe(new heatmap.PanelBuilder(), spec, 8)
    .targets([query(spec.expr).range().format(PromQueryFormat.Heatmap).legendFormat('{{le}}')])
    .yAxis(new heatmap.YAxisConfigBuilder().unit(spec.unit))
}

function renderMatrix(spec: MatrixPanel): Builder<dashboard.Panel> {
  const { expr, rows, columns } = spec
  const options = { rowField: rows, columnField: columns, valueField: 'Value', emptyValue: 'null' }
  return (
    describe(new table.PanelBuilder(), spec, 8)
      .targets([queryNow(expr, 0)])
      // Rows and columns come in the order in which they are met.
      .transformations([sortedBy(columns), sortedBy(rows), { id: 'groupingToMatrix', options }])
      .cellOptions({
        type: 'color-background',
        mode: common.TableCellBackgroundDisplayMode.Basic,
      } as common.TableColoredBackgroundCellOptions)
      .colorScheme(new dashboard.FieldColorBuilder().mode('continuous-YlRd' as dashboard.FieldColorModeId))
  )
}

const sortedBy = (field: string): dashboard.DataTransformerConfig => ({ id: 'sortBy', options: { fields: {}, sort: [{ field }] } })

function renderTable(spec: TablePanel): Builder<dashboard.Panel> {
  const { labels, columns } = spec
  // Grafana numbers the values where there are several; where only one answers, not.
  const fieldOf = (index: number): string => (columns.length === 1 ? 'Value' : `Value #${refId(index)}`)
  const renameByName = { Value: columns[0]?.title, ...Object.fromEntries(columns.map(({ title }, i) => [fieldOf(i), title])) }
  const order = [...labels, ...columns.map((_, i) => fieldOf(i))]
  const indexByName = Object.fromEntries(order.map((name, i) => [name, i]))
  const panel = describe(new table.PanelBuilder(), spec, 8)
    .targets(columns.map(({ expr }, i) => queryNow(expr, i)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true }, indexByName, renameByName } })
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(columns[0]?.title ?? '').desc(true)])
    .filterable(true)
  for (const { title, unit } of columns) if (unit !== undefined) panel.overrideByName(title, [{ id: 'unit', value: unit }])
  for (const label of labels) panel.overrideByName(label, linksOf(label))
  return panel
}

/** From an owner's name to its dashboard, from an alert's to its run book. */
function linksOf(label: string): dashboard.DynamicConfigValue[] {
  const [, side] = /^(src|dst|owner)_(owner_)?name$/.exec(label) ?? []
  const owner = `/d/meshtoll-owner?\${datasource:queryparam}&\${cluster:queryparam}&var-namespace=\${__data.fields.${side}_namespace}&var-owner=\${__value.raw}&\${__url_time_range}`
  if (side !== undefined) return [{ id: 'links', value: [{ title: 'This owner', url: owner }] }]
  if (label === 'alertname') return [{ id: 'links', value: [{ title: 'Run book', url: `\${runbooks:raw}/\${__value.raw}.md` }] }]
  return []
}
