// Alerts about what crosses zones, and what is sent in vain.
import { type AlertCase, type FiringAlert, testAlerts } from './promtool.js'

const CROSS = 'cluster:meshtoll_cross_zone_bytes:rate'
const CART = 'src_namespace="shop",src_owner_kind="Deployment",src_owner_name="cart"'
const CART_DB = `${CART},dst_namespace="data",dst_owner_kind="StatefulSet",dst_owner_name="db"`
const TO_STOCK = 'dst_namespace="shop",dst_owner_kind="Deployment",dst_owner_name="stock"'
const CART_CACHE = `${CART},dst_namespace="data",dst_owner_kind="StatefulSet",dst_owner_name="cache"`
const CART_QUEUE = `${CART},dst_namespace="data",dst_owner_kind="StatefulSet",dst_owner_name="queue"`
const CART_SERVICE = 'service_namespace="shop",service_name="cart"'
const SERVICE = 'service_namespace="my-app",service_name="arangodb-cluster-int"'

const price = (cluster: string, scope: string, dollars: number): Record<string, string> => ({
  [`meshtoll_transfer_price_dollars_per_byte{cluster="${cluster}",instance="a",scope="${scope}"}`]: `${dollars}+0x40`,
})

/** Of one directory, by the change. */
const changes = (service: string, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([change, one]) => [`meshtoll_endpoint_changes_total{instance="a",${service},change="${change}"}`, one]),
  )

const phantomsOf = (bytes: string): readonly FiringAlert[] => [
  {
    labels: { dst_namespace: 'shop', dst_owner_kind: 'Deployment', dst_owner_name: 'stock', severity: 'warning' },
    summary: 'Pods of shop/stock are sent bytes long after they ended.',
    description: `Bytes still came 1m 35s after the end of a pod of Deployment shop/stock. Within 15m most is from shop/cart, ${bytes}: what is called there fails.`,
  },
]

const flapping = (times: number, why: string): readonly FiringAlert[] => [
  {
    labels: { service_namespace: 'my-app', service_name: 'arangodb-cluster-int', severity: 'warning' },
    summary: 'Endpoints of my-app/arangodb-cluster-int come and go.',
    description: `${times} times within 10m an endpoint of Service my-app/arangodb-cluster-int became ready again, or was gone within a minute of it, and istiod told proxies each time. ${why}`,
  },
]

const CASES: readonly AlertCase[] = [
  {
    alert: 'CrossZoneBytesHigh',
    series: {
      [`${CROSS}{cluster="c2"}`]: '1e8+0x40',
      [`zone_pair:meshtoll_zone_bytes:rate{cluster="c1",scope="cross_zone"}`]: '1e8+0x5 1.2e8+0x19 1e8+0x5',
      [`zone_pair:meshtoll_zone_bytes:rate{cluster="c1",scope="to_external"}`]: '9e9+0x40',
      ...price('c1', 'cross_zone', 2e-11),
      ...price('c1', 'to_external', 9e-11),
      ...price('c2', 'cross_zone', 1),
      [`owner_pair:meshtoll_flow_bytes:rate{cluster="c1",${CART_DB},scope="cross_zone"}`]: '7e7+0x40',
      [`owner_pair:meshtoll_flow_bytes:rate{cluster="c1",${CART},${TO_STOCK},scope="same_zone"}`]: '9e9+0x40',
      [`owner_pair:meshtoll_flow_bytes:rate{cluster="c2",${CART},${TO_STOCK},scope="cross_zone"}`]: '1e8+0x40',
    },
    quiet: ['5m', '20m'],
    fires: '21m',
    firing: [
      {
        labels: { cluster: 'c1', severity: 'warning' },
        summary: 'More bytes cross zones than the budget allows in cluster c1.',
        description:
          '120MB/s cross zones or regions; the budget is 100MB/s. At the prices of your configuration that is $6221 in 30 days. Most is from shop/cart to data/db, 70MB/s.',
      },
    ],
    clears: '26m',
  },
  {
    alert: 'CrossZoneBytesGrowing',
    interval: '30m',
    series: {
      [`${CROSS}{cluster="grows"}`]: '1e6+0x340 3e6+0x10 1e6+0x20',
      [`${CROSS}{cluster="grew last week as well"}`]: '1e6+0x4 3e6+0x10 1e6+0x324 3e6+0x10 1e6+0x20',
      [`${CROSS}{cluster="is new"}`]: '_x280 1e6+0x60 3e6+0x10 1e6+0x20',
      [`${CROSS}{cluster="is small"}`]: '1e3+0x340 3e3+0x10 1e3+0x20',
      [`${CROSS}{cluster="doubles"}`]: '1e6+0x340 2e6+0x10 1e6+0x20',
    },
    quiet: ['170h', '171h'],
    fires: '172h',
    firing: [
      {
        labels: { cluster: 'grows', severity: 'info' },
        summary: 'Far more bytes cross zones than at this hour before in cluster grows.',
        description: '3MB/s crossed zones or regions over 1h, more than 2 times what it was 1d ago (1MB/s) and 1w ago (1MB/s).',
      },
      {
        labels: { cluster: 'is new', severity: 'info' },
        summary: 'Far more bytes cross zones than at this hour before in cluster is new.',
        description: '3MB/s crossed zones or regions over 1h, more than 2 times what it was 1d ago (1MB/s).',
      },
    ],
    clears: '177h',
  },
  {
    alert: 'PhantomTraffic',
    series: {
      // Born with what it counts, two of three megabytes.
      [`meshtoll_phantom_window_seconds{instance="a",${CART},${TO_STOCK}}`]: '_x20 95+0x60 _x20',
      [`meshtoll_phantom_bytes_total{instance="a",${CART},${TO_STOCK}}`]: '_x20 7e5+0x60 _x20',
      [`meshtoll_phantom_bytes_total{instance="b",src_namespace="shop",src_owner_name="web",${TO_STOCK}}`]: '_x20 4e5+0x60 _x20',
      'meshtoll_build_info{instance="a"}': '1+0x100',
      'meshtoll_build_info{instance="b"}': '1+0x100',
      // Of a node that was not scraped for an hour.
      [`meshtoll_phantom_window_seconds{instance="c",${CART_QUEUE}}`]: '95 _x60 95+0x30',
      [`meshtoll_phantom_bytes_total{instance="c",${CART_QUEUE}}`]: '9e6 _x60 9e6+0x30',
      'meshtoll_build_info{instance="c"}': '1 _x60 1+0x30',
      // Much, since a long time.
      [`meshtoll_phantom_window_seconds{instance="a",${CART_DB}}`]: '95+0x100',
      [`meshtoll_phantom_bytes_total{instance="a",${CART_DB}}`]: '9e6+0x100',
      // Much, at once.
      [`meshtoll_phantom_window_seconds{instance="a",${CART_CACHE}}`]: '30+0x100',
      [`meshtoll_phantom_bytes_total{instance="a",${CART_CACHE}}`]: '0+0x20 9e6+0x80',
    },
    quiet: ['19m', '62m', '70m'],
    fires: '21m',
    firing: phantomsOf('700kB'),
    clears: '36m',
  },
  {
    alert: 'PhantomTraffic',
    name: 'of a series that goes on',
    series: {
      [`meshtoll_phantom_window_seconds{instance="a",${CART},${TO_STOCK}}`]: '95+0x100',
      [`meshtoll_phantom_bytes_total{instance="a",${CART},${TO_STOCK}}`]: '7e6+0x40 7e6+1e5x20 9e6+0x50',
    },
    quiet: ['40m', '48m'],
    fires: '61m',
    firing: phantomsOf('1.5MB'),
    clears: '72m',
  },
  {
    alert: 'EndpointFlapping',
    series: {
      ...changes(SERVICE, { added: '0+0x120', ready: '0+1x20 22+2x60 142+0x40', unready: '0+1x20 22+2x60 142+0x40', removed: '0+0x120' }),
      [`meshtoll_endpoint_pod_restarts_total{instance="a",${SERVICE},reason="OOMKilled"}`]: '0+1x100',
      [`meshtoll_endpoint_pod_restarts_total{instance="a",${SERVICE},reason="Error"}`]: '5+0x100',
      // A rollout of two hours, five pods a minute.
      ...changes(CART_SERVICE, { added: '0+5x120', ready: '0+5x120', unready: '0+5x120', removed: '0+5x120' }),
    },
    quiet: ['20m', '35m'],
    fires: '45m',
    firing: flapping(20, 'Its pods end, mostly by OOMKilled.'),
    clears: '90m',
  },
  {
    alert: 'EndpointFlapping',
    name: 'pods that come and go',
    series: {
      ...changes(SERVICE, { added: '0+2x60', ready: '0+1x60', unready: '0+1x60', removed: '0+2x60' }),
      [`meshtoll_endpoint_pod_restarts_total{instance="a",${SERVICE},reason="ShortLived"}`]: '0+0x20 2+2x20 42+0x60',
    },
    quiet: ['20m', '35m'],
    fires: '41m',
    firing: flapping(20, 'Its pods end, mostly by ShortLived.'),
    clears: '52m',
  },
  {
    alert: 'EndpointFlapping',
    name: 'a probe',
    series: changes(SERVICE, { added: '3+0x60', ready: '0+3x40 123+0x20', unready: '0+3x40 123+0x20', removed: '0+0x60' }),
    quiet: ['15m'],
    fires: '30m',
    firing: flapping(30, 'Its pods do not restart: look at their readiness probes.'),
    clears: '50m',
  },
]

testAlerts(CASES)
