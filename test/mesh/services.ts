// What users and controllers do to a Service of the mesh, as istiod hears of it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, KubeObject } from '../cluster/client.js'
import { createEndpointSlice, type EndpointGiven, setEndpoints } from '../cluster/objects.js'
import { change, create } from '../cluster/resource.js'

export interface MeshService {
  readonly object: KubeObject
  readonly slice: KubeObject
  readonly endpoint: EndpointGiven
}

/** As fast as istiod makes a push of each: it waits for 100 ms of quiet (PILOT_DEBOUNCE_AFTER). */
const EVERY_MS = 300

export interface MeshServiceGiven {
  readonly namespace: string
  readonly name: string
  readonly endpoint: EndpointGiven
}

/** Of TCP: what an Envoy without Istio's filters takes. */
export async function createMeshService(api: Client, { namespace, name, endpoint }: MeshServiceGiven): Promise<MeshService> {
  const object = await create(api, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { selector: { app: name }, ports: [{ port: 80, appProtocol: 'tcp' }] },
  })
  return { object, slice: await createEndpointSlice(api, { namespace, service: name, endpoints: [endpoint] }), endpoint }
}

/** Its pod is unready and ready in turn; an even number of times leaves it ready. */
export async function flipEndpoints(api: Client, { slice, endpoint }: MeshService, times: number, everyMs = EVERY_MS): Promise<void> {
  for (let time = 1; time <= times; time++) {
    await setEndpoints(api, slice, [{ ...endpoint, conditions: { ready: time % 2 === 0 } }])
    await sleep(everyMs)
  }
}

/** A label of the Service, as a release does that writes its version there. */
export async function changeLabels(api: Client, { object }: MeshService, times: number, everyMs = EVERY_MS): Promise<void> {
  for (let time = 1; time <= times; time++) {
    await change(api, object, { metadata: { labels: { version: `v${time}` } } })
    await sleep(everyMs)
  }
}

/** `.`: only proxies of its own namespace are told of it. */
export const setExportTo = (api: Client, { object }: MeshService, namespaces: string): Promise<KubeObject> =>
  change(api, object, { metadata: { annotations: { 'networking.istio.io/exportTo': namespaces } } })

export const setProtocol = (api: Client, { object }: MeshService, appProtocol: 'tcp' | 'http'): Promise<KubeObject> =>
  change(api, object, { spec: { ports: [{ port: 80, appProtocol }] } })
