// meshtoll itself: whether its books balance, what it could not see, and what it costs.
import { BytesPerSecondSI, BytesSI, CountsPerSecond, NoUnit, PercentUnit, Seconds } from '@grafana/grafana-foundation-sdk/units'
import type { DashboardSpec } from './dashboard.js'
import { COST, DATADOG, DIRECTORY } from './itself-cost.js'
import { CLUSTER, count, max, min, orZero, rate, sum, thresholdOf, top } from './promql.js'

const of = (family: string): string => `${family}{${CLUSTER}}`
const BOOKS = ['posted', 'elsewhere', 'tunnel', 'multicast', 'overflow']
const IMBALANCE = [of('meshtoll_flow_observed_bytes_total'), ...BOOKS.map((book) => of(`meshtoll_flow_${book}_bytes_total`))].join(' - ')
const DIFFERENCE = `abs(${IMBALANCE} - ${of('meshtoll_flow_pending_bytes')})`

export const itself: DashboardSpec = {
  name: 'itself',
  title: 'meshtoll / Itself',
  description: 'Whether the books of agents balance, what they could not see, and what they cost.',
  variables: [],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Difference of the books',
          description:
            'Bytes observed that are in no book, or in two, of the worst agent. 0 is right, but for packets under way during a read.',
          unit: BytesSI,
          width: 4,
          runbook: 'BooksOutOfBalance',
          expr: max('', DIFFERENCE),
          above: 1,
        },
        {
          kind: 'stat',
          title: 'Not counted in a day',
          description: 'Time in which agents did not count, or lost what they had counted, all nodes together.',
          unit: Seconds,
          width: 4,
          runbook: 'AccountingGap',
          expr: sum('', `increase(${of('meshtoll_flow_gap_seconds_total')}[1d])`),
          above: 1,
        },
        {
          kind: 'stat',
          title: 'Lowest coverage',
          description:
            'Bytes seen leaving per byte that the uplinks sent, of the worst node. Without one where too little is sent to tell.',
          unit: PercentUnit,
          width: 4,
          runbook: 'FlowsBypassed',
          expr: min('', of('meshtoll_flow_coverage_ratio')),
          below: thresholdOf('FlowsBypassed', 'ratio'),
        },
        {
          kind: 'stat',
          title: 'Fullest table',
          description: 'Pairs of addresses that a kernel counts, of those that it may.',
          unit: PercentUnit,
          width: 4,
          runbook: 'FlowTableNearlyFull',
          expr: max('', `${of('meshtoll_flow_pairs')} / ${of('meshtoll_flow_pairs_limit')}`),
          above: thresholdOf('FlowTableNearlyFull', 'ratio'),
        },
        {
          kind: 'stat',
          title: 'Sources that fail',
          description: 'Of all agents: what could not be read at the last attempt.',
          unit: NoUnit,
          width: 4,
          expr: orZero(count('', `${of('meshtoll_source_up')} == 0`)),
          above: 1,
          runbook: 'SourceDown',
        },
        {
          kind: 'stat',
          title: 'State that cannot be written',
          description: 'Agents whose counters may start over after a restart.',
          unit: NoUnit,
          width: 4,
          expr: orZero(count('', `${of('meshtoll_state_writable')} == 0`)),
          above: 1,
        },
      ],
    },
    {
      title: 'The books',
      panels: [
        {
          kind: 'series',
          title: 'Where observed bytes go',
          description:
            'Posted: counted here. Elsewhere: by another agent. The rest says why not. All of them together are what is observed.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: Object.fromEntries(BOOKS.map((book) => [book, sum('', rate(`meshtoll_flow_${book}_bytes_total`))])),
          isStacked: true,
        },
        {
          kind: 'series',
          title: 'Difference of the books',
          description: 'By agent. 0 is right, but for packets under way while the kernel is read.',
          unit: BytesSI,
          width: 12,
          runbook: 'BooksOutOfBalance',
          queries: { '{{instance}}': top(DIFFERENCE) },
        },
        {
          kind: 'series',
          title: 'Counted, but not exactly whose',
          description: 'Overflow has no pair, ambiguous bytes two owners, folded ones _other; handed over: bytes that were missed.',
          unit: BytesPerSecondSI,
          width: 12,
          queries: {
            overflow: sum('', rate('meshtoll_flow_overflow_bytes_total')),
            ambiguous: sum('', rate('meshtoll_flow_ambiguous_bytes_total')),
            folded: sum('', rate('meshtoll_series_folded_bytes_total')),
            'handed over': sum('', rate('meshtoll_flow_handover_bytes_total')),
          },
        },
        {
          kind: 'series',
          title: 'Bytes that wait',
          description: 'Until it is known who counts them: for identity.patience at most. By agent.',
          unit: BytesSI,
          width: 12,
          queries: { '{{instance}}': top(of('meshtoll_flow_pending_bytes')) },
        },
      ],
    },
    {
      title: 'What could not be seen',
      panels: [
        {
          kind: 'series',
          title: 'Not counted',
          description: 'Seconds of each second in which an agent did not count, or lost what it had counted.',
          unit: PercentUnit,
          width: 8,
          runbook: 'AccountingGap',
          queries: { '{{instance}}': top(rate('meshtoll_flow_gap_seconds_total')) },
        },
        {
          kind: 'series',
          title: 'Coverage',
          description: 'Bytes seen leaving per byte that the uplinks sent: the ten lowest nodes. The rest goes around netfilter.',
          unit: PercentUnit,
          width: 8,
          runbook: 'FlowsBypassed',
          queries: { '{{instance}}': `bottomk(10, ${of('meshtoll_flow_coverage_ratio')})` },
        },
        {
          kind: 'series',
          title: 'On the wire for each byte counted',
          description: 'Headers of segments that a card cuts. 1 where nothing is known. Dollars are scaled by it.',
          unit: PercentUnit,
          width: 8,
          queries: { '{{instance}}': top(of('instance:meshtoll_node_wire_bytes:ratio_rate')) },
        },
        {
          kind: 'series',
          title: 'Kernel tables',
          description: 'Pairs of addresses, of those that flows.maxPairs allows: the ten fullest.',
          unit: PercentUnit,
          width: 8,
          runbook: 'FlowTableNearlyFull',
          queries: { '{{instance}}': top(`${of('meshtoll_flow_pairs')} / ${of('meshtoll_flow_pairs_limit')}`) },
        },
        {
          kind: 'series',
          title: 'Series',
          description: 'Of flows and phantoms, of those that series.limit allows: the ten fullest. Beyond, owners are folded into _other.',
          unit: PercentUnit,
          width: 8,
          queries: { '{{instance}}': top(`${of('meshtoll_series')} / ${of('meshtoll_series_limit')}`) },
        },
        {
          kind: 'series',
          title: 'Packets that nodes dropped',
          description: 'By their devices, as the kernel counts them; both ways.',
          unit: CountsPerSecond,
          width: 8,
          queries: {
            'in {{instance}} {{device}}': top(rate('meshtoll_node_network_receive_drops_total'), 5),
            'out {{instance}} {{device}}': top(rate('meshtoll_node_network_transmit_drops_total'), 5),
          },
        },
        {
          kind: 'table',
          title: 'Sources that fail',
          description: 'What could not be read at the last attempt, by agent. Its log says why.',
          unit: NoUnit,
          width: 12,
          labels: ['source', 'instance', 'cluster'],
          columns: [{ title: 'up', expr: `${of('meshtoll_source_up')} == 0` }],
        },
        {
          kind: 'series',
          title: 'Rows that could not be understood, and counters that started over',
          description: 'By source, of all agents.',
          unit: CountsPerSecond,
          width: 12,
          queries: {
            'not understood: {{source}}': sum('source', rate('meshtoll_source_rejected_rows_total')),
            'started over: {{source}}': sum('source', rate('meshtoll_source_resets_total')),
          },
        },
      ],
    },
    COST,
    DIRECTORY,
    DATADOG,
  ],
}
