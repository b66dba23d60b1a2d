// Pods that have ended and are still called: by whom, for how long, and what fails of it.
import { BytesPerSecondSI, BytesSI, CountsPerSecond, NoUnit, Seconds } from '@grafana/grafana-foundation-sdk/units'
import type { DashboardSpec } from './dashboard.js'
import { CLUSTER, max, OWNER, orZero, rate, SRC, sum, thresholdOf, top } from './promql.js'

const ENDED = 'dst_namespace, dst_owner_name'
/** Any of them, alone or in a list such as UF,URX. */
const NO_CONNECTION = '(.+,)?(UC|UF|UH|URX)(,.+)?'
const PAIR = `src_zone, src_namespace, src_owner_name, ${ENDED}`

export const phantom: DashboardSpec = {
  name: 'phantom',
  title: 'meshtoll / Phantom traffic',
  description: 'Pods that have ended and are still called: by whom, for how long, and what fails of it. Variables choose who calls.',
  variables: ['zone', 'namespace', 'owner'],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Longest',
          description: 'How long after its end bytes still came to a pod, of those that ended within the last hour.',
          unit: Seconds,
          width: 6,
          runbook: 'PhantomTraffic',
          expr: orZero(max('', `meshtoll_phantom_window_seconds{${SRC}}`)),
          above: thresholdOf('PhantomTraffic', 'seconds'),
        },
        {
          kind: 'stat',
          title: 'Bytes',
          description: 'To pods that had ended, of those who sent any within the last hour.',
          unit: BytesSI,
          width: 6,
          runbook: 'PhantomTraffic',
          expr: orZero(sum('', `meshtoll_phantom_bytes_total{${SRC}}`)),
        },
        {
          kind: 'stat',
          title: 'Proxies that lag',
          description: 'That list hosts whose pods have ended. Takes envoy.admin.',
          unit: NoUnit,
          width: 6,
          expr: sum('', `meshtoll_proxies_lagging{${OWNER}}`),
          above: 1,
        },
        {
          kind: 'stat',
          title: 'Requests that failed at a pod that had ended',
          description: 'As the access logs of proxies tell. Takes envoy.accessLog.',
          unit: CountsPerSecond,
          width: 6,
          expr: sum('', rate('meshtoll_proxy_failed_upstream_requests_total', `${OWNER},ended="yes"`)),
        },
      ],
    },
    {
      title: 'Bytes to pods that have ended',
      panels: [
        {
          kind: 'table',
          title: 'Who calls whom',
          description: 'The 20 pairs for which it lasted longest, with all bytes since their series began.',
          unit: Seconds,
          width: 24,
          runbook: 'PhantomTraffic',
          labels: PAIR.split(', '),
          columns: [
            { title: 'longest', expr: top(max(PAIR, `meshtoll_phantom_window_seconds{${SRC}}`), 20) },
            {
              title: 'bytes',
              expr: `${sum(PAIR, `meshtoll_phantom_bytes_total{${SRC}}`)} and ${top(max(PAIR, `meshtoll_phantom_window_seconds{${SRC}}`), 20)}`,
              unit: BytesSI,
            },
          ],
        },
        {
          kind: 'series',
          title: 'For how long, by who ended',
          description: 'The longest of the pods that ended within the last hour: a lower bound, short by one flows.interval at most.',
          unit: Seconds,
          width: 12,
          runbook: 'PhantomTraffic',
          queries: { '{{dst_namespace}}/{{dst_owner_name}}': top(max(ENDED, `meshtoll_phantom_window_seconds{${SRC}}`)) },
        },
        {
          kind: 'series',
          title: 'Bytes, by who ended',
          description: 'What a series begins with is not in a rate: the table has it.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{dst_namespace}}/{{dst_owner_name}}': top(sum(ENDED, rate('meshtoll_phantom_bytes_total', SRC))) },
        },
      ],
    },
    {
      title: 'Proxies that have not heard of it',
      panels: [
        {
          kind: 'series',
          title: 'Hosts that proxies list although their pods have ended',
          description: 'By the owner of the pods. Takes envoy.admin.',
          unit: NoUnit,
          width: 8,
          runbook: 'StaleHosts',
          queries: { '{{dst_namespace}}/{{dst_owner_name}}': top(sum(ENDED, `meshtoll_proxy_stale_hosts{${OWNER}}`)) },
        },
        {
          kind: 'series',
          title: 'Proxies that list any',
          description: 'By their owner. Takes envoy.admin.',
          unit: NoUnit,
          width: 8,
          queries: {
            '{{owner_namespace}}/{{owner_name}}': top(sum('owner_namespace, owner_name', `meshtoll_proxies_lagging{${OWNER}}`)),
          },
        },
        {
          kind: 'series',
          title: 'From an event to the proxy',
          description:
            'How long istiod takes to tell proxies, for half of them and for all but one in a hundred. Phantoms last at least as long.',
          unit: Seconds,
          width: 8,
          runbook: 'ConvergenceSlow',
          queries: { '{{quantile}}': max('quantile', `cluster:meshtoll_pilot_convergence_seconds:quantile{${CLUSTER}}`) },
        },
      ],
    },
    {
      title: 'What fails',
      panels: [
        {
          kind: 'series',
          title: 'Failed at a pod, by whether it had ended',
          description: 'Requests and connections that failed at the address that was called. Takes envoy.accessLog.',
          unit: CountsPerSecond,
          width: 8,
          queries: {
            'ended: {{ended}} {{response_flags}}': sum(
              'ended, response_flags',
              rate('meshtoll_proxy_failed_upstream_requests_total', OWNER),
            ),
          },
        },
        {
          kind: 'series',
          title: 'Failed for want of a connection',
          description: 'By the Service that was called (UC, UF, UH, URX), as Envoy counts it.',
          unit: CountsPerSecond,
          width: 8,
          queries: {
            '{{dst_service_namespace}}/{{dst_service_name}} {{response_flags}}': top(
              sum(
                'dst_service_namespace, dst_service_name, response_flags',
                rate('meshtoll_proxy_failed_requests_total', `${OWNER},response_flags=~"${NO_CONNECTION}"`),
              ),
            ),
          },
        },
        {
          kind: 'series',
          title: 'Lines of access logs',
          description: 'That were read, and that tell of failures and were only counted, because there were too many.',
          unit: CountsPerSecond,
          width: 8,
          queries: {
            read: sum('', rate('meshtoll_proxy_log_lines_total', OWNER)),
            'only counted': sum('', rate('meshtoll_proxy_log_sampled_out_total', OWNER)),
          },
        },
      ],
    },
  ],
}
