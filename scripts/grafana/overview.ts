// What crosses zones, who causes it, what it costs.
import { BytesPerSecondSI, Dollars, NoUnit, PercentUnit } from '@grafana/grafana-foundation-sdk/units'
import type { DashboardSpec } from './dashboard.js'
import { CLUSTER, CROSSING, cells, count, FIRING, max, SRC, share, sum, thresholdOf, top, ZONED } from './promql.js'

const ZONES = `${CLUSTER},src_zone=~"$zone"`
const PAIR = 'src_zone, dst_zone, src_namespace, src_owner_name, dst_namespace, dst_owner_name'
const LABELS = PAIR.split(', ')
const zonePair = (selector: string): string => `zone_pair:meshtoll_zone_bytes:rate{${selector}}`
const ownerPair = (selector: string): string => `owner_pair:meshtoll_flow_bytes:rate{${selector}}`
const MONTHLY = `owner_pair:meshtoll_transfer_dollars_per_month:rate{${SRC}}`
const topPairs = (selector: string): string => top(sum(PAIR, ownerPair(selector)), 20)
const INTO = 'dst_namespace, dst_owner_kind, dst_owner_name'
const topInto = top(sum(INTO, `dst_owner:meshtoll_flow_bytes:rate{${CLUSTER},${CROSSING}}`), 20)

export const overview: DashboardSpec = {
  name: 'overview',
  title: 'meshtoll / Overview',
  description: 'What crosses zones, who causes it, what it costs.',
  variables: ['zone', 'namespace', 'owner'],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Across zones',
          description: 'Bytes that cross zones or regions, of the whole cluster; red beyond the budget.',
          unit: BytesPerSecondSI,
          width: 4,
          runbook: 'CrossZoneBytesHigh',
          expr: sum('', `cluster:meshtoll_cross_zone_bytes:rate{${CLUSTER}}`),
          above: thresholdOf('CrossZoneBytesHigh', 'bytesPerSecond'),
        },
        {
          kind: 'stat',
          title: 'Dollars in 30 days',
          description: 'What is sent now, for 30 days at the configured prices: between zones and regions, and to the internet.',
          unit: Dollars,
          width: 4,
          expr: sum('', MONTHLY),
        },
        {
          kind: 'stat',
          title: 'Stays in its zone',
          description: 'Share of the bytes between known zones that do not cross any.',
          unit: PercentUnit,
          width: 4,
          expr: share(sum('', zonePair(`${ZONES},scope="same_zone"`)), sum('', zonePair(`${ZONES},${ZONED}`))),
        },
        {
          kind: 'stat',
          title: 'Unknown',
          description: 'Share of all bytes of which one end has no known zone. They are neither counted as crossing nor as free.',
          unit: PercentUnit,
          width: 4,
          expr: share(sum('', zonePair(`${ZONES},scope="unknown"`)), sum('', zonePair(ZONES))),
        },
        {
          kind: 'stat',
          title: "istiod's share",
          description: 'Of all that crosses zones, what istiods send.',
          unit: PercentUnit,
          width: 4,
          runbook: 'ControlPlaneBytesHigh',
          expr: max('', `cluster:meshtoll_pilot_cross_zone_bytes:ratio_rate{${CLUSTER}}`),
        },
        {
          kind: 'stat',
          title: 'Agents',
          description: 'Nodes whose agent was scraped. Bytes that other nodes send are missing.',
          unit: NoUnit,
          width: 4,
          runbook: 'AgentDown',
          expr: count('', `meshtoll_series{${CLUSTER}}`),
        },
      ],
    },
    {
      title: 'Zones',
      panels: [
        {
          kind: 'matrix',
          title: 'From zone to zone',
          description: 'Bytes that a zone (row) sends to another (column). outside: of the cluster; _unknown: nobody knows.',
          unit: BytesPerSecondSI,
          width: 12,
          expr: cells('src_zone', 'dst_zone', zonePair(ZONES)),
          rows: 'src_zone',
          columns: 'dst_zone',
        },
        {
          kind: 'matrix',
          title: 'Dollars in 30 days from zone to zone',
          description: 'The same at the configured prices.',
          unit: Dollars,
          width: 12,
          expr: cells('src_zone', 'dst_zone', MONTHLY),
          rows: 'src_zone',
          columns: 'dst_zone',
        },
        {
          kind: 'series',
          title: 'What crosses, by zones',
          description: 'Bytes that cross zones or regions.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{src_zone}} -> {{dst_zone}}': sum('src_zone, dst_zone', zonePair(`${ZONES},${CROSSING}`)) },
          isStacked: true,
        },
        {
          kind: 'series',
          title: 'All bytes by scope',
          description:
            'Which of them stay in their zone, cross zones or regions, leave the cluster or come from outside, or are not known.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: { '{{scope}}': sum('scope', zonePair(ZONES)) },
          isStacked: true,
        },
        {
          kind: 'series',
          title: 'What crosses, against a day and a week ago',
          description: 'Of the whole cluster.',
          unit: BytesPerSecondSI,
          width: 12,
          runbook: 'CrossZoneBytesGrowing',
          queries: {
            now: sum('', `cluster:meshtoll_cross_zone_bytes:rate{${CLUSTER}}`),
            'a day ago': sum('', `cluster:meshtoll_cross_zone_bytes:rate{${CLUSTER}} offset 1d`),
            'a week ago': sum('', `cluster:meshtoll_cross_zone_bytes:rate{${CLUSTER}} offset 1w`),
          },
        },
        {
          kind: 'series',
          title: 'Unknown',
          description: 'Share of all bytes of which one end has no known zone.',
          unit: PercentUnit,
          width: 12,
          queries: { unknown: share(sum('', zonePair(`${ZONES},scope="unknown"`)), sum('', zonePair(ZONES))) },
        },
      ],
    },
    {
      title: 'Who',
      panels: [
        {
          kind: 'table',
          title: 'Who sends most across zones',
          description: 'The 20 pairs of owners that cross zones or regions with most bytes, and what that is in 30 days.',
          unit: BytesPerSecondSI,
          width: 24,
          labels: LABELS,
          columns: [
            { title: 'bytes/s', expr: topPairs(`${SRC},${CROSSING}`) },
            { title: 'dollars in 30 days', expr: `${sum(PAIR, MONTHLY)} and ${topPairs(`${SRC},${CROSSING}`)}`, unit: Dollars },
          ],
        },
        {
          kind: 'series',
          title: 'Dollars an hour, by who sends',
          description: 'The ten owners whose bytes cost most, whoever is billed for them.',
          unit: Dollars,
          width: 12,
          queries: {
            '{{src_namespace}}/{{src_owner_name}}': top(
              sum('src_namespace, src_owner_name', `owner_pair:meshtoll_transfer_dollars_per_hour:rate{${SRC}}`),
            ),
          },
          isStacked: true,
        },
        {
          kind: 'table',
          title: 'Who gets most from other zones',
          description: 'And the share of its bytes that each gets from its own zone: low where locality routing could help.',
          unit: BytesPerSecondSI,
          width: 12,
          labels: INTO.split(', '),
          columns: [
            { title: 'bytes/s', expr: topInto },
            {
              title: 'from its own zone',
              expr: `${max(INTO, `dst_owner:meshtoll_flow_bytes_same_zone:ratio_rate{${CLUSTER}}`)} and ${topInto}`,
              unit: PercentUnit,
            },
          ],
        },
        {
          kind: 'table',
          title: 'Who talks to the unknown',
          description: 'The 20 pairs with most bytes of which one end is not known. An inventory, or a ServiceEntry, names it.',
          unit: BytesPerSecondSI,
          width: 12,
          labels: LABELS,
          columns: [{ title: 'bytes/s', expr: topPairs(`${SRC},scope="unknown"`) }],
        },
        {
          kind: 'table',
          title: 'Alerts',
          description: 'Those of meshtoll that fire; each name leads to its run book.',
          unit: NoUnit,
          width: 12,
          labels: ['alertname', 'severity', 'cluster', 'instance'],
          columns: [{ title: 'firing', expr: FIRING }],
        },
      ],
    },
  ],
}
