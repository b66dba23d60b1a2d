import t from 'tap'
import { createKubeClient } from '../../src/kube/client.js'
import { pathOf, readMetadata } from '../../src/kube/metadata.js'
import { createFaultyServer } from './faulty-server.js'
import { createHandClock } from './hand-clock.js'

const never = new AbortController().signal
const REPLICA_SET = { group: 'apps', version: 'v1', resource: 'replicasets', namespace: 'shop', name: 'cart-5d9' }

t.test('the path of an object', async (t) => {
  const cases = [
    { object: REPLICA_SET, path: '/apis/apps/v1/namespaces/shop/replicasets/cart-5d9' },
    { object: { ...REPLICA_SET, group: '', resource: 'pods' }, path: '/api/v1/namespaces/shop/pods/cart-5d9' },
    { object: { ...REPLICA_SET, group: '', resource: 'nodes', namespace: '' }, path: '/api/v1/nodes/cart-5d9' },
    { object: { ...REPLICA_SET, name: '../a?b' }, path: '/apis/apps/v1/namespaces/shop/replicasets/..%2Fa%3Fb' },
  ]
  for (const { object, path } of cases) t.equal(pathOf(object), path)
})

t.test('the metadata of an object', async (t) => {
  const server = await createFaultyServer(t)
  const client = createKubeClient({ server: server.url }, { clock: createHandClock() })
  t.teardown(() => client.close())
  const metadata = { name: 'cart-5d9', namespace: 'shop', ownerReferences: [{ kind: 'Deployment', name: 'cart', controller: true }] }
  const read = readMetadata(client, REPLICA_SET, never)
  const asked = await server.next()
  t.equal(asked.path, '/apis/apps/v1/namespaces/shop/replicasets/cart-5d9')
  t.equal(asked.headers.accept, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json')
  asked.json({ kind: 'PartialObjectMetadata', metadata })
  t.strictSame(await read, metadata)

  const missing = readMetadata(client, REPLICA_SET, never)
  ;(await server.next()).refuse(404, { reason: 'NotFound' })
  t.equal(await missing, undefined, 'one that is gone')

  const forbidden = readMetadata(client, REPLICA_SET, never)
  ;(await server.next()).refuse(403, { reason: 'Forbidden' })
  await t.rejects(forbidden, { name: 'KubeError', status: 403 }, 'one that we may not see is not gone')
})
