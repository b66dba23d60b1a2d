// Writes the documents that are derived from code: npm run docs
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderConfigDocs } from '../src/config/help.js'
import { renderMetricsDoc } from './metrics-doc.js'

const DOCS = join(import.meta.dirname, '../docs')

const documents: Readonly<Record<string, () => string>> = {
  'configuration.md': renderConfigDocs,
  'metrics.md': renderMetricsDoc,
}

for (const [file, render] of Object.entries(documents)) writeFileSync(join(DOCS, file), render())
