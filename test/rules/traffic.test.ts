// Alerts about what crosses zones, and what is sent in vain.
import { type AlertCase, testAlerts } from './promtool.js'

const CROSS = 'cluster:meshtoll_cross_zone_bytes:rate'
const CART = 'src_namespace="shop",src_owner_kind="Deployment",src_owner_name="cart"'
const CART_DB = `${CART},dst_namespace="data",dst_owner_kind="StatefulSet",dst_owner_name="db"`
const TO_STOCK = 'dst_namespace="shop",dst_owner_kind="Deployment",dst_owner_name="stock"'
const SERVICE = 'service_namespace="my-app",service_name="arangodb-cluster-int"'

const CASES: readonly AlertCase[] = [
  {
    alert: 'CrossZoneBytesHigh',
    series: {
      [`${CROSS}{cluster="c1"}`]: '1e8+0x5 1.2e8+0x19 1e8+0x5',
      [`${CROSS}{cluster="c2"}`]: '1e8+0x40',
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
        description: '120MB/s cross zones or regions; the budget is 100MB/s. Most is from shop/cart to data/db, 70MB/s.',
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
      [`meshtoll_phantom_window_seconds{instance="a",${CART},${TO_STOCK}}`]: '30+0x5 95+0x10 30+0x5',
      [`meshtoll_phantom_bytes_total{instance="a",${CART},${TO_STOCK}}`]: '12000+0x40',
      [`meshtoll_phantom_bytes_total{instance="b",src_namespace="shop",src_owner_name="web",${TO_STOCK}}`]: '8000+0x40',
      [`meshtoll_phantom_window_seconds{instance="a",${CART_DB}}`]: '95+0x40',
      [`meshtoll_phantom_bytes_total{instance="a",${CART_DB}}`]: '10000+0x40',
    },
    quiet: ['5m'],
    fires: '6m',
    firing: [
      {
        labels: { dst_namespace: 'shop', dst_owner_kind: 'Deployment', dst_owner_name: 'stock', severity: 'warning' },
        summary: 'Pods of shop/stock are sent bytes long after they ended.',
        description: 'Bytes still came 1m 35s after the end of a pod of Deployment shop/stock. Most is from shop/cart, 12kB.',
      },
    ],
    clears: '17m',
  },
  {
    alert: 'EndpointFlapping',
    series: {
      [`meshtoll_endpoint_changes_total{instance="a",${SERVICE},change="added"}`]: '0+1x100',
      [`meshtoll_endpoint_changes_total{instance="a",${SERVICE},change="removed"}`]: '0+1x20 22+2x60 142+0x30',
      [`meshtoll_endpoint_pod_restarts_total{instance="a",${SERVICE},reason="OOMKilled"}`]: '0+1x100',
      [`meshtoll_endpoint_pod_restarts_total{instance="a",${SERVICE},reason="Error"}`]: '5+0x100',
      'meshtoll_endpoint_changes_total{instance="a",service_namespace="shop",service_name="cart",change="ready"}': '0+2x100',
    },
    quiet: ['20m', '50m'],
    fires: '60m',
    firing: [
      {
        labels: { service_namespace: 'my-app', service_name: 'arangodb-cluster-int', severity: 'warning' },
        summary: 'Endpoints of my-app/arangodb-cluster-int come and go.',
        description:
          '30 changes of endpoints of Service my-app/arangodb-cluster-int within 10m, each of which istiod tells to proxies. Its pods restart, mostly by OOMKilled.',
      },
    ],
    clears: '95m',
  },
]

testAlerts(CASES)
