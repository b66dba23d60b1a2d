import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

export const connected: Family = {
  name: 'meshtoll_pilot_connected_proxies',
  kind: 'gauge',
  labels: [...OWNER_LABELS, 'proxy_type', 'proxy_zone'],
  help: 'Proxies connected to istiod, by the zone of the node that they run on.',
}

export const unacknowledged: Family = {
  name: 'meshtoll_pilot_unacknowledged_proxies',
  kind: 'gauge',
  labels: [...OWNER_LABELS, 'xds', 'status'],
  help: 'Proxies that have not acknowledged what istiod sent them last: stale, they did not answer; error, they rejected it.',
}

export const unacknowledgedSeconds: Family = {
  name: 'meshtoll_pilot_unacknowledged_seconds',
  kind: 'gauge',
  labels: [...OWNER_LABELS, 'xds', 'status'],
  ofOwner: 'maximum',
  help: 'For how long the proxy that is furthest behind has not acknowledged anything, 0 where none is.',
}

export const families: readonly Family[] = [connected, unacknowledged, unacknowledgedSeconds]
