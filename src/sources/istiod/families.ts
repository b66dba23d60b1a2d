import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

export const pushes = counter(
  'meshtoll_pilot_xds_pushes_total',
  'Responses that istiod made for proxies, answers to their requests among them.',
)
export const sendErrors: Family = {
  ...counter('meshtoll_pilot_xds_send_errors_total', 'Responses that istiod could not send.'),
  zeroFirst: true,
}
export const rejects: Family = {
  ...counter('meshtoll_pilot_xds_rejects_total', 'Responses that proxies rejected, as istiod heard it.'),
  zeroFirst: true,
}
export const configBytes = counter(
  'meshtoll_pilot_xds_config_bytes_total',
  'Bytes of configuration that istiod made for proxies, before TLS.',
)
export const convergence = histogram(
  'meshtoll_pilot_proxy_convergence_seconds',
  'From the beginning of a push, after debounce, until all of it was sent to one proxy; istiod has no bucket beyond 30 s.',
)
export const queue = histogram('meshtoll_pilot_proxy_queue_seconds', 'How long a proxy waited to be pushed to.')
export const debounce = histogram(
  'meshtoll_pilot_debounce_seconds',
  'From the first event of a push until it was handed to the queues of all proxies, the push context included.',
)
export const pushContext = histogram(
  'meshtoll_pilot_push_context_seconds',
  'How long istiod took to build its view of the whole mesh for a push.',
)
export const proxies: Family = {
  name: 'meshtoll_pilot_proxies',
  kind: 'gauge',
  labels: [...OWNER_LABELS, 'version'],
  help: 'Proxies connected to istiod, by their release.',
}

export const families: readonly Family[] = [pushes, sendErrors, rejects, configBytes, convergence, queue, debounce, pushContext, proxies]

function counter(name: string, help: string): Family {
  return { name, kind: 'counter', labels: [...OWNER_LABELS, 'xds'], help }
}

function histogram(name: string, help: string): Family {
  return { name, kind: 'histogram', labels: OWNER_LABELS, help }
}
