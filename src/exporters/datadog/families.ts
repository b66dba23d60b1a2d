// What the push to Datadog says about itself, here and there.
import type { Family } from '../../model.js'

export const DATADOG = {
  accepted: family('accepted_points_total', 'Points that Datadog accepted.', 'counter'),
  refused: family('refused_points_total', 'Points that Datadog refused for good, and that are dropped.', 'counter'),
  uncertain: family(
    'uncertain_points_total',
    'Points given up after an hour, of which nobody can say whether Datadog has them.',
    'counter',
  ),
  refusedBytes: {
    name: 'meshtoll_datadog_refused_bytes_total',
    kind: 'counter',
    labels: ['metric'],
    help: 'Bytes in refused points, by the name of the metric in Datadog that lacks them.',
  },
  uncertainBytes: {
    name: 'meshtoll_datadog_uncertain_bytes_total',
    kind: 'counter',
    labels: ['metric'],
    help: 'Bytes in uncertain points, by the name of the metric in Datadog that may lack them.',
  },
  behind: family('behind_seconds', 'Age of the oldest bytes that wait to be accepted by Datadog.'),
  waiting: family('waiting_windows', 'Windows that wait to be sent to Datadog, the one under way among them.'),
  series: family('series', 'Series sent to Datadog in the last window.'),
  limit: family('series_limit', 'Series that may be sent to Datadog before owners are folded into _other.'),
  folded: family('folded_series', 'Series whose owners were folded into _other in the last window.'),
} as const satisfies Readonly<Record<string, Family>>

export const families: readonly Family[] = Object.values(DATADOG)

function family(rest: string, help: string, kind: Family['kind'] = 'gauge'): Family {
  return { name: `meshtoll_datadog_${rest}`, kind, labels: [], help }
}
