// What agents cost, how the directory answers them, and what they push.
import { BytesIEC, BytesPerSecondSI, BytesSI, CountsPerSecond, Dollars, NoUnit, Seconds } from '@grafana/grafana-foundation-sdk/units'
import type { Row } from './dashboard.js'
import { CLUSTER, count, max, rate, sum, top } from './promql.js'

const of = (family: string): string => `${family}{${CLUSTER}}`
/** Others serve numbers of a process by the same names. */
const ours = (expr: string): string => `(${expr} and on (cluster, job, instance) ${of('meshtoll_build_info')})`

export const COST: Row = {
  title: 'What it costs',
  panels: [
    {
      kind: 'series',
      title: 'CPU',
      description: 'Cores that agents and directories use: the ten that use most.',
      unit: NoUnit,
      width: 8,
      queries: { '{{job}} {{instance}}': top(ours(rate('process_cpu_seconds_total'))) },
    },
    {
      kind: 'series',
      title: 'Memory',
      description: 'Resident, of agents and directories: the ten that use most.',
      unit: BytesIEC,
      width: 8,
      queries: { '{{job}} {{instance}}': top(ours(of('process_resident_memory_bytes'))) },
    },
    {
      kind: 'series',
      title: 'How long sources take to read',
      description: 'The last read of each source, of the slowest agent.',
      unit: Seconds,
      width: 8,
      queries: { '{{source}}': max('source', of('meshtoll_source_read_seconds')) },
    },
    {
      kind: 'series',
      title: 'Open files',
      description: 'Of agents and directories: the ten that hold most.',
      unit: NoUnit,
      width: 8,
      queries: { '{{job}} {{instance}}': top(ours(of('process_open_fds'))) },
    },
    {
      kind: 'series',
      title: 'Series served',
      description: 'Of flows and phantoms, by all agents together: what Prometheus keeps.',
      unit: NoUnit,
      width: 8,
      queries: { series: sum('', of('meshtoll_series')) },
    },
    {
      kind: 'series',
      title: 'Releases',
      description: 'How many agents and directories run which, and on which Node.js.',
      unit: NoUnit,
      width: 8,
      runbook: 'AllAgentsDown',
      queries: { '{{version}} on {{node_version}}': count('version, node_version', of('meshtoll_build_info')) },
      isStacked: true,
    },
  ],
}

export const DIRECTORY: Row = {
  title: 'The directory, and what ambient counts',
  panels: [
    {
      kind: 'series',
      title: 'Agents that listen',
      description: 'By replica. All of them together are all agents; and which replica leads.',
      unit: NoUnit,
      width: 8,
      runbook: 'DirectoryDown',
      queries: { '{{instance}}': of('meshtoll_directory_sessions'), 'leads: {{instance}}': `${of('meshtoll_directory_leader')} == 1` },
    },
    {
      kind: 'series',
      title: 'Addresses',
      description: 'That somebody has, or had within the last hour, and that agents ask for; and lines told to agents, a second.',
      unit: NoUnit,
      width: 8,
      queries: {
        'known to {{instance}}': of('meshtoll_directory_addresses'),
        'asked of {{instance}}': of('meshtoll_directory_asked_addresses'),
        'lines of {{instance}}': rate('meshtoll_directory_lines_total'),
      },
    },
    {
      kind: 'series',
      title: "ztunnel's own count, by zones",
      description: 'Payload of connections that captured pods opened: to hold against what crosses zones. Without TLS and headers.',
      unit: BytesPerSecondSI,
      width: 8,
      queries: { '{{src_zone}} -> {{dst_zone}}': sum('src_zone, dst_zone', rate('meshtoll_ztunnel_bytes_total')) },
    },
    {
      kind: 'series',
      title: 'Ztunnels',
      description: 'How many there are, and of these how many did not answer the agent.',
      unit: NoUnit,
      width: 8,
      queries: { all: sum('', of('meshtoll_ztunnels')), 'without an answer': sum('', of('meshtoll_ztunnels_unreachable')) },
    },
    {
      kind: 'series',
      title: "Nodes' devices",
      description: 'Bytes that devices sent and received, link headers included: the ten that do most.',
      unit: BytesPerSecondSI,
      width: 8,
      queries: {
        'out {{instance}} {{device}}': top(rate('meshtoll_node_network_transmit_bytes_total'), 5),
        'in {{instance}} {{device}}': top(rate('meshtoll_node_network_receive_bytes_total'), 5),
      },
    },
    {
      kind: 'series',
      title: 'Prices',
      description: 'Dollars for a GB, by scope, as configured, all billed sides together..',
      unit: Dollars,
      width: 8,
      queries: { '{{scope}}': `1e9 * ${max('scope', of('meshtoll_transfer_price_dollars_per_byte'))}` },
    },
  ],
}

export const DATADOG: Row = {
  title: 'The push to Datadog',
  panels: [
    {
      kind: 'series',
      title: 'Behind',
      description: 'Age of the oldest bytes that wait to be accepted: the ten agents that are furthest behind.',
      unit: Seconds,
      width: 8,
      runbook: 'DatadogDeliveryBehind',
      queries: { '{{instance}}': top(of('meshtoll_datadog_behind_seconds')) },
    },
    {
      kind: 'series',
      title: 'Points',
      description: 'Accepted, refused for good, and given up after an hour, of which nobody can say whether Datadog has them.',
      unit: CountsPerSecond,
      width: 8,
      runbook: 'DatadogDeliveryBehind',
      queries: {
        accepted: sum('', rate('meshtoll_datadog_accepted_points_total')),
        refused: sum('', rate('meshtoll_datadog_refused_points_total')),
        uncertain: sum('', rate('meshtoll_datadog_uncertain_points_total')),
      },
    },
    {
      kind: 'series',
      title: 'Bytes that Datadog lacks',
      description: 'By the name of the metric there: in refused points, and in those of which nobody can say.',
      unit: BytesSI,
      width: 8,
      queries: {
        'refused {{metric}}': sum('metric', of('meshtoll_datadog_refused_bytes_total')),
        'uncertain {{metric}}': sum('metric', of('meshtoll_datadog_uncertain_bytes_total')),
      },
    },
    {
      kind: 'series',
      title: 'Windows that wait',
      description: 'The one under way among them, of all agents.',
      unit: NoUnit,
      width: 12,
      queries: { windows: sum('', of('meshtoll_datadog_waiting_windows')) },
    },
    {
      kind: 'series',
      title: 'Custom metrics',
      description: 'Series sent in the last window, how many may be, and how many owners were folded into _other for it, of all agents.',
      unit: NoUnit,
      width: 12,
      queries: {
        sent: sum('', of('meshtoll_datadog_series')),
        allowed: sum('', of('meshtoll_datadog_series_limit')),
        folded: sum('', of('meshtoll_datadog_folded_series')),
      },
    },
  ],
}
