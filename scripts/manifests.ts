// Renders the chart into deploy/manifests and its rules into deploy/prometheus: npm run manifests
import { writeFileSync } from 'node:fs'
import { MANIFEST_NAMES, manifestOf, renderManifest } from '../test/deploy/manifests.js'
import { peerOf } from '../test/peers/table.js'
import { havePeers } from './peers.js'
import { renderRuleFiles } from './rules.js'

for (const [file, text] of Object.entries(renderRuleFiles())) writeFileSync(file, text)

if (!(await havePeers([peerOf('helm')]))) process.exit(1)
for (const name of MANIFEST_NAMES) writeFileSync(manifestOf(name), await renderManifest(name))
