// What queries of panels are made of. No function but those that Prometheus 2.42, Thanos, Mimir and VictoriaMetrics all have.
import { readRuleSettings } from '../rules.js'

/** Empty where one server has one cluster: then every series matches. */
export const CLUSTER = 'cluster=~"$cluster"'
const SETTINGS = readRuleSettings()

/** By its zone, namespace and name, as the variables say. */
export const SRC = `${CLUSTER},src_zone=~"$zone",src_namespace=~"$namespace",src_owner_name=~"$owner"`
export const DST = `${CLUSTER},dst_zone=~"$zone",dst_namespace=~"$namespace",dst_owner_name=~"$owner"`
export const OWNER = `${CLUSTER},owner_zone=~"$zone",owner_namespace=~"$namespace",owner_name=~"$owner"`
export const CROSSING = 'scope=~"cross_zone|cross_region"'
/** All bytes between known zones. */
export const ZONED = 'scope=~"same_zone|cross_zone|cross_region"'
/** As the recording rules tell istiod. */
export const ISTIOD = `src_owner_kind="Deployment",src_owner_name=~"${SETTINGS.recording['istiod']}"`

/** Bytes that istiods send, by owner pair. */
export const sent = (selector = ISTIOD): string => `owner_pair:meshtoll_flow_bytes:rate{${CLUSTER},${selector}}`

export const rate = (family: string, selector = CLUSTER): string => `rate(${family}{${selector}}[$__rate_interval])`

/** `labels`: as PromQL has them, `a, b`; empty for all together. */
export const sum = (labels: string, expr: string): string => aggregate('sum', labels, expr)
export const max = (labels: string, expr: string): string => aggregate('max', labels, expr)
export const min = (labels: string, expr: string): string => aggregate('min', labels, expr)
export const count = (labels: string, expr: string): string => aggregate('count', labels, expr)
export const top = (expr: string, many = 10): string => `topk(${many}, ${expr})`

/** By two labels, for a matrix, whose rows and columns want a name: what is outside of the cluster has no zone. */
export const cells = (rows: string, columns: string, expr: string): string =>
  [rows, columns].reduce(
    (named, label) => `label_replace(${named}, "${label}", "outside", "${label}", "")`,
    sum(`${rows}, ${columns}`, expr),
  )

/** So that nothing of a kind is 0, and no hole. */
export const orZero = (expr: string): string => `(${expr} or vector(0))`

/** Nothing where there is nothing to have a share of. */
export const share = (part: string, whole: string): string => `${orZero(part)} / (${whole} > 0)`

/** Buckets of a histogram, for a heat map. */
export const buckets = (family: string, selector = CLUSTER): string => sum('le', rate(`${family}_bucket`, selector))

/** Alerts of meshtoll that fire, and where. */
export const FIRING = max(
  'alertname, severity, cluster, instance',
  `ALERTS{alertname=~"${Object.keys(SETTINGS.alerts).join('|')}",alertstate="firing",${CLUSTER}}`,
)

/** Of the chart's values, so that a panel turns red where its alert would fire. */
export function thresholdOf(alert: string, value: string): number {
  const threshold = SETTINGS.alerts[alert]?.[value]
  if (typeof threshold !== 'number') throw new Error(`prometheusRule.alerts.${alert}.${value} is no number`)
  return threshold
}

function aggregate(operator: string, labels: string, expr: string): string {
  return labels === '' ? `${operator}(${expr})` : `${operator} by (${labels}) (${expr})`
}
