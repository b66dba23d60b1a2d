// deploy/manifests: the chart as who has no helm applies it. `npm run manifests` writes them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NewObject } from '../cluster/resource.js'
import { objectsOf, renderChart } from './helm.js'

export const MODES = ['full', 'reduced'] as const
export type Mode = (typeof MODES)[number]

export const manifestOf = (mode: Mode): string => join(import.meta.dirname, '../../deploy/manifests', `${mode}.yaml`)

const headOf = (mode: Mode): string =>
  `# meshtoll in mode ${mode}, rendered from deploy/helm/meshtoll by \`npm run manifests\`. No image is published: put the one in your registry
# in the place of image.\n`

export const renderManifest = async (mode: Mode): Promise<string> =>
  `${headOf(mode)}${await renderChart({ values: { mode, namespace: { create: true } } })}`

/** As it was committed. */
export const readManifest = async (mode: Mode): Promise<readonly NewObject[]> => objectsOf(await readFile(manifestOf(mode), 'utf8'))
