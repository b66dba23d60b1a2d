// What Istio's installation and its users write: its own definitions, and objects of two of them. No istiod acts on it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import type { Client, KubeObject } from './client.js'
import { collectionOf, create, type NewObject, pathOf, remove } from './resource.js'

const DEFINITIONS = join(import.meta.dirname, '../fixtures/kubernetes/istio-crds.yaml')
const GROUP = 'networking.istio.io'
const KINDS = ['ServiceEntry', 'WorkloadEntry'] as const

interface Definition extends NewObject {
  readonly spec: { readonly versions: readonly { readonly name: string }[] }
}

/** Resolves once objects can be made. `versions`: default: all there are. */
export async function installIstio(api: Client, versions?: readonly string[]): Promise<void> {
  for (const definition of await readDefinitions()) {
    const kept = definition.spec.versions.filter(({ name }) => versions?.includes(name) ?? true)
    const [first, ...rest] = kept
    const stored = [{ ...first, storage: true }, ...rest.map((version) => ({ ...version, storage: false }))]
    await create(api, { ...definition, spec: { ...definition.spec, versions: stored } })
  }
  for (const kind of KINDS) await untilServed(api, collectionOf({ apiVersion: `${GROUP}/${versions?.[0] ?? 'v1'}`, kind, metadata: {} }))
}

/** Resolves once it can be installed again: the API server takes the objects away first. */
export async function uninstallIstio(api: Client): Promise<void> {
  for (const definition of await readDefinitions()) {
    await remove(api, definition)
    const path = pathOf(definition)
    await until(`${path} is gone`, async () => (await api.ask('GET', path)).status === 404)
  }
}

export interface EndpointGiven {
  readonly address: string
  readonly locality?: string
}

export interface ServiceEntryGiven {
  readonly namespace: string
  readonly name: string
  readonly endpoints: readonly EndpointGiven[]
  readonly location?: 'MESH_EXTERNAL' | 'MESH_INTERNAL'
  readonly version?: string
}

export function createServiceEntry(api: Client, { namespace, name, version = 'v1', ...given }: ServiceEntryGiven): Promise<KubeObject> {
  const { endpoints, location = 'MESH_INTERNAL' } = given
  const ports = [{ number: 80, name: 'tcp', protocol: 'TCP' }]
  return create(api, {
    apiVersion: `${GROUP}/${version}`,
    kind: 'ServiceEntry',
    metadata: { namespace, name },
    spec: { hosts: [`${name}.example.com`], ports, location, resolution: 'STATIC', endpoints },
  })
}

export const createWorkloadEntry = (
  api: Client,
  { namespace, name, ...spec }: EndpointGiven & { readonly namespace: string; readonly name: string },
): Promise<KubeObject> => create(api, { apiVersion: `${GROUP}/v1`, kind: 'WorkloadEntry', metadata: { namespace, name }, spec })

async function readDefinitions(): Promise<readonly Definition[]> {
  return parseAllDocuments(await readFile(DEFINITIONS, 'utf8')).map((document) => document.toJS() as Definition)
}

const untilServed = (api: Client, path: string): Promise<void> =>
  until(`${path} is served`, async () => (await api.ask('GET', path)).status === 200)

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries === 200) throw new Error(`not so: ${what}`)
    await sleep(50)
  }
}
