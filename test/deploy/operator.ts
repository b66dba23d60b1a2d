// The Prometheus Operator's own definitions in an API server. No operator acts on what is made of them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '../cluster/client.js'
import { collectionOf, create, type NewObject } from '../cluster/resource.js'
import { eventually } from '../lab/world.js'
import { objectsOf } from './helm.js'

const DEFINITIONS = join(import.meta.dirname, '../fixtures/kubernetes/prometheus-operator-crds.yaml')

/** Resolves once objects can be made. */
export async function installOperator(api: Client): Promise<void> {
  for (const definition of objectsOf(await readFile(DEFINITIONS, 'utf8'))) await create(api, definition)
  for (const kind of ['PodMonitor', 'PrometheusRule']) {
    const path = collectionOf({ apiVersion: 'monitoring.coreos.com/v1', kind, metadata: {} })
    await eventually(path, async () => ((await api.ask('GET', path)).status === 200 ? true : undefined))
  }
}

/** As kubectl apply --dry-run=server, and a field that nobody knows is refused. */
export const dryRun = (api: Client, object: NewObject) =>
  api.send('POST', `${collectionOf(object)}?dryRun=All&fieldValidation=Strict`, object)
