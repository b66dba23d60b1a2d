// A dashboard as data, and the JSON that Grafana reads.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard'
import { readRuleSettings } from '../rules.js'
import { DATASOURCE, linkTo, type PanelSpec, renderPanel } from './panels.js'
import { CLUSTER } from './promql.js'

export interface Row {
  readonly title: string
  readonly panels: readonly PanelSpec[]
}

export interface DashboardSpec {
  /** Of the file, and after `meshtoll-` Grafana's uid, by which others link to it. */
  readonly name: string
  readonly title: string
  readonly description: string
  /** Beside the datasource and the cluster. */
  readonly variables: readonly (keyof typeof VARIABLES)[]
  readonly rows: readonly Row[]
}

/** All of them mean every one unless somebody chooses. */
const VARIABLES = {
  zone: { label: 'Zone', query: `label_values(meshtoll_zone_bytes_total{${CLUSTER}}, src_zone)` },
  namespace: { label: 'Namespace', query: `label_values(src_owner:meshtoll_flow_bytes:rate{${CLUSTER}}, src_namespace)` },
  owner: {
    label: 'Owner',
    query: `label_values(src_owner:meshtoll_flow_bytes:rate{${CLUSTER},src_namespace=~"$namespace"}, src_owner_name)`,
  },
} as const

const TAG = 'meshtoll'

export function renderDashboard({ name, title, description, variables, rows }: DashboardSpec): string {
  const builder = new sdk.DashboardBuilder(title)
    .id(null)
    .uid(`meshtoll-${name}`)
    .description(description)
    .tags([TAG])
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .variables([
      datasource(),
      chosen('cluster', 'Cluster', 'label_values(meshtoll_build_info, cluster)'),
      ...variables.map(variable),
      runbooks(),
    ])
    .links([
      linkTo({ title: 'meshtoll', type: sdk.DashboardLinkType.Dashboards, tags: [TAG], includeVars: true, keepTime: true }),
      linkTo({ title: 'Run books', type: sdk.DashboardLinkType.Link, icon: 'doc', url: `\${runbooks:raw}`, targetBlank: true }),
    ])
  for (const row of rows) {
    builder.withRow(new sdk.RowBuilder(row.title))
    for (const panel of row.panels) builder.withPanel(renderPanel(panel))
  }
  const built = builder.build()
  const panels = built.panels?.map((panel, i) => ({ ...panel, id: i + 1 })) ?? []
  return `${JSON.stringify({ ...built, panels }, undefined, 2)}\n`
}

const variable = (name: keyof typeof VARIABLES): Builder<sdk.VariableModel> => chosen(name, VARIABLES[name].label, VARIABLES[name].query)

const datasource = (): Builder<sdk.VariableModel> => new sdk.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus')

function chosen(name: string, label: string, query: string): Builder<sdk.VariableModel> {
  return new sdk.QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
    .sort(sdk.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}

/** Where docs/runbooks is to be read; whoever has a copy of them changes it in one place. No address of a dashboard may say another one. */
function runbooks(): Builder<sdk.VariableModel> {
  const constant = new sdk.ConstantVariableBuilder('runbooks').value(readRuleSettings().runbookUrl)
  return { build: () => ({ ...constant.build(), skipUrlSync: true }) }
}
