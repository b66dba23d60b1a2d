// The few facts of a WorkloadEntry that are kept: a virtual machine, or another host, of the mesh (networking.istio.io, as of v1beta1).
import { type Endpoint, endpointOf } from './endpoint.js'
import { objectOf } from './raw.js'

export interface WorkloadEntryFacts {
  readonly namespace: string
  readonly name: string
  /** Undefined where it is reached by no address of its own. */
  readonly endpoint: Endpoint | undefined
}

/** Undefined where it is no WorkloadEntry as the API server writes it. */
export function workloadEntryFactsOf(raw: unknown): WorkloadEntryFacts | undefined {
  const object = objectOf(raw, 'WorkloadEntry', 'networking.istio.io')
  if (!object?.namespace) return undefined
  const { spec, namespace, name } = object
  return Object.freeze({ namespace, name, endpoint: endpointOf(spec) })
}
