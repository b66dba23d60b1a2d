import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import t from 'tap'
import { CHART_DASHBOARDS, renderChartDashboards } from '../../scripts/chart-dashboards.js'
import { reasonToSkip } from '../peers/needed.js'
import { MANIFEST_NAMES, manifestOf, renderManifest } from './manifests.js'

const skip = reasonToSkip(['helm']) ?? false

t.test('deploy/manifests is what npm run manifests would write', { skip }, async (t) => {
  for (const name of MANIFEST_NAMES) t.equal(await readFile(manifestOf(name), 'utf8'), await renderManifest(name), name)
})

t.test('dashboards of the chart are what npm run manifests would write', async (t) => {
  const files = renderChartDashboards()
  for (const [file, text] of Object.entries(files)) t.equal(await readFile(file, 'utf8'), text, file)
  t.same(
    (await readdir(CHART_DASHBOARDS)).sort(),
    Object.keys(files)
      .map((file) => basename(file))
      .sort(),
    'and nothing else',
  )
})
