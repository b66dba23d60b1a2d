// istiod: what it pushes, why, how long that takes, and what it sends across zones.
import { BytesPerSecondSI, CountsPerSecond, NoUnit, PercentUnit, Seconds } from '@grafana/grafana-foundation-sdk/units'
import { PROXIES } from './control-plane-proxies.js'
import type { DashboardSpec } from './dashboard.js'
import { buckets, CLUSTER, CROSSING, ISTIOD, max, orZero, rate, sent, share, sum, thresholdOf, top } from './promql.js'

const recorded = (name: string, selector = CLUSTER): string => `${name}{${selector}}`
const CAUSE = 'config_kind, config_namespace, config_name, push'
/** To all proxies: up to Istio 1.30, and from 1.31 on. */
const TO_ALL = `${CLUSTER},push=~"full|forced"`

export const controlPlane: DashboardSpec = {
  name: 'control-plane',
  title: 'meshtoll / Control plane',
  description: 'istiod: what it pushes, why, how long that takes, and what it sends across zones.',
  variables: [],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Pushes to all proxies',
          description: 'Of all istiods. Each has every proxy of the mesh hear of every change.',
          unit: CountsPerSecond,
          width: 4,
          runbook: 'PushStorm',
          expr: orZero(sum('', recorded('push:meshtoll_pilot_push_causes:rate', TO_ALL))),
        },
        {
          kind: 'stat',
          title: 'Convergence',
          description: 'From an event until one proxy in a hundred has still not heard of it; red where the alert fires. Ends at 60 s.',
          unit: Seconds,
          width: 4,
          runbook: 'ConvergenceSlow',
          expr: max('', recorded('cluster:meshtoll_pilot_convergence_seconds:quantile', `${CLUSTER},quantile="0.99"`)),
          above: thresholdOf('ConvergenceSlow', 'seconds'),
        },
        {
          kind: 'stat',
          title: 'Sent by istiods',
          description: 'Bytes on the network, in all zones.',
          unit: BytesPerSecondSI,
          width: 4,
          runbook: 'ControlPlaneBytesHigh',
          expr: sum('', recorded('pilot:meshtoll_flow_bytes:rate')),
        },
        {
          kind: 'stat',
          title: 'Of which cross zones',
          description: 'Share of what istiods send. Proxies dial any istiod, in whatever zone, unless its Service keeps them in theirs.',
          unit: PercentUnit,
          width: 4,
          expr: share(sum('', sent(`${ISTIOD},${CROSSING}`)), sum('', sent())),
        },
        {
          kind: 'stat',
          title: 'Configuration for each proxy',
          description: 'Bytes that istiods make for each proxy that is connected.',
          unit: BytesPerSecondSI,
          width: 4,
          expr: max('', recorded('cluster:meshtoll_pilot_xds_config_bytes_per_proxy:rate')),
        },
        {
          kind: 'stat',
          title: 'Rejected in ten minutes',
          description: 'Updates that proxies rejected, as istiods heard it. They go on with what they had before.',
          unit: NoUnit,
          width: 4,
          runbook: 'ConfigRejected',
          expr: sum('', `increase(meshtoll_pilot_xds_rejects_total{${CLUSTER}}[10m])`),
          above: 1,
        },
      ],
    },
    {
      title: 'Pushes and what causes them',
      panels: [
        {
          kind: 'series',
          title: 'Responses to proxies, by kind',
          description: 'Clusters, endpoints, listeners, routes and the rest.',
          unit: CountsPerSecond,
          width: 12,
          queries: { '{{xds}}': sum('xds', recorded('xds:meshtoll_pilot_xds_pushes:rate')) },
          isStacked: true,
        },
        {
          kind: 'series',
          title: 'Pushes, by how far they go',
          description: 'To all proxies with all kinds go full, and forced from Istio 1.31; events are what istiod merged into them.',
          unit: CountsPerSecond,
          width: 12,
          runbook: 'PushStorm',
          queries: {
            '{{push}}': sum('push', recorded('push:meshtoll_pilot_push_causes:rate')),
            events: sum('', rate('meshtoll_pilot_push_events_total')),
          },
        },
        {
          kind: 'table',
          title: 'What causes pushes',
          description: 'The 20 resources that istiod names most. A Service is a ServiceEntry, or Endpoints, by its host name.',
          unit: CountsPerSecond,
          width: 12,
          runbook: 'PushStorm',
          labels: CAUSE.split(', '),
          columns: [{ title: 'pushes/s', expr: top(sum(CAUSE, recorded('cause:meshtoll_pilot_push_causes:rate')), 20) }],
        },
        {
          kind: 'series',
          title: 'What causes pushes, over time',
          description: 'The ten resources that istiod names most.',
          unit: CountsPerSecond,
          width: 12,
          runbook: 'PushStorm',
          queries: {
            '{{config_kind}} {{config_namespace}}/{{config_name}}': top(
              sum('config_kind, config_namespace, config_name', recorded('cause:meshtoll_pilot_push_causes:rate')),
            ),
          },
        },
        {
          kind: 'series',
          title: 'Services whose endpoints cause pushes',
          description: 'That have none left, are new, or have other service accounts, as istiod says.',
          unit: CountsPerSecond,
          width: 12,
          runbook: 'EndpointFlapping',
          queries: {
            '{{config_namespace}}/{{config_name}} {{reason}}': top(
              sum('config_namespace, config_name, reason', rate('meshtoll_pilot_endpoint_changes_total')),
            ),
          },
        },
        {
          kind: 'series',
          title: 'Lines of the log that were only counted',
          description: 'Because there were too many: causes of those pushes are not known by name.',
          unit: CountsPerSecond,
          width: 12,
          queries: {
            read: sum('', rate('meshtoll_pilot_log_lines_total')),
            'only counted': sum('', rate('meshtoll_pilot_log_sampled_out_total')),
          },
        },
      ],
    },
    {
      title: 'How long it takes',
      panels: [
        {
          kind: 'heatmap',
          title: 'Debounce',
          description: 'From the first event of a push until it was handed to the queues of all proxies, the push context included.',
          unit: Seconds,
          width: 8,
          runbook: 'ConvergenceSlow',
          expr: buckets('meshtoll_pilot_debounce_seconds'),
        },
        {
          kind: 'heatmap',
          title: 'Queue',
          description: 'How long a proxy waited to be pushed to.',
          unit: Seconds,
          width: 8,
          runbook: 'ConvergenceSlow',
          expr: buckets('meshtoll_pilot_proxy_queue_seconds'),
        },
        {
          kind: 'heatmap',
          title: 'Convergence',
          description:
            'From the beginning of a push, after debounce, until all of it was sent to one proxy. There is no bucket beyond 30 s.',
          unit: Seconds,
          width: 8,
          runbook: 'ConvergenceSlow',
          expr: buckets('meshtoll_pilot_proxy_convergence_seconds'),
        },
        {
          kind: 'heatmap',
          title: 'Push context',
          description:
            "How long istiod took to build its view of the whole mesh for a push. It grows with the mesh, and takes istiod's CPU.",
          unit: Seconds,
          width: 8,
          expr: buckets('meshtoll_pilot_push_context_seconds'),
        },
        {
          kind: 'series',
          title: 'From an event to the proxy',
          description: 'Debounce and convergence, added: an upper bound. Half of the proxies, and all but one in a hundred.',
          unit: Seconds,
          width: 8,
          runbook: 'ConvergenceSlow',
          queries: {
            '{{quantile}}': max('quantile', recorded('cluster:meshtoll_pilot_convergence_seconds:quantile')),
            'of which queue {{quantile}}': max('quantile', recorded('cluster:meshtoll_pilot_proxy_queue_seconds:quantile')),
          },
        },
        {
          kind: 'series',
          title: 'Convergence, by the zone of istiod',
          description: 'All but one in a hundred.',
          unit: Seconds,
          width: 8,
          queries: {
            '{{owner_zone}}': `histogram_quantile(0.99, ${sum('owner_zone, le', rate('meshtoll_pilot_proxy_convergence_seconds_bucket'))})`,
          },
        },
      ],
    },
    ...PROXIES,
  ],
}
