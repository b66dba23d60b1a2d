import { readFile } from 'node:fs/promises'
import t from 'tap'
import { reasonToSkip } from '../peers/needed.js'
import { MANIFEST_NAMES, manifestOf, renderManifest } from './manifests.js'

const skip = reasonToSkip(['helm']) ?? false

t.test('deploy/manifests is what npm run manifests would write', { skip }, async (t) => {
  for (const name of MANIFEST_NAMES) t.equal(await readFile(manifestOf(name), 'utf8'), await renderManifest(name), name)
})
