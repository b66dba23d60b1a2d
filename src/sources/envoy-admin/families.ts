import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

export const lagging: Family = {
  name: 'meshtoll_proxies_lagging',
  kind: 'gauge',
  labels: OWNER_LABELS,
  help: 'Istio proxies that list hosts whose pods have ended, of those that answer at the admin port.',
}

export const staleHosts: Family = {
  name: 'meshtoll_proxy_stale_hosts',
  kind: 'gauge',
  labels: [...OWNER_LABELS, 'dst_namespace', 'dst_owner_kind', 'dst_owner_name'],
  help: 'Addresses that the proxies list as hosts though their pods have ended, and nobody has them: each once a proxy, by the owners of both.',
}

export const families: readonly Family[] = [lagging, staleHosts]
