// One owner, or those of a namespace: what it sends and gets, where, and what its proxies cost.
import { BytesPerSecondSI, CountsPerSecond, Dollars, PercentUnit } from '@grafana/grafana-foundation-sdk/units'
import type { DashboardSpec } from './dashboard.js'
import { PROXIES } from './owner-proxies.js'
import { CLUSTER, CROSSING, cells, DST, OWNER, rate, SRC, share, sum, top, ZONED } from './promql.js'

const flows = (selector: string): string => `owner_pair:meshtoll_flow_bytes:rate{${selector}}`
const dollars = (selector: string): string => `owner_pair:meshtoll_transfer_dollars_per_month:rate{${selector}}`
const TO = 'dst_zone, dst_namespace, dst_owner_name'
const FROM = 'src_zone, src_namespace, src_owner_name'
const SERVICES = `${CLUSTER},service_namespace=~"$namespace"`

export const owner: DashboardSpec = {
  name: 'owner',
  title: 'meshtoll / Owner',
  description: 'One owner, or those of a namespace: what it sends and gets, where, and what its proxies cost.',
  variables: ['namespace', 'owner', 'zone'],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Out',
          description: 'Bytes that it sends.',
          unit: BytesPerSecondSI,
          width: 4,
          expr: sum('', `src_owner:meshtoll_flow_bytes:rate{${SRC}}`),
        },
        {
          kind: 'stat',
          title: 'In',
          description: 'Bytes that it gets.',
          unit: BytesPerSecondSI,
          width: 4,
          expr: sum('', `dst_owner:meshtoll_flow_bytes:rate{${DST}}`),
        },
        {
          kind: 'stat',
          title: 'Out, dollars in 30 days',
          description: 'What it sends now, for 30 days at the configured prices, whoever is billed.',
          unit: Dollars,
          width: 4,
          expr: sum('', dollars(SRC)),
        },
        {
          kind: 'stat',
          title: 'In, dollars in 30 days',
          description: 'What it gets now, for 30 days at the configured prices, whoever is billed.',
          unit: Dollars,
          width: 4,
          expr: sum('', dollars(DST)),
        },
        {
          kind: 'stat',
          title: 'Stays in its zone, out',
          description: 'Share of what it sends to known zones that does not cross any.',
          unit: PercentUnit,
          width: 4,
          expr: share(sum('', flows(`${SRC},scope="same_zone"`)), sum('', flows(`${SRC},${ZONED}`))),
        },
        {
          kind: 'stat',
          title: 'Stays in its zone, in',
          description: 'Share of what it gets from known zones that does not cross any.',
          unit: PercentUnit,
          width: 4,
          expr: share(sum('', flows(`${DST},scope="same_zone"`)), sum('', flows(`${DST},${ZONED}`))),
        },
      ],
    },
    {
      title: 'Bytes',
      panels: [
        {
          kind: 'series',
          title: 'Out, by scope',
          description: 'Which of the bytes that it sends stay in their zone, cross zones or regions, or leave the cluster.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{scope}}': sum('scope', `src_owner:meshtoll_flow_bytes:rate{${SRC}}`) },
          isStacked: true,
        },
        {
          kind: 'series',
          title: 'In, by scope',
          description: 'Which of the bytes that it gets stayed in their zone, crossed zones or regions, or came from outside.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{scope}}': sum('scope', `dst_owner:meshtoll_flow_bytes:rate{${DST}}`) },
          isStacked: true,
        },
        {
          kind: 'series',
          title: 'Out, by peer',
          description: 'The ten that it sends most to.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{dst_namespace}}/{{dst_owner_name}}': top(sum('dst_namespace, dst_owner_name', flows(SRC))) },
        },
        {
          kind: 'series',
          title: 'In, by peer',
          description: 'The ten that it gets most from.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{src_namespace}}/{{src_owner_name}}': top(sum('src_namespace, src_owner_name', flows(DST))) },
        },
        {
          kind: 'matrix',
          title: 'Out, from zone to zone',
          description: 'Bytes from the zones (rows) that it runs in to the zones (columns) that it sends to.',
          unit: BytesPerSecondSI,
          width: 12,
          expr: cells('src_zone', 'dst_zone', flows(SRC)),
          rows: 'src_zone',
          columns: 'dst_zone',
        },
        {
          kind: 'matrix',
          title: 'In, from zone to zone',
          description: 'Bytes from the zones (rows) that it gets from to the zones (columns) that it runs in.',
          unit: BytesPerSecondSI,
          width: 12,
          expr: cells('src_zone', 'dst_zone', flows(DST)),
          rows: 'src_zone',
          columns: 'dst_zone',
        },
        {
          kind: 'table',
          title: 'Out, across zones',
          description: 'The 20 that it sends most to across zones or regions, and what that is in 30 days.',
          unit: BytesPerSecondSI,
          width: 12,
          labels: TO.split(', '),
          columns: [
            { title: 'bytes/s', expr: top(sum(TO, flows(`${SRC},${CROSSING}`)), 20) },
            {
              title: 'dollars in 30 days',
              expr: `${sum(TO, dollars(SRC))} and ${top(sum(TO, flows(`${SRC},${CROSSING}`)), 20)}`,
              unit: Dollars,
            },
          ],
        },
        {
          kind: 'table',
          title: 'In, across zones',
          description: 'The 20 that it gets most from across zones or regions, and what that is in 30 days.',
          unit: BytesPerSecondSI,
          width: 12,
          labels: FROM.split(', '),
          columns: [
            { title: 'bytes/s', expr: top(sum(FROM, flows(`${DST},${CROSSING}`)), 20) },
            {
              title: 'dollars in 30 days',
              expr: `${sum(FROM, dollars(DST))} and ${top(sum(FROM, flows(`${DST},${CROSSING}`)), 20)}`,
              unit: Dollars,
            },
          ],
        },
        {
          kind: 'series',
          title: "Its pods' interfaces",
          description: 'As the kubelet counts them, same node and loss included; not of pods on the network of their node.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: {
            out: sum('', rate('meshtoll_owner_network_transmit_bytes_total', OWNER)),
            in: sum('', rate('meshtoll_owner_network_receive_bytes_total', OWNER)),
          },
        },
        {
          kind: 'series',
          title: 'Endpoints that come and go',
          description:
            'Changes of endpoints of Services in the namespace, each of which istiod tells to proxies, and restarts behind them.',
          unit: CountsPerSecond,
          width: 12,
          runbook: 'EndpointFlapping',
          queries: {
            '{{service_namespace}}/{{service_name}} {{change}}': top(
              sum('service_namespace, service_name, change', rate('meshtoll_endpoint_changes_total', SERVICES)),
            ),
            'restarts of {{service_namespace}}/{{service_name}} by {{reason}}': top(
              sum('service_namespace, service_name, reason', rate('meshtoll_endpoint_pod_restarts_total', SERVICES)),
            ),
          },
        },
      ],
    },
    ...PROXIES,
  ],
}
