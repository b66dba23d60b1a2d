// From where on monitors warn, and alert: all of them in one place. What the chart has for Prometheus too is taken from its values.
import { readRuleSettings } from '../rules.js'

export interface Threshold {
  readonly critical: number
  readonly warning?: number
}

const { alerts } = readRuleSettings()

function ofChart(alert: string, name: string): number {
  const value = alerts[alert]?.[name]
  if (typeof value !== 'number') throw new Error(`prometheusRule.alerts.${alert}.${name} is no number`)
  return value
}

const budget = ofChart('CrossZoneBytesHigh', 'bytesPerSecond')
const slow = ofChart('ConvergenceSlow', 'seconds')
/** Of ten minutes. */
const pushes = ofChart('PushStorm', 'pushesPerSecond') * 600

export const THRESHOLDS = {
  /** Bytes per second. */
  CrossZoneBytesHigh: { critical: budget, warning: 0.8 * budget },
  /** Bytes per second more than a day ago, of one pair of owners. */
  CrossZoneBytesGrowing: { critical: 10_000_000 },
  /** Per cent of what crosses zones. */
  ControlPlaneBytesHigh: { critical: 30, warning: 15 },
  /** Pushes within ten minutes, of one node's istiods; and by one resource. */
  PushStorm: { critical: pushes, warning: pushes / 2 },
  PushStormCause: { critical: pushes, warning: pushes / 2 },
  /** Seconds. */
  ConvergenceSlow: { critical: slow, warning: slow / 2 },
  /** Updates within ten minutes. */
  ConfigRejected: { critical: 0 },
  ConfigRejectedAtIstiod: { critical: 0 },
  /** Seconds. */
  ConfigUnacknowledged: { critical: ofChart('ConfigUnacknowledged', 'seconds') },
  /** Hosts, each once a proxy. */
  StaleHosts: { critical: ofChart('StaleHosts', 'hosts') },
  /** Connections a second of each proxy; a minute without istiod is 0.011 of fifteen. */
  ProxiesDisconnected: { critical: 0.02 },
  /** Bytes within fifteen minutes. */
  PhantomTraffic: { critical: ofChart('PhantomTraffic', 'bytes') },
  /** Bytes. */
  BooksOutOfBalance: { critical: ofChart('BooksOutOfBalance', 'bytes') },
  /** Seconds within fifteen minutes. */
  AccountingGap: { critical: ofChart('AccountingGap', 'seconds') },
  /** Pairs for each that may be. */
  FlowTableNearlyFull: { critical: ofChart('FlowTableNearlyFull', 'ratio') },
  /** Seen for each byte that was sent. */
  FlowsBypassed: { critical: ofChart('FlowsBypassed', 'ratio') },
  /** Whether a source can be read. */
  SourceDown: { critical: 1 },
  /** Agents of a host. */
  AgentDown: { critical: 1 },
  /** Sources that any of them can read. */
  AllAgentsDown: { critical: 1 },
  /** Seconds. */
  DatadogDeliveryBehind: { critical: ofChart('DatadogDeliveryBehind', 'seconds') },
} as const satisfies Readonly<Record<string, Threshold>>

export type MonitorName = keyof typeof THRESHOLDS
