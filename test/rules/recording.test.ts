// What is recorded, and what it costs in dollars.
import t from 'tap'
import { type PriceOptions, pricesOf } from '../../src/ledger/price.js'
import { reasonToSkip } from '../peers/needed.js'
import { PROMTOOLS, type RecordingCase, recordingTest, testRules } from './promtool.js'

const CART = 'src_zone="a",src_namespace="shop",src_owner_kind="Deployment",src_owner_name="cart"'
const ISTIOD = 'src_zone="a",src_namespace="istio-system",src_owner_kind="Deployment",src_owner_name="istiod-1-31"'
const STOCK = 'dst_namespace="shop",dst_owner_kind="Deployment",dst_owner_name="stock"'
const toStock = (zone: string): string => `dst_zone="${zone}",${STOCK}`
const ON_A = 'job="meshtoll",instance="a"'
const ON_B = 'job="meshtoll",instance="b"'
const SHOP_CART = 'owner_namespace="shop",owner_kind="Deployment",owner_name="cart"'

/** A gigabyte a second, in samples of each minute. */
const GB = '0+60e9x10'

const PRICE: PriceOptions = {
  provider: 'aws',
  crossZonePerGB: 0.01,
  crossZoneSides: 2,
  crossRegionPerGB: 0.02,
  toExternalPerGB: 0.09,
  fromExternalPerGB: 0,
}
const SCOPES = ['same_zone', 'cross_zone', 'cross_region', 'to_external', 'from_external', 'unknown']

/** A node that sends a gigabyte a second of each scope, and says what this provider takes. */
function nodeOf(provider: PriceOptions['provider']): Record<string, string> {
  const prices = Object.entries(pricesOf({ ...PRICE, provider }))
  const flows = SCOPES.map((scope) => [`meshtoll_flow_bytes_total{cluster="${provider}",${ON_A},${CART},scope="${scope}"}`, GB])
  const served = prices.map(([scope, dollars]) => [
    `meshtoll_transfer_price_dollars_per_byte{cluster="${provider}",${ON_A},scope="${scope}"}`,
    `${dollars}+0x10`,
  ])
  const build = [`meshtoll_build_info{cluster="${provider}",${ON_A},version="1"}`, '1+0x10']
  return Object.fromEntries([...flows, ...served, build])
}

/** Of a histogram with so many new observations a minute at or below each bound. */
const buckets = (name: string, counts: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(counts).map(([le, count]) => [`${name}_bucket{${ON_A},le="${le}"}`, `0+${count}x10`]))

const perHour = (provider: string, scope: string, dollars: number): Record<string, number> => ({
  [`{cluster="${provider}", scope="${scope}"}`]: dollars,
})

const CASES: readonly RecordingCase[] = [
  {
    name: 'bytes, over two nodes',
    series: {
      [`meshtoll_zone_bytes_total{${ON_A},src_zone="a",dst_zone="b",scope="cross_zone"}`]: '0+60x10',
      [`meshtoll_zone_bytes_total{${ON_B},src_zone="a",dst_zone="b",scope="cross_zone"}`]: '0+120x10',
      [`meshtoll_zone_bytes_total{${ON_B},src_zone="a",dst_zone="a",scope="same_zone"}`]: '0+600x10',
      [`meshtoll_flow_bytes_total{${ON_A},${CART},${toStock('b')},scope="cross_zone"}`]: '0+60x10',
      [`meshtoll_flow_bytes_total{${ON_B},${CART},${toStock('b')},scope="cross_zone"}`]: '0+60x10',
      [`meshtoll_flow_bytes_total{${ON_B},${ISTIOD},${toStock('b')},scope="cross_zone"}`]: '0+60x10',
      [`meshtoll_flow_bytes_total{${ON_B},${CART},${toStock('a')},scope="same_zone"}`]: '0+60x10',
      [`meshtoll_flow_bytes_total{${ON_B},${CART},dst_zone="b",dst_owner_name="far",scope="cross_zone"}`]: '0+60x10',
      [`meshtoll_flow_bytes_total{${ON_B},${CART},dst_owner_name="www",scope="to_external"}`]: '0+60x10',
    },
    at: '10m',
    wanted: {
      'zone_pair:meshtoll_zone_bytes:rate': {
        'zone_pair:meshtoll_zone_bytes:rate{src_zone="a",dst_zone="b",scope="cross_zone"}': 3,
        'zone_pair:meshtoll_zone_bytes:rate{src_zone="a",dst_zone="a",scope="same_zone"}': 10,
      },
      'cluster:meshtoll_cross_zone_bytes:rate': { 'cluster:meshtoll_cross_zone_bytes:rate': 3 },
      'owner_pair:meshtoll_flow_bytes:rate{dst_owner_name="stock"}': {
        [`owner_pair:meshtoll_flow_bytes:rate{${CART},${toStock('b')},scope="cross_zone"}`]: 2,
        [`owner_pair:meshtoll_flow_bytes:rate{${ISTIOD},${toStock('b')},scope="cross_zone"}`]: 1,
        [`owner_pair:meshtoll_flow_bytes:rate{${CART},${toStock('a')},scope="same_zone"}`]: 1,
      },
      'src_owner:meshtoll_flow_bytes:rate{scope="cross_zone"}': {
        [`src_owner:meshtoll_flow_bytes:rate{${CART},scope="cross_zone"}`]: 3,
        [`src_owner:meshtoll_flow_bytes:rate{${ISTIOD},scope="cross_zone"}`]: 1,
      },
      'dst_owner:meshtoll_flow_bytes:rate{dst_owner_name="stock"}': {
        [`dst_owner:meshtoll_flow_bytes:rate{${toStock('b')},scope="cross_zone"}`]: 3,
        [`dst_owner:meshtoll_flow_bytes:rate{${toStock('a')},scope="same_zone"}`]: 1,
      },
      'dst_owner:meshtoll_flow_bytes_same_zone:ratio_rate': {
        [`dst_owner:meshtoll_flow_bytes_same_zone:ratio_rate{${STOCK}}`]: 0.25,
        'dst_owner:meshtoll_flow_bytes_same_zone:ratio_rate{dst_owner_name="far"}': 0,
      },
      'pilot:meshtoll_flow_bytes:rate': { [`pilot:meshtoll_flow_bytes:rate{${ISTIOD.replace('src_zone="a",', '')}}`]: 1 },
      // By the sums of zones, which hold what was folded as well.
      'cluster:meshtoll_pilot_cross_zone_bytes:ratio_rate * 3': { '{}': 1 },
    },
  },
  {
    name: 'dollars: AWS takes from both sides, GCP from one, Azure from nobody; the internet costs outward only',
    series: { ...nodeOf('aws'), ...nodeOf('gcp'), ...nodeOf('azure') },
    at: '10m',
    wanted: {
      'round(sum by (cluster, scope) (owner_pair:meshtoll_transfer_dollars_per_hour:rate), 0.001)': {
        ...perHour('aws', 'cross_zone', 72),
        ...perHour('gcp', 'cross_zone', 36),
        ...perHour('azure', 'cross_zone', 0),
        ...Object.assign({}, ...['aws', 'gcp', 'azure'].map((one) => perHour(one, 'cross_region', 72))),
        ...Object.assign({}, ...['aws', 'gcp', 'azure'].map((one) => perHour(one, 'to_external', 324))),
        ...Object.assign({}, ...['aws', 'gcp', 'azure'].map((one) => perHour(one, 'from_external', 0))),
      },
      'round(owner_pair:meshtoll_transfer_dollars_per_month:rate{cluster="aws",scope="cross_zone"}, 0.001)': {
        [`{cluster="aws",${CART},scope="cross_zone"}`]: 51_840,
      },
    },
  },
  {
    name: 'dollars are for bytes on the wire, where they are known',
    series: {
      ...Object.fromEntries(['a', 'b', 'c'].map((node) => [`meshtoll_build_info{job="meshtoll",instance="${node}"}`, '1+0x10'])),
      ...Object.fromEntries(
        ['a', 'b', 'c'].map((node) => [
          `meshtoll_flow_bytes_total{job="meshtoll",instance="${node}",${CART},src_owner_name="${node}",scope="cross_zone"}`.replace(
            'src_owner_name="cart",',
            '',
          ),
          '0+6000x10',
        ]),
      ),
      [`meshtoll_flow_bytes_total{${ON_A},src_owner_name="www",scope="from_external"}`]: '0+6000x10',
      // 94,000 less 14 for each of 1,000 packets is 80,000; the other device says nothing of the wire.
      [`meshtoll_node_network_transmit_bytes_total{${ON_A},device="eth0"}`]: '0+94000x10',
      [`meshtoll_node_network_transmit_packets_total{${ON_A},device="eth0"}`]: '0+1000x10',
      [`meshtoll_node_network_transmit_bytes_total{${ON_A},device="veth1"}`]: '0+94000x10',
      [`meshtoll_node_network_transmit_packets_total{${ON_A},device="veth1"}`]: '0+1000x10',
      [`meshtoll_node_wire_bytes_total{${ON_A},device="eth0"}`]: '0+100000x10',
      // Its card counts padding: less on the wire than it sent.
      'meshtoll_node_network_transmit_bytes_total{job="meshtoll",instance="c",device="eth0"}': '0+94000x10',
      'meshtoll_node_network_transmit_packets_total{job="meshtoll",instance="c",device="eth0"}': '0+1000x10',
      'meshtoll_node_wire_bytes_total{job="meshtoll",instance="c",device="eth0"}': '0+60000x10',
    },
    at: '10m',
    wanted: {
      'instance:meshtoll_node_wire_bytes:ratio_rate': {
        [`instance:meshtoll_node_wire_bytes:ratio_rate{${ON_A}}`]: 1.25,
        [`instance:meshtoll_node_wire_bytes:ratio_rate{${ON_B}}`]: 1,
        'instance:meshtoll_node_wire_bytes:ratio_rate{job="meshtoll",instance="c"}': 1,
      },
      'sum by (src_owner_name) (owner_pair:meshtoll_flow_wire_bytes:rate)': {
        '{src_owner_name="a"}': 125,
        '{src_owner_name="b"}': 100,
        '{src_owner_name="c"}': 100,
        '{src_owner_name="www"}': 100,
      },
    },
  },
  {
    name: 'pushes',
    series: {
      [`meshtoll_pilot_xds_pushes_total{${ON_A},xds="cds"}`]: '0+60x10',
      [`meshtoll_pilot_xds_pushes_total{${ON_B},xds="cds"}`]: '0+120x10',
      [`meshtoll_pilot_push_causes_total{${ON_A},config_kind="Secret",config_namespace="shop",config_name="tls",push="full"}`]: '0+60x10',
      [`meshtoll_pilot_push_causes_total{${ON_B},config_kind="Secret",config_namespace="shop",config_name="tls",push="full"}`]: '0+60x10',
      [`meshtoll_pilot_push_causes_total{${ON_B},config_kind="_other",push="full"}`]: '0+60x10',
      [`meshtoll_pilot_xds_config_bytes_total{${ON_A},xds="cds"}`]: '0+60000x10',
      [`meshtoll_pilot_proxies{${ON_A},version="1.31"}`]: '3+0x10',
      [`meshtoll_pilot_proxies{${ON_B},version="1.30"}`]: '1+0x10',
    },
    at: '10m',
    wanted: {
      'xds:meshtoll_pilot_xds_pushes:rate': { 'xds:meshtoll_pilot_xds_pushes:rate{xds="cds"}': 3 },
      'cause:meshtoll_pilot_push_causes:rate{config_kind="Secret"}': {
        'cause:meshtoll_pilot_push_causes:rate{config_kind="Secret",config_namespace="shop",config_name="tls",push="full"}': 2,
      },
      'push:meshtoll_pilot_push_causes:rate': { 'push:meshtoll_pilot_push_causes:rate{push="full"}': 3 },
      'round(cluster:meshtoll_pilot_xds_config_bytes_per_proxy:rate, 0.001)': { '{}': 250 },
    },
  },
  {
    name: 'convergence: half of the first second, and all of what can be told',
    series: {
      ...buckets('meshtoll_pilot_debounce_seconds', { 1: 100, 30: 100, '+Inf': 200 }),
      ...buckets('meshtoll_pilot_proxy_convergence_seconds', { 1: 100, 30: 100, '+Inf': 200 }),
      ...buckets('meshtoll_pilot_proxy_queue_seconds', { 1: 100, '+Inf': 100 }),
    },
    at: '10m',
    wanted: {
      'cluster:meshtoll_pilot_convergence_seconds:quantile': {
        'cluster:meshtoll_pilot_convergence_seconds:quantile{quantile="0.5"}': 2,
        'cluster:meshtoll_pilot_convergence_seconds:quantile{quantile="0.99"}': 60,
      },
      'cluster:meshtoll_pilot_proxy_queue_seconds:quantile': {
        'cluster:meshtoll_pilot_proxy_queue_seconds:quantile{quantile="0.99"}': 0.99,
      },
    },
  },
  {
    name: 'what proxies use of what they reserve, over zones',
    series: {
      [`meshtoll_proxy_cpu_seconds_total{${ON_A},owner_zone="a",${SHOP_CART}}`]: '0+30x10',
      [`meshtoll_proxy_cpu_seconds_total{${ON_B},owner_zone="b",${SHOP_CART}}`]: '0+30x10',
      [`meshtoll_proxy_cpu_request_cores{${ON_A},owner_zone="a",${SHOP_CART}}`]: '3+0x10',
      [`meshtoll_proxy_cpu_request_cores{${ON_B},owner_zone="b",${SHOP_CART}}`]: '1+0x10',
      [`meshtoll_proxy_memory_working_set_bytes{${ON_A},owner_zone="a",${SHOP_CART}}`]: '100+0x10',
      [`meshtoll_proxy_memory_request_bytes{${ON_A},owner_zone="a",${SHOP_CART}}`]: '200+0x10',
    },
    at: '10m',
    wanted: {
      'owner:meshtoll_proxy_cpu_request:ratio_rate': { [`owner:meshtoll_proxy_cpu_request:ratio_rate{${SHOP_CART}}`]: 0.25 },
      'owner:meshtoll_proxy_memory_request:ratio': { [`owner:meshtoll_proxy_memory_request:ratio{${SHOP_CART}}`]: 0.5 },
    },
  },
]

for (const { name, path } of PROMTOOLS) {
  t.test(name, { skip: reasonToSkip(['prometheus', 'promtool']) ?? false }, async (t) => {
    t.equal(testRules(path(), CASES.map(recordingTest), { folder: t.testdir(), interval: '1m' }), '')
  })
}
