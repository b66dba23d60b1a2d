// The sources besides flows: which of them there are here.
import type { Config } from '../config/fields.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import type { Source } from '../model.js'
import { createNetDev } from '../sources/net-dev.js'
import { createQdisc } from '../sources/qdisc.js'
import type { Cluster } from './cluster.js'
import { createAccessLogSource, createEnvoySource, readsAccessLogs, usesEnvoy } from './envoy.js'
import { asksAdmin, createEnvoyAdminSource } from './envoy-admin.js'
import type { Identities } from './identities.js'
import {
  asksIstiodDebug,
  createIstiodDebugSource,
  createIstiodLogSource,
  createIstiodSource,
  logBudgets,
  readsIstiodLog,
  usesIstiod,
} from './istiod.js'
import { createKubeletSource, isOnNodesNetwork, usesKubelet } from './kubelet.js'
import type { AgentDeps, AgentParts } from './parts.js'
import type { Polled } from './polls.js'
import { createWhose } from './whose.js'
import { createZtunnelSource, usesZtunnel } from './ztunnel.js'

export interface Others {
  /** Read with the flows: they answer at once. */
  readonly local: readonly Source[]
  readonly polled: readonly Polled[]
}

interface Parts extends Pick<AgentParts, 'config' | 'environment'>, Pick<Identities, 'endedPod'> {
  readonly rtnetlink: Rtnetlink
  readonly cluster: Cluster | undefined
}

const NO_PODS = { find: () => undefined }

export function createOthers({ config, environment, rtnetlink, cluster, endedPod }: Parts, deps: AgentDeps): Others {
  const seesNode = isOnNodesNetwork(environment, rtnetlink)
  const local = seesNode ? [createNetDev(deps), createQdisc({ rtnetlink })] : []
  const { patienceMs } = config.identity
  const pods = cluster?.pods
  // Each for itself: whose pods of one have waited for their owners is not known to another.
  const polledAs = (source: Source, intervalMs: number): Polled => ({
    source,
    intervalMs,
    whose: createWhose({ pods: pods ?? NO_PODS, zone: () => zoneOf(config, cluster), patienceMs }, deps),
  })
  const polled = [
    ...(usesKubelet(config, environment)
      ? [polledAs(createKubeletSource({ config, environment, cluster, servesNode: !seesNode }, deps), config.kubelet.intervalMs)]
      : []),
    ...(usesEnvoy(config, pods) ? [polledAs(createEnvoySource(config, pods, deps), config.envoy.intervalMs)] : []),
    ...(asksAdmin(config, pods) ? [polledAs(createEnvoyAdminSource(config, { pods, endedPod }, deps), config.envoy.intervalMs)] : []),
    ...(readsAccessLogs(config, pods) ? [polledAs(createAccessLogSource(config, pods, deps), config.envoy.intervalMs)] : []),
    ...(usesIstiod(config, pods) ? [polledAs(createIstiodSource(config, pods, deps), config.istiod.intervalMs)] : []),
    ...(asksIstiodDebug(config, pods) ? [polledAs(createIstiodDebugSource(config, pods, deps), config.istiod.intervalMs)] : []),
    ...(readsIstiodLog(config, pods)
      ? [{ ...polledAs(createIstiodLogSource({ config, environment }, pods, deps), config.istiod.intervalMs), budgets: logBudgets(config) }]
      : []),
    ...(usesZtunnel(config, pods) ? [polledAs(createZtunnelSource(config, pods, deps), config.ztunnel.intervalMs)] : []),
  ]
  return { local, polled }
}

/** As configured, or as the Node says, once it is told of. */
function zoneOf({ node }: Pick<Config, 'node'>, cluster: Cluster | undefined): string | undefined {
  if (node.zone !== '_unknown' || !cluster) return node.zone
  return cluster.ownNode && (cluster.ownNode.zone || '_unknown')
}
