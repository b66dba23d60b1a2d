// Renders the chart into deploy/manifests: npm run manifests
import { writeFileSync } from 'node:fs'
import { MODES, manifestOf, renderManifest } from '../test/deploy/manifests.js'
import { peerOf } from '../test/peers/table.js'
import { havePeers } from './peers.js'

if (!(await havePeers([peerOf('helm')]))) process.exit(1)
for (const mode of MODES) writeFileSync(manifestOf(mode), await renderManifest(mode))
