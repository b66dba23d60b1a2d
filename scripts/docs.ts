// Writes the documents that are derived from code: npm run docs
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderConfigDocs } from '../src/config/help.js'
import { renderMetricsDoc } from './metrics-doc.js'
import { renderValuesSchema } from './values-schema.js'

const ROOT = join(import.meta.dirname, '..')

const documents: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': renderConfigDocs,
  'docs/metrics.md': renderMetricsDoc,
  'deploy/helm/meshtoll/values.schema.json': renderValuesSchema,
}

for (const [file, render] of Object.entries(documents)) writeFileSync(join(ROOT, file), render())
