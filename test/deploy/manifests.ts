// deploy/manifests: the chart as who has no helm applies it. `npm run manifests` writes them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NewObject } from '../cluster/resource.js'
import { objectsOf, renderChart } from './helm.js'

export const MODES = ['full', 'reduced'] as const

/** Values of each: where nobody asks the cluster a certificate cannot be kept, so it comes from elsewhere. */
const MANIFESTS = {
  full: { mode: 'full' },
  'full-directory': { mode: 'full', directory: { enabled: true, tls: { existingSecret: 'meshtoll-directory-tls' } } },
  reduced: { mode: 'reduced' },
} as const
export type Manifest = keyof typeof MANIFESTS
export const MANIFEST_NAMES = Object.keys(MANIFESTS) as readonly Manifest[]

export const manifestOf = (name: Manifest): string => join(import.meta.dirname, '../../deploy/manifests', `${name}.yaml`)

/** A certificate that is its own authority. */
export const OPENSSL = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \\
  -subj /CN=meshtoll-directory -addext subjectAltName=DNS:meshtoll-directory.meshtoll.svc -keyout tls.key -out tls.crt`
const CREATE_SECRET = `kubectl -n meshtoll create secret generic meshtoll-directory-tls \\
  --from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt`

const commented = (text: string): string => text.replace(/^/gm, '#   ')

function headOf(name: Manifest): string {
  const { mode, ...more } = MANIFESTS[name]
  const what = `# meshtoll in mode ${mode}${'directory' in more ? ' with a directory' : ''}, rendered from deploy/helm/meshtoll by \`npm run manifests\`.`
  const head = `${what} No image is published: put the one in your registry\n# in the place of image.\n`
  if (!('directory' in more)) return head
  return `${head}# Pods wait for a Secret with the certificate of the directory:\n${commented(`${OPENSSL}\n${CREATE_SECRET}`)}\n`
}

export const renderManifest = async (name: Manifest): Promise<string> =>
  `${headOf(name)}${await renderChart({ values: { ...MANIFESTS[name], namespace: { create: true } } })}`

/** As it was committed. */
export const readManifest = async (name: Manifest): Promise<readonly NewObject[]> => objectsOf(await readFile(manifestOf(name), 'utf8'))
