import type { Family } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

/** What names a cause. */
export const CAUSE_LABELS = ['config_kind', 'config_namespace', 'config_name'] as const

export const pushCauses: Family = {
  name: 'meshtoll_pilot_push_causes_total',
  kind: 'counter',
  labels: [...CAUSE_LABELS, 'push'],
  help: 'Pushes of istiod by one of the resources that caused them, as its log names it; a Service is a ServiceEntry, or Endpoints, by its host name.',
}
export const pushEvents = counter(
  'meshtoll_pilot_push_events_total',
  'Events that istiod merged into pushes, as it counts them in its log.',
)
export const logLines = counter('meshtoll_pilot_log_lines_total', "Lines of istiod's log that were read.")
export const sampledOut = counter(
  'meshtoll_pilot_log_sampled_out_total',
  "Lines of istiod's log that tell of pushes and were only counted, because there were too many.",
)

export const families: readonly Family[] = [pushCauses, pushEvents, logLines, sampledOut]

function counter(name: string, help: string): Family {
  return { name, kind: 'counter', labels: OWNER_LABELS, help }
}
