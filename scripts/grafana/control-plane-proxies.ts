// What istiods send to proxies, and how proxies take it.
import { BytesPerSecondSI, CountsPerSecond, NoUnit, Seconds } from '@grafana/grafana-foundation-sdk/units'
import type { Row } from './dashboard.js'
import { CLUSTER, CROSSING, cells, ISTIOD, max, rate, sent, sum, top } from './promql.js'

const of = (family: string): string => `${family}{${CLUSTER}}`

export const PROXIES: readonly Row[] = [
  {
    title: 'Bytes of configuration',
    panels: [
      {
        kind: 'matrix',
        title: 'istiod, from zone to zone',
        description: 'Bytes on the network from the zones of istiods (rows) to those of who they send to (columns).',
        unit: BytesPerSecondSI,
        width: 12,
        runbook: 'ControlPlaneBytesHigh',
        expr: cells('src_zone', 'dst_zone', sent()),
        rows: 'src_zone',
        columns: 'dst_zone',
      },
      {
        kind: 'table',
        title: 'Who istiod sends most to',
        description: 'The 20 owners that get most from istiods across zones or regions.',
        unit: BytesPerSecondSI,
        width: 12,
        labels: ['src_zone', 'dst_zone', 'dst_namespace', 'dst_owner_name'],
        columns: [
          { title: 'bytes/s', expr: top(sum('src_zone, dst_zone, dst_namespace, dst_owner_name', sent(`${ISTIOD},${CROSSING}`)), 20) },
        ],
      },
      {
        kind: 'series',
        title: 'Made by istiods, by zone and kind',
        description: 'Bytes before TLS, in the zones of the istiods.',
        unit: BytesPerSecondSI,
        width: 8,
        queries: { '{{owner_zone}} {{xds}}': sum('owner_zone, xds', rate('meshtoll_pilot_xds_config_bytes_total')) },
        isStacked: true,
      },
      {
        kind: 'series',
        title: 'Received, by zone',
        description: 'Bytes without TLS, in the zones of the proxies, and of the ztunnels of ambient.',
        unit: BytesPerSecondSI,
        width: 8,
        queries: {
          'proxies {{owner_zone}}': sum('owner_zone', rate('meshtoll_proxy_xds_receive_bytes_total')),
          'ztunnels {{owner_zone}}': sum('owner_zone', rate('meshtoll_ztunnel_xds_receive_bytes_total')),
        },
        isStacked: true,
      },
      {
        kind: 'series',
        title: 'By namespace of the proxies',
        description: 'The ten that get most, as istiod rounds it in its log, without pushes of nothing but endpoints.',
        unit: BytesPerSecondSI,
        width: 8,
        queries: { '{{proxy_namespace}}': top(sum('proxy_namespace', rate('meshtoll_pilot_xds_sent_bytes_total'))) },
      },
    ],
  },
  {
    title: 'Proxies',
    panels: [
      {
        kind: 'series',
        title: 'Proxies connected, by istiod',
        description: 'By the node of the istiod, its zone and its name. Even, unless one of them is new.',
        unit: NoUnit,
        width: 8,
        queries: { '{{owner_zone}} {{owner_name}} {{instance}}': sum('owner_zone, owner_name, instance', of('meshtoll_pilot_proxies')) },
        isStacked: true,
      },
      {
        kind: 'matrix',
        title: 'Proxies connected, by zones',
        description: 'From the zones of proxies (rows) to those of their istiods (columns). Takes istiod.debug.',
        unit: NoUnit,
        width: 8,
        expr: cells('proxy_zone', 'owner_zone', of('meshtoll_pilot_connected_proxies')),
        rows: 'proxy_zone',
        columns: 'owner_zone',
      },
      {
        kind: 'series',
        title: 'Proxies connected, by release',
        description: 'Those of another release than istiod are left from an upgrade.',
        unit: NoUnit,
        width: 8,
        queries: { '{{version}}': sum('version', of('meshtoll_pilot_proxies')) },
        isStacked: true,
      },
      {
        kind: 'series',
        title: 'Rejected, and not sent',
        description: 'Responses that proxies rejected, as istiod heard it, and that it could not send.',
        unit: CountsPerSecond,
        width: 8,
        runbook: 'ConfigRejected',
        queries: {
          'rejected {{xds}}': sum('xds', rate('meshtoll_pilot_xds_rejects_total')),
          'not sent {{xds}}': sum('xds', rate('meshtoll_pilot_xds_send_errors_total')),
        },
      },
      {
        kind: 'series',
        title: 'Not acknowledged',
        description: 'Proxies that have not answered what they were sent last, or rejected it. Takes istiod.debug.',
        unit: NoUnit,
        width: 8,
        runbook: 'ConfigUnacknowledged',
        queries: { '{{status}} {{xds}}': sum('status, xds', of('meshtoll_pilot_unacknowledged_proxies')) },
      },
      {
        kind: 'series',
        title: 'Not acknowledged for',
        description: 'Of the proxy that is furthest behind. Takes istiod.debug.',
        unit: Seconds,
        width: 8,
        runbook: 'ConfigUnacknowledged',
        queries: { '{{status}} {{xds}}': max('status, xds', of('meshtoll_pilot_unacknowledged_seconds')) },
      },
      {
        kind: 'series',
        title: 'Connections to istiod that fail',
        description: 'The ten owners whose pilot-agents fail most often to connect, and ztunnels.',
        unit: CountsPerSecond,
        width: 12,
        runbook: 'ProxiesDisconnected',
        queries: {
          '{{owner_namespace}}/{{owner_name}}': top(
            sum('owner_namespace, owner_name', rate('meshtoll_proxy_istiod_connection_failures_total')),
          ),
          'ztunnel {{owner_zone}}': sum('owner_zone', rate('meshtoll_ztunnel_istiod_connection_failures_total')),
        },
      },
      {
        kind: 'series',
        title: 'Connections to istiod that end',
        description: 'By zone. istiod ends each after half an hour.',
        unit: CountsPerSecond,
        width: 12,
        runbook: 'ProxiesDisconnected',
        queries: {
          'proxies {{owner_zone}}': sum('owner_zone', rate('meshtoll_proxy_istiod_connection_terminations_total')),
          'ztunnels {{owner_zone}}': sum('owner_zone', rate('meshtoll_ztunnel_istiod_connection_terminations_total')),
        },
      },
    ],
  },
]
