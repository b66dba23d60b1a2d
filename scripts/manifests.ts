// Renders the chart into deploy/manifests, its rules into deploy/prometheus, and dashboards into the chart: npm run manifests
import { mkdirSync, writeFileSync } from 'node:fs'
import { MANIFEST_NAMES, manifestOf, renderManifest } from '../test/deploy/manifests.js'
import { peerOf } from '../test/peers/table.js'
import { CHART_DASHBOARDS, renderChartDashboards } from './chart-dashboards.js'
import { havePeers } from './peers.js'
import { renderRuleFiles } from './rules.js'

mkdirSync(CHART_DASHBOARDS, { recursive: true })
for (const [file, text] of Object.entries({ ...renderRuleFiles(), ...renderChartDashboards() })) writeFileSync(file, text)

if (!(await havePeers([peerOf('helm')]))) process.exit(1)
for (const name of MANIFEST_NAMES) writeFileSync(manifestOf(name), await renderManifest(name))
