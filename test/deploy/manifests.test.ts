import { readFile } from 'node:fs/promises'
import t from 'tap'
import { reasonToSkip } from '../peers/needed.js'
import { MODES, manifestOf, renderManifest } from './manifests.js'

const skip = reasonToSkip(['helm']) ?? false

t.test('deploy/manifests is what npm run manifests would write', { skip }, async (t) => {
  for (const mode of MODES) t.equal(await readFile(manifestOf(mode), 'utf8'), await renderManifest(mode), mode)
})
