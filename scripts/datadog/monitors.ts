// The monitors. Runbooks are those of the alerts of Prometheus that have the same name.
import { readRuleSettings } from '../rules.js'
import { type MonitorSource, monitorOf, nameOf, ownerOf } from './monitor.js'
import { among, CROSSING, except, orZero, type Query, queryOf } from './queries.js'

const HOST = ['host']
const OWNER = ['owner_namespace', 'owner_kind', 'owner_name']
const PAIR = ['src_namespace', 'src_owner_kind', 'src_owner_name', 'dst_namespace', 'dst_owner_kind', 'dst_owner_name']
const TO_PODS = ['dst_namespace', 'dst_owner_kind', 'dst_owner_name']
const CAUSE = ['host', 'config_kind', 'config_namespace', 'config_name']
const ISTIOD = [among('src_owner_kind', 'deployment'), among('src_owner_name', 'istiod*')]

/** What goes to all proxies. */
const PUSHES: Query = { of: 'sum', family: 'meshtoll_pilot_push_causes_total', where: [except('push', 'incremental')], as: 'count' }
const level = (of: 'max' | 'min', family: string): string => queryOf({ of, family, by: HOST })
/** As of the alert. */
const SOURCES_NEEDED = String(readRuleSettings().alerts['SourceDown']?.['sources']).split('|')
const p99 = (family: string): string => orZero({ of: 'max', family, part: 'p99', by: OWNER })

const SOURCES: readonly MonitorSource[] = [
  {
    name: 'CrossZoneBytesHigh',
    title: 'More bytes cross zones than the budget allows',
    over: 'avg(last_15m)',
    query: orZero({ of: 'sum', family: 'meshtoll_zone_bytes_total', where: [CROSSING], as: 'rate' }),
    by: [],
    says: '{{eval "value/1000000"}} MB/s cross zones or regions, averaged over 15 minutes. The dashboard meshtoll overview says who sends them to whom.',
    priority: 3,
  },
  {
    name: 'CrossZoneBytesGrowing',
    title: 'Far more bytes cross zones than a day ago: {{src_owner_name.name}} to {{dst_owner_name.name}}',
    over: 'change(avg(last_1h),last_1d)',
    query: orZero({ of: 'sum', family: 'meshtoll_flow_bytes_total', where: [CROSSING], by: PAIR, as: 'rate' }),
    by: PAIR,
    says: `${ownerOf('src_')} sends {{eval "value/1000000"}} MB/s more across zones to ${ownerOf('dst_')} than at this hour a day ago.`,
    priority: 4,
  },
  {
    name: 'ControlPlaneBytesHigh',
    title: 'istiod sends much of what crosses zones',
    over: 'sum(last_15m)',
    query: `100 * ${orZero({ of: 'sum', family: 'meshtoll_flow_bytes_total', where: [...ISTIOD, CROSSING], as: 'count' })} / ${queryOf({ of: 'sum', family: 'meshtoll_zone_bytes_total', where: [CROSSING], as: 'count' })}`,
    by: [],
    says: 'Of all bytes that crossed zones or regions within 15 minutes istiod sent {{value}} %: configuration, to each proxy anew.',
    priority: 3,
  },
  {
    name: 'PushStorm',
    title: 'istiod pushes to all proxies again and again',
    over: 'sum(last_10m)',
    query: orZero({ ...PUSHES, by: HOST }),
    by: HOST,
    says: `The istiods on ${nameOf('host')} pushed {{value}} times within 10 minutes, not counting pushes of endpoints alone. The dashboard meshtoll control plane says by which resources.`,
    priority: 3,
  },
  {
    name: 'PushStormCause',
    title: 'A resource makes istiod push again and again: {{config_kind.name}} {{config_namespace.name}}/{{config_name.name}}',
    over: 'sum(last_10m)',
    query: orZero({ ...PUSHES, by: CAUSE }),
    by: CAUSE,
    says: `${nameOf('config_kind')} ${nameOf('config_namespace')}/${nameOf('config_name')} caused {{value}} pushes to all proxies within 10 minutes, of the istiods on ${nameOf('host')}.`,
    runbook: 'PushStorm',
    priority: 3,
  },
  {
    name: 'ConvergenceSlow',
    title: 'Proxies hear of changes late',
    over: 'avg(last_10m)',
    query: `${p99('meshtoll_pilot_debounce_seconds')} + ${p99('meshtoll_pilot_proxy_convergence_seconds')}`,
    by: OWNER,
    says: `One in a hundred proxies gets a change of ${ownerOf('owner_')} {{value}} s after it or later: debounce and push, added up.`,
    priority: 3,
  },
  {
    name: 'ConfigRejected',
    title: 'Proxies of {{owner_name.name}} reject configuration of istiod',
    over: 'sum(last_10m)',
    query: orZero({ of: 'sum', family: 'meshtoll_proxy_config_rejected_total', by: [...OWNER, 'xds'], as: 'count' }),
    by: [...OWNER, 'xds'],
    says: `Proxies of ${nameOf('owner_kind')} ${ownerOf('owner_')} rejected {{value}} updates of ${nameOf('xds')} within 10 minutes. What they change is not in force there.`,
    priority: 3,
  },
  {
    name: 'ConfigRejectedAtIstiod',
    title: 'Proxies reject configuration of istiod, as it says: {{xds.name}}',
    over: 'sum(last_10m)',
    // All of them, though ConfigRejected tells of some by whose they are: what is taken off has no group where proxies say nothing.
    query: orZero({ of: 'sum', family: 'meshtoll_pilot_xds_rejects_total', by: ['xds'], as: 'count' }),
    by: ['xds'],
    says: `istiod heard of {{value}} rejected updates of ${nameOf('xds')} within 10 minutes. What they change is not in force there; the monitor ConfigRejected says of whom, where proxies can be asked, and istiod's log says where.`,
    runbook: 'ConfigRejected',
    priority: 3,
  },
  {
    name: 'ProxiesDisconnected',
    title: 'Proxies of {{owner_name.name}} cannot reach istiod',
    over: 'avg(last_15m)',
    // Where istiod is away connections end, and none fails; with failures beside them, which are mostly never sent, there would be no group. A blip is
    // too short to make the average.
    query: `${orZero({ of: 'sum', family: 'meshtoll_proxy_istiod_connection_terminations_total', by: OWNER, as: 'rate' })} / ${queryOf({ of: 'sum', family: 'meshtoll_proxies', by: OWNER })}`,
    by: OWNER,
    says: `Each proxy of ${nameOf('owner_kind')} ${ownerOf('owner_')} lost, or could not make, {{eval "value*60"}} connections to istiod a minute, over 15 minutes: they go on with the configuration they have, and new pods do not become ready.`,
    priority: 2,
  },
  {
    name: 'ConfigUnacknowledged',
    title: 'Proxies run on with old configuration of {{owner_name.name}}',
    over: 'min(last_5m)',
    query: queryOf({ of: 'max', family: 'meshtoll_pilot_unacknowledged_seconds', by: [...OWNER, 'xds', 'status'] }),
    by: [...OWNER, 'xds', 'status'],
    says: `What ${nameOf('owner_kind')} ${ownerOf('owner_')} sent of ${nameOf('xds')} is not acknowledged for {{value}} s, by the proxy that is furthest behind (status ${nameOf('status')}: stale did not answer, error rejected it).`,
    priority: 3,
  },
  {
    name: 'StaleHosts',
    title: 'Proxies of {{owner_name.name}} list hosts of {{dst_owner_name.name}} whose pods have ended',
    over: 'min(last_10m)',
    // It is sent as long as there are any: the last one is taken to go on for five minutes, and it is 0 then.
    query: orZero({ of: 'sum', family: 'meshtoll_proxy_stale_hosts', by: [...OWNER, ...TO_PODS] }),
    by: [...OWNER, ...TO_PODS],
    says: `Proxies of ${nameOf('owner_kind')} ${ownerOf('owner_')} list {{value}} hosts of ${nameOf('dst_owner_kind')} ${ownerOf('dst_')} whose pods have ended, each once a proxy: requests that are sent there fail.`,
    priority: 3,
  },
  {
    name: 'PhantomTraffic',
    title: 'Pods of {{dst_owner_name.name}} are sent bytes after they ended',
    over: 'sum(last_15m)',
    query: orZero({ of: 'sum', family: 'meshtoll_phantom_bytes_total', by: TO_PODS, as: 'count' }),
    by: TO_PODS,
    says: `{{eval "value/1000000"}} MB were sent within 15 minutes to pods of ${nameOf('dst_owner_kind')} ${ownerOf('dst_')} that had ended. The dashboard meshtoll owner says by whom.`,
    priority: 3,
  },
  {
    name: 'BooksOutOfBalance',
    title: 'The books of {{host.name}} do not balance',
    over: 'min(last_5m)',
    // Counts would have no group of those that nothing was sent of, such as overflow, and be off by what waits at either end.
    query: `abs(${level('max', 'meshtoll_flow_books_difference_bytes')})`,
    by: HOST,
    says: `{{value}} bytes that ${nameOf('host')} observed are in none of its other books, or twice in them: its numbers are wrong by as much.`,
    priority: 2,
  },
  {
    name: 'AccountingGap',
    title: '{{host.name}} did not count for a while',
    over: 'sum(last_15m)',
    query: orZero({ of: 'sum', family: 'meshtoll_flow_gap_seconds_total', by: HOST, as: 'count' }),
    by: HOST,
    says: `${nameOf('host')} did not count for {{value}} s of the last 15 minutes, or lost what it had counted.`,
    priority: 3,
  },
  {
    name: 'FlowTableNearlyFull',
    title: 'The kernel table of {{host.name}} is nearly full',
    over: 'min(last_5m)',
    query: `${level('max', 'meshtoll_flow_pairs')} / ${level('max', 'meshtoll_flow_pairs_limit')}`,
    by: HOST,
    says: `${nameOf('host')} uses {{eval "value*100"}} % of the pairs of addresses that flows.maxPairs allows. Beyond, bytes are counted without their pair.`,
    priority: 3,
  },
  {
    name: 'FlowsBypassed',
    title: '{{host.name}} sends bytes that are not counted',
    over: 'max(last_15m)',
    query: level('min', 'meshtoll_flow_coverage_ratio'),
    by: HOST,
    below: true,
    says: `Of what the uplinks of ${nameOf('host')} send, {{eval "value*100"}} % was seen by the hooks of netfilter; the rest goes around them.`,
    priority: 3,
  },
  {
    name: 'SourceDown',
    title: '{{host.name}} cannot read {{source.name}}',
    over: 'max(last_10m)',
    query: queryOf({ of: 'max', family: 'meshtoll_source_up', where: [among('source', ...SOURCES_NEEDED)], by: [...HOST, 'source'] }),
    by: [...HOST, 'source'],
    below: true,
    says: `The agent on ${nameOf('host')} has not been able to read ${nameOf('source')} for 10 minutes: it is {{value}}, where 1 is well. Without kubernetes, bytes of what it hears nothing of go to _unknown, and no alert about zones sees them. Its log says why.`,
    priority: 2,
  },
  {
    name: 'AgentDown',
    title: 'The agent on {{host.name}} is silent',
    over: 'max(last_5m)',
    query: level('max', 'meshtoll_build_info'),
    by: HOST,
    below: true,
    says: `Nothing came from the agent on ${nameOf('host')} for 10 minutes: it is down, it cannot reach Datadog, or the node is gone. Its kernel table counts on, if it is still there: bytes are late, not lost.`,
    priority: 3,
    silentAfter: 10,
  },
  {
    name: 'AllAgentsDown',
    title: 'All agents are silent',
    over: 'max(last_5m)',
    // Of agents alone: a directory reads neither of these.
    query: queryOf({ of: 'max', family: 'meshtoll_source_up', where: [among('source', 'flows', 'kubelet')] }),
    by: [],
    below: true,
    says: 'Nothing came from any agent for 10 minutes, or nothing but that it cannot read anything: nothing is known of bytes meanwhile. Either none runs, or none reaches Datadog, or none can read.',
    priority: 2,
    silentAfter: 10,
  },
  {
    name: 'DatadogDeliveryBehind',
    title: '{{host.name}} delivers to Datadog late',
    over: 'min(last_5m)',
    query: level('max', 'meshtoll_datadog_behind_seconds'),
    by: HOST,
    says: `The oldest bytes that wait on ${nameOf('host')} for Datadog are {{value}} s old: recent numbers here are too small. They are kept, and sent when Datadog takes them again.`,
    priority: 3,
  },
]

export const monitors: Readonly<Record<string, unknown>> = Object.fromEntries(SOURCES.map((source) => [source.name, monitorOf(source)]))
