// Alerts about istiod and the proxies.
import { type AlertCase, type FiringAlert, testAlerts } from './promtool.js'

const ISTIOD = 'src_namespace="istio-system",src_owner_kind="Deployment",src_owner_name="istiod"'
const QUANTILE = 'cluster:meshtoll_pilot_convergence_seconds:quantile'
const QUEUE = 'cluster:meshtoll_pilot_proxy_queue_seconds:quantile'
const CPU = 'owner:meshtoll_proxy_cpu_request:ratio_rate'
const ownerOf = (name: string): string => `owner_namespace="shop",owner_kind="Deployment",owner_name="${name}"`
const CART = { owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: 'cart' }
const ZTUNNEL = 'owner_namespace="istio-system",owner_kind="DaemonSet",owner_name="ztunnel"'
const PILOT = 'owner_namespace="istio-system",owner_kind="Deployment",owner_name="istiod"'

/** By two istiods, and one that was on a third node. */
const causes = (labels: string, values: string): Record<string, string> => ({
  ...Object.fromEntries(['a', 'b'].map((instance) => [`meshtoll_pilot_push_causes_total{instance="${instance}",${labels}}`, values])),
  [`meshtoll_pilot_push_causes_total{instance="c",${labels}}`]: '99+0x70',
})

const disconnected = (owner: typeof CART, istiods: string): readonly FiringAlert[] => [
  {
    labels: { ...owner, severity: 'critical' },
    summary: `Proxies of ${owner.owner_namespace}/${owner.owner_name} cannot reach istiod.`,
    description: `For 10m each proxy of ${owner.owner_kind} ${owner.owner_namespace}/${owner.owner_name} has lost, or could not make, 20.0 connections to istiod every 5m, on average: they go on with the configuration they have, and new pods do not become ready. ${istiods}`,
  },
]

const CASES: readonly AlertCase[] = [
  {
    alert: 'ControlPlaneBytesHigh',
    interval: '10m',
    series: {
      [`pilot:meshtoll_flow_bytes:rate{${ISTIOD}}`]: '1e5+0x150 5e5+0x2 6e5+0x9 1e5+0x20',
      // Six times of little.
      [`pilot:meshtoll_flow_bytes:rate{${ISTIOD.replace('"istiod"', '"istiod-canary"')}}`]: '1e4+0x150 5e4+0x2 6e4+0x9 1e4+0x20',
      'cluster:meshtoll_pilot_cross_zone_bytes:ratio_rate': '0.4+0x200',
    },
    quiet: ['1530m', '1550m'],
    fires: '1560m',
    firing: [
      {
        labels: { src_namespace: 'istio-system', src_owner_kind: 'Deployment', src_owner_name: 'istiod', severity: 'warning' },
        summary: 'istio-system/istiod sends more than 5 times what it usually does.',
        description: "istio-system/istiod sends 600kB/s; usual over 1d is 100kB/s. Of all that crosses zones 40% is istiod's.",
      },
    ],
    clears: '1640m',
  },
  {
    alert: 'PushStorm',
    series: {
      ...causes('config_kind="ServiceEntry",config_namespace="my-app",config_name="arangodb",push="full"', '0+9x20 195+15x20 495+0x20'),
      ...causes('config_kind="Secret",config_namespace="shop",config_name="tls",push="full"', '0+3x70'),
      ...causes('config_kind="Endpoints",config_namespace="shop",config_name="cart",push="incremental"', '0+600x70'),
    },
    quiet: ['20m', '30m'],
    fires: '36m',
    firing: [
      {
        labels: { severity: 'warning' },
        summary: 'istiod pushes to all proxies again and again.',
        description:
          'The istiods of one node push 0.30 times a second. Causes, over all nodes: ServiceEntry my-app/arangodb (0.50/s), Secret shop/tls (0.10/s).',
      },
    ],
    clears: '48m',
  },
  {
    alert: 'ConvergenceSlow',
    series: {
      [`${QUANTILE}{cluster="c1",quantile="0.99"}`]: '10+0x5 12.5+0x14 10+0x10',
      [`${QUANTILE}{cluster="c2",quantile="0.5"}`]: '12.5+0x40',
      [`${QUEUE}{cluster="c1",quantile="0.99"}`]: '7+0x40',
    },
    quiet: ['5m', '15m'],
    fires: '16m',
    firing: [
      {
        labels: { cluster: 'c1', quantile: '0.99', severity: 'warning' },
        summary: 'Proxies hear of changes late in cluster c1.',
        description:
          "One in a hundred proxies gets a change 12.5s after it or later; 10s is the limit. In istiod's queue it waits 7s of that.",
      },
    ],
    clears: '21m',
  },
  {
    alert: 'ConfigRejected',
    name: 'as the proxy says',
    series: {
      // The first proxy of its owner there, which begins with a reject: agents serve it at 0 first.
      [`meshtoll_proxy_config_rejected_total{instance="a",${ownerOf('cart')},xds="lds"}`]: '_x5 0 1+0x30',
      [`meshtoll_proxy_config_rejected_total{instance="a",${ownerOf('web')},xds="lds"}`]: '4+0x40',
      // The same one, once more: heard of a little earlier.
      [`meshtoll_pilot_xds_rejects_total{instance="b",${PILOT},xds="lds"}`]: '0+0x4 1+0x30',
    },
    quiet: ['5m'],
    fires: '6m',
    firing: [
      {
        labels: { ...CART, xds: 'lds', severity: 'warning' },
        summary: 'Proxies reject configuration of istiod, as shop/cart says.',
        description: 'Rejected updates of lds within 10m, as Deployment shop/cart says: 1. What they change is not in force there.',
      },
    ],
    clears: '17m',
  },
  {
    alert: 'ConfigRejected',
    name: 'as istiod alone says',
    series: { [`meshtoll_pilot_xds_rejects_total{instance="b",${PILOT},xds="rds"}`]: '_x5 0 2+0x30' },
    quiet: ['7m'],
    fires: '8m',
    firing: [
      {
        labels: { owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod', xds: 'rds', severity: 'warning' },
        summary: 'Proxies reject configuration of istiod, as istio-system/istiod says.',
        description:
          'Rejected updates of rds within 10m, as Deployment istio-system/istiod says: 2. What they change is not in force there.',
      },
    ],
    clears: '19m',
  },
  {
    alert: 'ConfigUnacknowledged',
    series: {
      [`meshtoll_pilot_unacknowledged_seconds{instance="a",${PILOT},xds="lds",status="stale"}`]: '0+0x5 300+0x4 360+60x14 0+0x15',
      // Of another istiod, less far behind.
      [`meshtoll_pilot_unacknowledged_seconds{instance="b",${PILOT},xds="lds",status="stale"}`]: '250+0x45',
      [`meshtoll_pilot_unacknowledged_seconds{instance="a",${PILOT},xds="cds",status="error"}`]: '300+0x40',
      [`meshtoll_pilot_unacknowledged_proxies{instance="a",${PILOT},xds="lds",status="stale"}`]: '2+0x40',
      [`meshtoll_pilot_unacknowledged_proxies{instance="b",${PILOT},xds="lds",status="stale"}`]: '1+0x40',
    },
    quiet: ['10m', '15m'],
    fires: '20m',
    firing: [
      {
        labels: {
          ...{ owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' },
          ...{ xds: 'lds', status: 'stale', severity: 'warning' },
        },
        summary: 'Proxies run on with old configuration, as istio-system/istiod says.',
        description: 'What Deployment istio-system/istiod sent of lds is not acknowledged for 15m 0s (status stale); 3 proxies are behind.',
      },
    ],
    clears: '30m',
  },
  {
    alert: 'StaleHosts',
    series: {
      [`meshtoll_proxy_stale_hosts{instance="a",${ownerOf('cart')},dst_namespace="shop",dst_owner_kind="Deployment",dst_owner_name="stock"}`]:
        '0+0x5 2+0x14 0+0x20',
      [`meshtoll_proxy_stale_hosts{instance="b",${ownerOf('cart')},dst_namespace="shop",dst_owner_kind="Deployment",dst_owner_name="stock"}`]:
        '0+0x5 1+0x14 0+0x20',
      // Gone as soon as the next push.
      [`meshtoll_proxy_stale_hosts{instance="a",${ownerOf('web')},dst_namespace="shop",dst_owner_kind="Deployment",dst_owner_name="stock"}`]:
        '0+0x5 5+0x4 0+0x40',
    },
    quiet: ['5m', '10m'],
    fires: '11m',
    firing: [
      {
        labels: { ...CART, dst_namespace: 'shop', dst_owner_kind: 'Deployment', dst_owner_name: 'stock', severity: 'warning' },
        summary: 'Proxies of shop/cart list hosts of shop/stock whose pods have ended.',
        description:
          'Proxies of Deployment shop/cart list 3 hosts of Deployment shop/stock whose pods have ended, each once a proxy: requests that are sent there fail.',
      },
    ],
    clears: '21m',
  },
  {
    // As pilot-agents counted in the lab: cart and web have two proxies each.
    alert: 'ProxiesDisconnected',
    series: {
      [`meshtoll_proxies{instance="a",${ownerOf('cart')}}`]: '2+0x60',
      [`meshtoll_proxy_istiod_connection_failures_total{instance="a",${ownerOf('cart')}}`]: '0+0x60',
      [`meshtoll_proxy_istiod_connection_terminations_total{instance="a",${ownerOf('cart')}}`]: '2+0x10 22+8x20 182+0x20',
      // Away for a minute.
      [`meshtoll_proxies{instance="a",${ownerOf('web')}}`]: '2+0x60',
      [`meshtoll_proxy_istiod_connection_failures_total{instance="a",${ownerOf('web')}}`]: '0+0x60',
      [`meshtoll_proxy_istiod_connection_terminations_total{instance="a",${ownerOf('web')}}`]: '2+0x10 22+0x60',
      // Of two hundred proxies, which connect anew every half an hour.
      [`meshtoll_proxies{instance="a",${ownerOf('busy')}}`]: '200+0x60',
      [`meshtoll_proxy_istiod_connection_failures_total{instance="a",${ownerOf('busy')}}`]: '0+0x60',
      [`meshtoll_proxy_istiod_connection_terminations_total{instance="a",${ownerOf('busy')}}`]: '0+7x60',
      [`meshtoll_pilot_proxies{instance="b",${PILOT},version="1.31"}`]: '150+0x60',
    },
    quiet: ['11m', '20m'],
    fires: '25m',
    firing: disconnected(CART, 'All istiods together have 150 proxies connected.'),
    clears: '37m',
  },
  {
    alert: 'ProxiesDisconnected',
    name: 'ztunnels, and no istiod is there',
    series: {
      [`meshtoll_ztunnels{instance="a",${ZTUNNEL}}`]: '1+0x60',
      [`meshtoll_ztunnel_istiod_connection_failures_total{instance="a",${ZTUNNEL}}`]: '0+0x10 4+4x30',
      [`meshtoll_ztunnel_istiod_connection_terminations_total{instance="a",${ZTUNNEL}}`]: '0+0x10 1+0x30',
    },
    quiet: ['11m', '20m'],
    fires: '30m',
    firing: disconnected({ owner_namespace: 'istio-system', owner_kind: 'DaemonSet', owner_name: 'ztunnel' }, 'No agent sees an istiod.'),
    clears: '50m',
  },
  {
    alert: 'ProxyOverReserved',
    interval: '1h',
    series: {
      [`${CPU}{${ownerOf('cart')}}`]: '0.5+0x25 0.1+0x40 0.5+0x10',
      [`meshtoll_proxy_cpu_request_cores{instance="a",${ownerOf('cart')}}`]: '50+0x80',
      [`${CPU}{${ownerOf('web')}}`]: '0.1+0x80',
      [`meshtoll_proxy_cpu_request_cores{instance="a",${ownerOf('web')}}`]: '10+0x80',
      // Never used, and little.
      [`${CPU}{owner_namespace="stock",owner_kind="Deployment",owner_name="api"}`]: '0+0x80',
      'meshtoll_proxy_cpu_request_cores{instance="a",owner_namespace="stock",owner_kind="Deployment",owner_name="api"}': '50+0x80',
    },
    quiet: ['40h'],
    fires: '60h',
    firing: [
      {
        labels: { owner_namespace: 'shop', severity: 'info' },
        summary: 'Proxies of namespace shop reserve 54 cores that they do not use.',
        description:
          'Of 60 cores that proxies of namespace shop reserve, 54 were not used over 95 % of 1d: nodes are bought for them. Most is reserved by Deployment cart, 50.0 cores.',
      },
    ],
    clears: '72h',
  },
]

testAlerts(CASES)
