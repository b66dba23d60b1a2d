// Alerts about whether what is counted can be believed.
import { type AlertCase, type FiringAlert, testAlerts } from './promtool.js'

const TARGET = { job: 'meshtoll/meshtoll-agent', instance: '10.0.0.1:10042', node: 'n1' }
const N1 = Object.entries(TARGET)
  .map(([name, value]) => `${name}="${value}"`)
  .join()
const N2 = 'job="meshtoll",instance="n2:10042"'
const WARNING = { ...TARGET, severity: 'warning' }
const DIRECTORY = 'job="meshtoll/meshtoll-directory"'

const book = (name: string, bytes: string): Record<string, string> => ({
  [`meshtoll_flow_${name}{${N1}}`]: bytes,
  [`meshtoll_flow_${name}{${N2}}`]: bytes.replace(' 1001+', ' 1000+'),
})

const unbalancedBy = (bytes: string): readonly FiringAlert[] => [
  {
    labels: WARNING,
    summary: 'The books of n1 do not balance.',
    description: `${bytes} that n1 observed are in none of its other books, or twice in them: its numbers are wrong by as much.`,
  },
]

const agentDown = (name: string, labels: Readonly<Record<string, string>>): readonly FiringAlert[] => [
  {
    labels,
    summary: `The agent on ${name} cannot be scraped.`,
    description: `${name} (${labels['job']}) has not answered for 5m. Its kernel table counts on, if it is still there: bytes are late, not lost.`,
  },
]

const CASES: readonly AlertCase[] = [
  {
    alert: 'BooksOutOfBalance',
    series: {
      ...book('observed_bytes_total', '1000+0x5 1001+0x9 1000+0x10'),
      ...book('posted_bytes_total', '900+0x30'),
      ...book('elsewhere_bytes_total', '40+0x30'),
      ...book('tunnel_bytes_total', '30+0x30'),
      ...book('multicast_bytes_total', '20+0x30'),
      ...book('overflow_bytes_total', '8+0x30'),
      ...book('pending_bytes', '2+0x30'),
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: unbalancedBy('1B'),
    clears: '16m',
  },
  {
    alert: 'BooksOutOfBalance',
    name: 'beyond what a sample can be exact to',
    series: {
      [`meshtoll_flow_observed_bytes_total{${N1}}`]: '90071992547409920+0x30',
      [`meshtoll_flow_posted_bytes_total{${N1}}`]: '90071992547409856+0x5 90071992547408896+0x24',
      ...Object.fromEntries(
        ['elsewhere_bytes_total', 'tunnel_bytes_total', 'multicast_bytes_total', 'overflow_bytes_total', 'pending_bytes'].map((name) => [
          `meshtoll_flow_${name}{${N1}}`,
          '0+0x30',
        ]),
      ),
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: unbalancedBy('1.024kB'),
    clears: '36m',
  },
  {
    alert: 'AccountingGap',
    series: {
      [`meshtoll_flow_gap_seconds_total{${N1}}`]: '0+0x5 95+0x30',
      [`meshtoll_flow_gap_seconds_total{${N2}}`]: '7+0x5 57+0x30',
    },
    quiet: ['5m'],
    fires: '6m',
    firing: [
      {
        labels: WARNING,
        summary: 'n1 did not count for a while.',
        description: 'n1 did not count for 1m 35s of the last 15m, or lost what it had counted.',
      },
    ],
    clears: '22m',
  },
  {
    alert: 'FlowTableNearlyFull',
    series: {
      [`meshtoll_flow_pairs{${N1}}`]: '80+0x5 81+0x9 80+0x10',
      [`meshtoll_flow_pairs_limit{${N1}}`]: '100+0x30',
      [`meshtoll_flow_pairs{${N2}}`]: '81+0x30',
      [`meshtoll_flow_pairs_limit{${N2}}`]: '1000+0x30',
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: [
      {
        labels: WARNING,
        summary: 'The kernel table of n1 is nearly full.',
        description: 'n1 uses 81% of the pairs of addresses that flows.maxPairs allows. Beyond, bytes are counted without their pair.',
      },
    ],
    clears: '16m',
  },
  {
    alert: 'FlowsBypassed',
    series: {
      [`meshtoll_flow_coverage_ratio{${N1}}`]: '0.9+0x5 0.4+0x19 0.9+0x10',
      [`meshtoll_flow_coverage_ratio{${N2}}`]: '0.9+0x40',
    },
    quiet: ['5m', '20m'],
    fires: '21m',
    firing: [
      {
        labels: WARNING,
        summary: 'n1 sends bytes that are not counted.',
        description: 'Of what the uplinks of n1 send, 40% was seen by the hooks of netfilter; the rest goes around them.',
      },
    ],
    clears: '26m',
  },
  {
    alert: 'SourceDown',
    series: {
      [`meshtoll_source_up{${N1},source="kubernetes"}`]: '1+0x5 0+0x14 1+0x15',
      [`meshtoll_source_up{${N1},source="flows"}`]: '1+0x5 0+0x9 1+0x20',
      // Serving certificates that nobody signed, say.
      [`meshtoll_source_up{${N2},source="kubelet"}`]: '0+0x40',
    },
    quiet: ['5m', '15m'],
    fires: '16m',
    firing: [
      {
        labels: { ...WARNING, severity: 'critical', source: 'kubernetes' },
        summary: 'n1 cannot read kubernetes.',
        description:
          'The agent on n1 has not been able to read kubernetes for 10m: bytes of what it hears nothing of go to _unknown, and no alert about zones sees them. Its log says why.',
      },
    ],
    clears: '21m',
  },
  {
    alert: 'SourceDown',
    name: 'flows',
    series: { [`meshtoll_source_up{${N1},source="flows"}`]: '1+0x5 0+0x14 1+0x15' },
    quiet: ['15m'],
    fires: '16m',
    firing: [
      {
        labels: { ...WARNING, severity: 'critical', source: 'flows' },
        summary: 'n1 cannot read flows.',
        description: 'The agent on n1 has not been able to read flows for 10m. Its log says why.',
      },
    ],
    clears: '21m',
  },
  {
    alert: 'AgentDown',
    series: {
      [`up{${N1}}`]: '1+0x5 0+0x9 1+0x10',
      [`up{${N2}}`]: '1+0x5 0+0x4 1+0x15',
      'up{job="kubernetes-pods",instance="n1:9100"}': '0+0x30',
      [`up{${DIRECTORY},instance="d1"}`]: '0+0x30',
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: agentDown('n1', WARNING),
    clears: '16m',
  },
  {
    alert: 'AgentDown',
    name: 'with a static job, without a label for the node',
    series: { [`up{${N2}}`]: '1+0x5 0+0x9 1+0x10' },
    quiet: ['10m'],
    fires: '11m',
    firing: agentDown('n2:10042', { job: 'meshtoll', instance: 'n2:10042', severity: 'warning' }),
    clears: '16m',
  },
  {
    alert: 'AllAgentsDown',
    name: 'none answers',
    series: {
      [`up{${N1}}`]: '1+0x5 0+0x14 1+0x10',
      [`up{${N2}}`]: '1+0x3 0+0x30',
      [`up{${DIRECTORY},instance="d1"}`]: '1+0x30',
    },
    quiet: ['5m', '15m'],
    fires: '16m',
    firing: [
      {
        labels: { severity: 'critical' },
        summary: 'No agent can be scraped.',
        description:
          'None of 2 agents has answered for 10m: nothing is known of bytes meanwhile, and no other alert about them can fire. Kernel tables count on, where they are still there.',
      },
    ],
    clears: '21m',
  },
  ...[
    {
      name: 'of one cluster the targets are gone, for a day',
      interval: '30m',
      series: { [`up{${N1},cluster="c1"}`]: '1+0x2 stale', [`up{${N2},cluster="c2"}`]: '1+0x60' },
      cluster: 'c1',
      quiet: ['60m', '90m'],
      fires: '120m',
      clears: '1530m',
    },
    {
      name: 'all targets are gone',
      series: { [`up{${N1}}`]: '1+0x5 stale', [`up{${DIRECTORY},instance="d1"}`]: '1+0x50' },
      quiet: ['15m'],
      fires: '40m',
      clears: '5m',
    },
    { name: 'there never was one', series: { [`up{${N1}}`]: '_x20 1+0x10' }, quiet: ['9m'], fires: '11m', clears: '20m' },
  ].map(({ cluster, ...life }) => ({
    alert: 'AllAgentsDown',
    ...life,
    firing: [
      {
        labels: { ...(cluster && { cluster }), severity: 'critical' },
        summary: `No agent can be scraped${cluster ? ` in cluster ${cluster}` : ''}.`,
        description:
          'Prometheus has had no agent to scrape for 10m, that is no target with job=~"(.*/)?meshtoll(-agent)?": nothing is known of bytes meanwhile, and no other alert about them can fire. Kernel tables count on, where they are still there.',
      },
    ],
  })),
  {
    alert: 'DatadogDeliveryBehind',
    series: {
      [`meshtoll_datadog_behind_seconds{${N1}}`]: '300+0x5 390+0x9 300+0x10',
      [`meshtoll_datadog_behind_seconds{${N2}}`]: '300+0x30',
      [`meshtoll_datadog_refused_points_total{${N1}}`]: '0+0x5 12+0x30',
      [`meshtoll_datadog_refused_points_total{${N2}}`]: '0+0x5 99+0x30',
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: [
      {
        labels: WARNING,
        summary: 'n1 cannot deliver to Datadog.',
        description:
          'The oldest bytes that wait on n1 for Datadog are 6m 30s old. They are kept, and sent when it takes them again. Points refused for good within an hour: 12.',
      },
    ],
    clears: '16m',
  },
  ...['gone', 'down'].map((name) => ({
    alert: 'DirectoryDown',
    name: `both are ${name}`,
    series: {
      [`up{${DIRECTORY},instance="d1"}`]: `1+0x2 ${name === 'gone' ? 'stale' : '0+0x200'}`,
      [`up{${DIRECTORY},instance="d2"}`]: `1+0x5 ${name === 'gone' ? 'stale' : '0+0x70 1+0x100'}`,
      [`up{${N1}}`]: '0+0x200',
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: [
      {
        labels: { job: 'meshtoll/meshtoll-directory', severity: 'critical' },
        summary: 'No replica of the directory can be scraped.',
        description:
          'No replica of meshtoll/meshtoll-directory has answered for 5m: agents hear of no new address elsewhere, whose bytes go to _unknown after identity.patience.',
      },
    ],
    clears: '77m',
  })),
]

testAlerts(CASES)
