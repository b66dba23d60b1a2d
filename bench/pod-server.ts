// An API server that has only pods, a program: lists them, all in one answer as from its cache, and opens watches that say nothing.
// Its first argument is how many; its first line says the port.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const STEP = 20
const ACCESS_TIME = '2026-01-01T00:00:00Z'
const FIELDS = Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`f:field${index}`, { '.': {}, 'f:one': {}, 'f:two': {} }]))
const managed = (manager: string) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: ACCESS_TIME,
  fieldsType: 'FieldsV1',
  fieldsV1: FIELDS,
})

const SPEC = {
  containers: [
    {
      name: 'main',
      image: 'registry.example.com/team/cart:1.2.3',
      env: Array.from({ length: 12 }, (_, index) => ({ name: `SETTING_${index}`, value: 'a value of some length' })),
      resources: { requests: { cpu: '100m', memory: '128Mi' } },
    },
  ],
  serviceAccountName: 'cart',
}
const CONDITIONS = Array.from({ length: 5 }, (_, index) => ({ type: `Condition${index}`, status: 'True', lastTransitionTime: ACCESS_TIME }))

/** About 4 KB, half of it managedFields, as pods are. */
function podOf(index: number): object {
  const podIP = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
  const tail = String(index).padStart(12, '0')
  return {
    metadata: {
      name: `cart-5d9f7c6b5d-${tail}`,
      namespace: `team-${index % 50}`,
      uid: `00000000-0000-4000-8000-${tail}`,
      resourceVersion: String(1000 + index),
      labels: { app: 'cart', 'pod-template-hash': '5d9f7c6b5d' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-5d9f7c6b5d', uid: `${index % 700}`, controller: true }],
      managedFields: [managed('kube-controller-manager'), managed('kubelet')],
    },
    spec: { ...SPEC, nodeName: `node-${index % 400}` },
    status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: CONDITIONS },
  }
}

async function writePods(response: ServerResponse, to: number): Promise<void> {
  for (let start = 0; start < to; start += STEP) {
    const pods = Array.from({ length: Math.min(STEP, to - start) }, (_, index) => JSON.stringify(podOf(start + index)))
    if (!response.write(`${start === 0 ? '' : ','}${pods.join()}`)) await once(response, 'drain')
  }
}

const count = Number(process.argv[2])
const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://server')
  response.writeHead(200, { 'content-type': 'application/json' })
  if (searchParams.has('watch')) return response.flushHeaders()
  // A selector for one node stands for few of them.
  const to = searchParams.has('fieldSelector') ? count / 100 : count
  response.write('{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"999999"},"items":[')
  await writePods(response, to)
  response.end(']}\n')
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
// It ends with whoever started it.
process.stdin.on('end', () => process.exit()).resume()
