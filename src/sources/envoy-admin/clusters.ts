// What the admin interface of an Envoy says at /clusters?format=json (api/envoy/admin/v3/clusters.proto), of which this is read:
//   {"cluster_statuses":[{"name":"outbound|80||cart.shop.svc.cluster.local","host_statuses":[
//     {"address":{"socket_address":{"address":"10.1.2.3","port_value":80}},"health_status":{"eds_health_status":"HEALTHY"}}]}]}
// In ambient the address is that of a tunnel: {"envoy_internal_address":{"server_listener_name":"connect_originate","endpoint_id":"10.1.2.3:80"}}
import { createJsonWalk, type JsonWalk } from '../../formats/json-walk.js'

/** Each host of each cluster that istiod told of. */
export type TakeHost = (address: string, cluster: string) => void

/** As the path of a value has them, `''` for an element. */
const CLUSTER = ['cluster_statuses', '']
const HOST = [...CLUSTER, 'host_statuses', '']
const NAME = [...CLUSTER, 'name']
const SOCKET = [...HOST, 'address', 'socket_address', 'address']
const TUNNEL = [...HOST, 'address', 'envoy_internal_address', 'endpoint_id']
/** It is to go, and stays while a health check still finds it. */
const REMOVED = [...HOST, 'health_status', 'pending_dynamic_removal']
const WANTED = [NAME, SOCKET, TUNNEL, REMOVED]
/** All that lead there; the longest is that of a host. */
const ENTERED = [
  [],
  CLUSTER.slice(0, 1),
  CLUSTER,
  HOST.slice(0, -1),
  HOST,
  SOCKET.slice(0, -2),
  SOCKET.slice(0, -1),
  TUNNEL.slice(0, -1),
  REMOVED.slice(0, -1),
]

/** What an application calls past the mesh is a host of Envoy as well, in clusters such as PassthroughCluster. */
const OF_ISTIOD = /^outbound[|_]/

export function createClusterHosts(takeHost: TakeHost): JsonWalk {
  let cluster = ''
  let isOfIstiod = false
  let address = ''
  let isRemoved = false
  let hasClusters = false

  const walk = createJsonWalk({
    enters: (path) => ENTERED.some((entered) => isSame(path, entered)),
    wants: (path) => WANTED.some((wanted) => isSame(path, wanted)),
    take(path, text) {
      if (path.length === NAME.length) {
        cluster = text
        isOfIstiod = OF_ISTIOD.test(text)
      } else if (isSame(path, REMOVED)) isRemoved = text === 'true'
      else address = isSame(path, SOCKET) ? text : withoutPort(text)
    },
    leave(path) {
      if (path.length === 1) hasClusters ||= path[0] === CLUSTER[0]
      if (!isSame(path, HOST)) return
      if (address !== '' && isOfIstiod && !isRemoved) takeHost(address, cluster)
      address = ''
      isRemoved = false
    },
  })
  return {
    write: walk.write,
    end() {
      walk.end()
      if (!hasClusters) throw new Error('it says nothing of clusters')
    },
  }
}

function isSame(path: readonly string[], wanted: readonly string[]): boolean {
  if (path.length !== wanted.length) return false
  // The last differs most.
  for (let at = path.length - 1; at >= 0; at--) if (path[at] !== wanted[at]) return false
  return true
}

const withoutPort = (text: string): string => text.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
