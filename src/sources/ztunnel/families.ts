import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

export const ztunnels = gauge('meshtoll_ztunnels', 'Ztunnels of Istio ambient on this node.')
export const unreachable = gauge('meshtoll_ztunnels_unreachable', 'Ztunnels that did not answer when they were asked last.')
export const bytes = {
  name: 'meshtoll_ztunnel_bytes_total',
  kind: 'counter',
  labels: ['src_zone', 'dst_zone'],
  limit: 1_000,
  help: 'Payload of connections that pods of this node opened through ztunnel, both directions, as it counts them itself: a cross-check.',
} as const satisfies Family
export const xdsReceive = counter(
  'meshtoll_ztunnel_xds_receive_bytes_total',
  'Bytes of resources that ztunnels received from istiod, before TLS.',
  ['xds'],
)
export const connectionFailures = counter(
  'meshtoll_ztunnel_istiod_connection_failures_total',
  'Connections to istiod that ztunnels could not make.',
)
export const connectionTerminations = counter(
  'meshtoll_ztunnel_istiod_connection_terminations_total',
  'Connections between ztunnels and istiod that ended.',
)

export const families: readonly Family[] = [ztunnels, unreachable, bytes, xdsReceive, connectionFailures, connectionTerminations]

function counter(name: string, help: string, labels: readonly string[] = []): Family {
  return { name, kind: 'counter', labels: [...OWNER_LABELS, ...labels], help }
}

function gauge(name: string, help: string): Family {
  return { name, kind: 'gauge', labels: OWNER_LABELS, help }
}
