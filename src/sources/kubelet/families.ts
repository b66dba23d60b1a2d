import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

export const ownerReceive = counter(
  'meshtoll_owner_network_receive_bytes_total',
  'Bytes received by the network interfaces of the pods; pods on the network of their node have none of their own.',
)
export const ownerTransmit = counter(
  'meshtoll_owner_network_transmit_bytes_total',
  'Bytes sent by the network interfaces of the pods; pods on the network of their node have none of their own.',
)
export const proxyCpu = counter('meshtoll_proxy_cpu_seconds_total', 'CPU time of the istio-proxy containers.')
export const proxyMemory = gauge('meshtoll_proxy_memory_working_set_bytes', 'Memory in use by the istio-proxy containers.')
export const proxyCpuRequest = gauge('meshtoll_proxy_cpu_request_cores', 'CPU that the istio-proxy containers reserve.')
export const proxyMemoryRequest = gauge('meshtoll_proxy_memory_request_bytes', 'Memory that the istio-proxy containers reserve.')

export const families: readonly Family[] = [ownerReceive, ownerTransmit, proxyCpu, proxyMemory, proxyCpuRequest, proxyMemoryRequest]

function counter(name: string, help: string): Family {
  return { name, kind: 'counter', labels: OWNER_LABELS, help }
}

function gauge(name: string, help: string): Family {
  return { name, kind: 'gauge', labels: OWNER_LABELS, help }
}
