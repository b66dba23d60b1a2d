// What the proxies of an owner cost, and what fails at them.
import { BytesIEC, BytesPerSecondSI, CountsPerSecond, NoUnit, PercentUnit, Seconds } from '@grafana/grafana-foundation-sdk/units'
import type { Row } from './dashboard.js'
import { CLUSTER, min, OWNER, rate, sum, top } from './promql.js'

const owners = (family: string): string => `${family}{${OWNER}}`
const SERVICE = 'dst_service_namespace, dst_service_name'

export const PROXIES: readonly Row[] = [
  {
    title: 'What its proxies cost',
    panels: [
      {
        kind: 'series',
        title: 'CPU of its proxies',
        description: 'Cores that its istio-proxy containers reserve, and what they use of them.',
        unit: NoUnit,
        width: 8,
        runbook: 'ProxyOverReserved',
        queries: {
          used: sum('', rate('meshtoll_proxy_cpu_seconds_total', OWNER)),
          reserved: sum('', owners('meshtoll_proxy_cpu_request_cores')),
        },
      },
      {
        kind: 'series',
        title: 'Memory of its proxies',
        description: 'Memory that its istio-proxy containers reserve, and what they use of it.',
        unit: BytesIEC,
        width: 8,
        queries: {
          used: sum('', owners('meshtoll_proxy_memory_working_set_bytes')),
          reserved: sum('', owners('meshtoll_proxy_memory_request_bytes')),
        },
      },
      {
        kind: 'series',
        title: 'Used of what is reserved',
        description: 'The ten owners that use least of the CPU that their proxies reserve.',
        unit: PercentUnit,
        width: 8,
        runbook: 'ProxyOverReserved',
        queries: {
          '{{owner_namespace}}/{{owner_name}}': `bottomk(10, owner:meshtoll_proxy_cpu_request:ratio_rate{${CLUSTER},owner_namespace=~"$namespace",owner_name=~"$owner"})`,
        },
      },
      {
        kind: 'series',
        title: 'Configuration that its proxies get',
        description: 'Bytes that istiod sends to them. A Sidecar resource that names what they call makes it a fraction.',
        unit: BytesPerSecondSI,
        width: 8,
        queries: { '{{owner_zone}}': sum('owner_zone', rate('meshtoll_proxy_xds_receive_bytes_total', OWNER)) },
        isStacked: true,
      },
      {
        kind: 'series',
        title: 'Clusters in each proxy',
        description: 'What a proxy of it knows of, on average. Far more than it calls is what a Sidecar resource takes away.',
        unit: NoUnit,
        width: 8,
        queries: {
          '{{owner_namespace}}/{{owner_name}}': top(
            `${sum('owner_namespace, owner_name', owners('meshtoll_proxy_clusters'))} / (${sum('owner_namespace, owner_name', owners('meshtoll_proxies'))} > 0)`,
          ),
        },
      },
      {
        kind: 'series',
        title: 'Since its proxies took configuration',
        description: 'Of the one that is furthest behind. Old is right where nothing changes.',
        unit: Seconds,
        width: 8,
        queries: {
          '{{owner_namespace}}/{{owner_name}}': top(
            `time() - ${min('owner_namespace, owner_name', owners('meshtoll_proxy_config_update_timestamp_seconds'))}`,
          ),
        },
      },
    ],
  },
  {
    title: 'Failures',
    panels: [
      {
        kind: 'series',
        title: 'Requests that failed',
        description: 'As its own proxies saw it, by the Service they called: status 5xx, or no connection (UC, UF, UH, URX).',
        unit: CountsPerSecond,
        width: 12,
        queries: {
          '{{dst_service_namespace}}/{{dst_service_name}} {{response_code}} {{response_flags}}': top(
            sum(`${SERVICE}, response_code, response_flags`, rate('meshtoll_proxy_failed_requests_total', OWNER)),
          ),
        },
      },
      {
        kind: 'series',
        title: 'Requests that failed at a pod',
        description: 'By the owner of the address that was called, and whether its pod had ended, from access logs.',
        unit: CountsPerSecond,
        width: 12,
        queries: {
          '{{dst_namespace}}/{{dst_owner_name}} {{response_flags}} ended: {{ended}}': top(
            sum('dst_namespace, dst_owner_name, response_flags, ended', rate('meshtoll_proxy_failed_upstream_requests_total', OWNER)),
          ),
        },
      },
      {
        kind: 'series',
        title: 'Configuration that its proxies rejected',
        description: 'They go on with what they had before.',
        unit: CountsPerSecond,
        width: 8,
        runbook: 'ConfigRejected',
        queries: { '{{xds}}': sum('xds', rate('meshtoll_proxy_config_rejected_total', OWNER)) },
      },
      {
        kind: 'series',
        title: 'Connections to istiod',
        description: 'That its pilot-agents could not make, and that ended. istiod ends each after half an hour.',
        unit: CountsPerSecond,
        width: 8,
        runbook: 'ProxiesDisconnected',
        queries: {
          failed: sum('', rate('meshtoll_proxy_istiod_connection_failures_total', OWNER)),
          ended: sum('', rate('meshtoll_proxy_istiod_connection_terminations_total', OWNER)),
        },
      },
      {
        kind: 'series',
        title: 'Its proxies',
        description: 'How many there are, and of these how many did not answer the agent, and list hosts whose pods have ended.',
        unit: NoUnit,
        width: 8,
        queries: {
          all: sum('', owners('meshtoll_proxies')),
          'without an answer': sum('', owners('meshtoll_proxies_unreachable')),
          lagging: sum('', owners('meshtoll_proxies_lagging')),
        },
      },
    ],
  },
]
