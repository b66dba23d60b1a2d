// Renders the chart into deploy/manifests: npm run manifests
import { writeFileSync } from 'node:fs'
import { MANIFEST_NAMES, manifestOf, renderManifest } from '../test/deploy/manifests.js'
import { peerOf } from '../test/peers/table.js'
import { havePeers } from './peers.js'

if (!(await havePeers([peerOf('helm')]))) process.exit(1)
for (const name of MANIFEST_NAMES) writeFileSync(manifestOf(name), await renderManifest(name))
