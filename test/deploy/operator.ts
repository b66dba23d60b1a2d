// The Prometheus Operator's own definitions in an API server. No operator acts on what is made of them.
import { readFile } from 'node:fs/promises'
import type { Client } from '../cluster/client.js'
import { collectionOf, create, type NewObject } from '../cluster/resource.js'
import { eventually } from '../lab/world.js'
import { programOf } from '../peers/needed.js'
import { objectsOf } from './helm.js'

const KINDS = ['PodMonitor', 'PrometheusRule'] as const

/** Resolves once objects can be made. */
export async function installOperator(api: Client): Promise<void> {
  for (const kind of KINDS) {
    const file = programOf('prometheus-operator', `${kind.toLowerCase()}s.yaml`)
    const definitions: readonly NewObject[] = objectsOf(await readFile(file, 'utf8'))
    for (const definition of definitions) await create(api, definition)
    const path = collectionOf({ apiVersion: 'monitoring.coreos.com/v1', kind, metadata: {} })
    await eventually(`${kind} is served`, async () => ((await api.ask('GET', path)).status === 200 ? true : undefined))
  }
}
