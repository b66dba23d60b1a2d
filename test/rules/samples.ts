// A sample of each family of the catalogue, and the queries of panels that ask it.
import { catalogue } from '../../src/catalogue.js'
import type { Family } from '../../src/model.js'
import { panelQueries } from '../panels.js'

/** A series by name and labels, and its samples as promtool writes them: one a minute. */
export interface InputSeries {
  readonly series: string
  readonly values: string
}

/** Minutes after the first sample. */
export const AT_MINUTES = 20
/** Of a day and a week ago there is no sample; of some minutes ago there is. */
const EARLIER = { '1d': '1m', '1w': '2m' }

/** Values that a label takes, each with each; a label that is not here has its own name for its value. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  scope: ['same_zone', 'cross_zone', 'cross_region', 'to_external', 'from_external', 'unknown'],
  src_owner_kind: ['Deployment'],
  src_owner_name: ['istiod', 'cart'],
  push: ['full', 'incremental'],
  response_flags: ['UC'],
  ended: ['yes', 'no'],
  le: ['0.1', '1', '+Inf'],
}

/** Samples a minute; those that say that something is wrong say so. */
const SAMPLES: Readonly<Record<string, string>> = {
  meshtoll_source_up: '0x30',
  meshtoll_state_writable: '0x30',
  meshtoll_node_network_transmit_bytes_total: '0+60000x30',
}
const usual = (kind: Family['kind']): string => (kind === 'gauge' ? '1x30' : '0+60x30')

const SCRAPED = { job: 'meshtoll', instance: 'a:10042', cluster: 'main' }

function labelSets(labels: readonly string[]): readonly Readonly<Record<string, string>>[] {
  return labels.reduce<readonly Readonly<Record<string, string>>[]>(
    (sets, label) => sets.flatMap((set) => (VALUES[label] ?? [label]).map((value) => ({ ...set, [label]: value }))),
    [SCRAPED],
  )
}

const seriesOf = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels).map(([label, value]) => `${label}="${value}"`)}}`

function sampleOf({ name, kind, labels }: Family): InputSeries[] {
  const [all, series]: [readonly string[], string] = kind === 'histogram' ? [[...labels, 'le'], `${name}_bucket`] : [labels, name]
  return labelSets(all).map((set) => ({ series: seriesOf(series, set), values: SAMPLES[name] ?? usual(kind) }))
}

const ALERT = seriesOf('ALERTS', { ...SCRAPED, alertname: 'AgentDown', alertstate: 'firing', severity: 'warning' })
export const INPUT: readonly InputSeries[] = [...catalogue.flatMap(sampleOf), { series: ALERT, values: '1x30' }]

export const queriesWith = (values: Readonly<Record<string, string>>): readonly string[] => {
  const exprs = panelQueries({ ...values, __rate_interval: '5m' }).map(({ expr }) => expr)
  return [...new Set(exprs.map((expr) => expr.replaceAll(/offset (1d|1w)/g, (_, age: keyof typeof EARLIER) => `offset ${EARLIER[age]}`)))]
}

/** 60 a minute is one a second. */
export const KNOWN_INPUT: Readonly<Record<string, string>> = {
  'meshtoll_zone_bytes_total{src_zone="a",dst_zone="a",scope="same_zone"}': '0+180x30',
  'meshtoll_zone_bytes_total{src_zone="a",dst_zone="b",scope="cross_zone"}': '0+60x30',
  'meshtoll_zone_bytes_total{src_zone="a",dst_zone="",scope="to_external"}': '0+60x30',
  'meshtoll_zone_bytes_total{src_zone="_unknown",dst_zone="a",scope="unknown"}': '0+300x30',
  meshtoll_flow_observed_bytes_total: '0+100x30',
  meshtoll_flow_posted_bytes_total: '0+60x30',
  meshtoll_flow_elsewhere_bytes_total: '0+40x30',
  meshtoll_flow_tunnel_bytes_total: '0x30',
  meshtoll_flow_multicast_bytes_total: '0x30',
  meshtoll_flow_overflow_bytes_total: '0x30',
  meshtoll_flow_pending_bytes: '7x30',
  'meshtoll_proxy_clusters{owner_namespace="shop",owner_name="cart"}': '30x30',
  'meshtoll_proxies{owner_namespace="shop",owner_name="cart"}': '3x30',
  'meshtoll_pilot_connected_proxies{proxy_zone="a",owner_zone="b"}': '4x30',
}

/** By dashboard, panel and query. Where nothing is of a kind a stat says 0. */
export const NUMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'Overview / Stays in its zone A': { '{}': 0.75 },
  'Overview / Unknown A': { '{}': 0.5 },
  'Overview / From zone to zone A': {
    '{src_zone="a",dst_zone="a"}': 3,
    '{src_zone="a",dst_zone="b"}': 1,
    '{src_zone="a",dst_zone="outside"}': 1,
    '{src_zone="_unknown",dst_zone="a"}': 5,
  },
  'Itself / Difference of the books A': { '{}': 7 },
  'Owner / Clusters in each proxy A': { '{owner_namespace="shop",owner_name="cart"}': 10 },
  'Control plane / Proxies connected, by zones A': { '{proxy_zone="a",owner_zone="b"}': 4 },
  'Phantom traffic / Longest A': { '{}': 0 },
}
