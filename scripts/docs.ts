// Writes what is derived from code: npm run docs
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderConfigDocs } from '../src/config/help.js'
import { renderDashboards } from './dashboards.js'
import { renderDatadogFiles } from './datadog.js'
import { renderMetricsDoc } from './metrics-doc.js'
import { renderValuesSchema } from './values-schema.js'

const ROOT = join(import.meta.dirname, '..')

const documents: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': renderConfigDocs,
  'docs/metrics.md': renderMetricsDoc,
  'deploy/helm/meshtoll/values.schema.json': renderValuesSchema,
}

for (const [file, render] of Object.entries(documents)) writeFileSync(join(ROOT, file), render())
for (const [file, text] of Object.entries({ ...renderDashboards(), ...renderDatadogFiles() })) {
  mkdirSync(dirname(join(ROOT, file)), { recursive: true })
  writeFileSync(join(ROOT, file), text)
}
