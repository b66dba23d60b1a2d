import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

/** What names a Service whose endpoints changed. */
export const SERVICE_LABELS = ['config_namespace', 'config_name'] as const
/** What names a cause. */
export const CAUSE_LABELS = ['config_kind', ...SERVICE_LABELS] as const
/** What names those that were sent to. */
export const PROXY_LABELS = ['proxy_namespace'] as const

export const pushCauses: Family = {
  name: 'meshtoll_pilot_push_causes_total',
  kind: 'counter',
  labels: [...CAUSE_LABELS, 'push'],
  help: 'Pushes of istiod by one of the resources that caused them, as its log names it; a Service is a ServiceEntry, or Endpoints, by its host name.',
}
export const endpointChanges: Family = {
  name: 'meshtoll_pilot_endpoint_changes_total',
  kind: 'counter',
  labels: [...SERVICE_LABELS, 'reason', 'push'],
  help: 'Changes of the endpoints of a Service that its log tells of: it has none left, was not known yet, or has other service accounts, and the push that each asked for.',
}
export const sentBytes: Family = {
  name: 'meshtoll_pilot_xds_sent_bytes_total',
  kind: 'counter',
  labels: ['xds', ...PROXY_LABELS],
  help: 'Bytes of configuration by the namespace of the proxy, as istiod rounds them in its log (one decimal of kB, MB or GB) and without pushes of nothing but endpoints; meshtoll_proxy_xds_receive_bytes_total is exact.',
}
export const pushEvents = counter(
  'meshtoll_pilot_push_events_total',
  'Events that istiod merged into pushes, as it counts them in its log.',
)
export const logLines = counter('meshtoll_pilot_log_lines_total', "Lines of istiod's log that were read.")
export const sampledOut = counter(
  'meshtoll_pilot_log_sampled_out_total',
  "Lines of istiod's log that tell of pushes, endpoints or what was sent, and were only counted, because there were too many.",
)

export const families: readonly Family[] = [pushCauses, endpointChanges, sentBytes, pushEvents, logLines, sampledOut]

function counter(name: string, help: string): Family {
  return { name, kind: 'counter', labels: OWNER_LABELS, help }
}
