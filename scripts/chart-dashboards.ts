// Dashboards for the chart, which reads no file outside of itself: those of dashboards/grafana, in one line, with `${runbookUrl}` for a value.
import { basename, join } from 'node:path'
import { renderDashboards } from './dashboards.js'
import { readRuleSettings } from './rules.js'

export const CHART_DASHBOARDS = join(import.meta.dirname, '../deploy/helm/meshtoll/files/dashboards')

/** All that npm run manifests writes of them, by its path. */
export function renderChartDashboards(): Readonly<Record<string, string>> {
  const { runbookUrl } = readRuleSettings()
  const files = Object.entries(renderDashboards()).map(([file, text]) => {
    const line = `${JSON.stringify(JSON.parse(text))}\n`
    return [join(CHART_DASHBOARDS, basename(file)), line.replaceAll(runbookUrl, `\${runbookUrl}`)]
  })
  return Object.fromEntries(files)
}
