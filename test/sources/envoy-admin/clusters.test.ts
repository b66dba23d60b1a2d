import t from 'tap'
import { createClusterHosts } from '../../../src/sources/envoy-admin/clusters.js'
import { clustersOf, host } from './answers.js'

function hostsIn(text: string, pieces = 1_000): string[] {
  const found: string[] = []
  const hosts = createClusterHosts((address, cluster) => void found.push(`${cluster} ${address}`))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieces) hosts.write(bytes.subarray(at, at + pieces))
  hosts.end()
  return found
}

t.test('hosts of what istiod told of', async (t) => {
  const text = clustersOf({
    'outbound|80||cart.shop.svc.cluster.local': [host('10.1.2.3'), host('10.1.2.4'), host('fd00::1')],
    'outbound_.80_.v1_.stock.shop.svc.cluster.local': [host('10.1.2.5')],
    // The application called it, by its address.
    PassthroughCluster: [host('10.1.2.6')],
    'inbound|80||': [host('127.0.0.6')],
    'outbound|81||empty.shop.svc.cluster.local': [],
  })
  for (const pieces of [1, 7, 100_000])
    t.same(hostsIn(text, pieces), [
      'outbound|80||cart.shop.svc.cluster.local 10.1.2.3',
      'outbound|80||cart.shop.svc.cluster.local 10.1.2.4',
      'outbound|80||cart.shop.svc.cluster.local fd00::1',
      'outbound_.80_.v1_.stock.shop.svc.cluster.local 10.1.2.5',
    ])
})

t.test('hosts that are not addresses of pods, or go', async (t) => {
  const tunnel = (endpointId: string) => ({
    address: { envoy_internal_address: { server_listener_name: 'connect_originate', endpoint_id: endpointId } },
  })
  const text = clustersOf({
    'outbound|80||cart': [
      { address: { pipe: { path: '/tmp/x' } } },
      tunnel('10.1.2.3:80'),
      tunnel('[fd00::1]:80'),
      { ...host('10.1.2.4'), health_status: { eds_health_status: 'HEALTHY', pending_dynamic_removal: true } },
      { ...host('10.1.2.5'), health_status: { pending_dynamic_removal: false } },
      {},
      host('10.1.2.6'),
    ],
  })
  t.same(
    hostsIn(text).map((found) => found.split(' ')[1]),
    ['10.1.2.3', 'fd00::1', '10.1.2.5', '10.1.2.6'],
  )
})

t.test('what is no answer of an Envoy', async (t) => {
  t.same(hostsIn('{"cluster_statuses":[]}'), [], 'one without clusters')
  t.throws(() => hostsIn('{"stats":[]}'), { message: 'it says nothing of clusters' })
  t.throws(() => hostsIn('{}'), { message: 'it says nothing of clusters' })
  t.throws(() => hostsIn('{"cluster_statuses":[{"name":'), { message: 'it ends in the middle' })
  t.throws(() => hostsIn('not an admin port'), { message: 'it is no JSON' })
})
