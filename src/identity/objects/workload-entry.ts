// The few facts of a WorkloadEntry that are kept: a virtual machine, or another host, of the mesh (networking.istio.io, as of v1beta1).

import { fieldsOf, textOf } from '../../formats/raw.js'
import { type Endpoint, endpointOf } from './endpoint.js'
import { isObjectOf } from './raw.js'

export interface WorkloadEntryFacts {
  readonly namespace: string
  readonly name: string
  /** Undefined where it is reached by no address of its own. */
  readonly endpoint: Endpoint | undefined
}

/** Undefined where it is no WorkloadEntry as the API server writes it. */
export function workloadEntryFactsOf(raw: unknown): WorkloadEntryFacts | undefined {
  const object = fieldsOf(raw)
  const metadata = fieldsOf(object.metadata)
  const [namespace, name] = [metadata.namespace, metadata.name].map(textOf)
  if (!isObjectOf(object, 'networking.istio.io', 'WorkloadEntry') || !namespace || !name) return undefined
  return Object.freeze({ namespace, name, endpoint: endpointOf(fieldsOf(object.spec)) })
}
