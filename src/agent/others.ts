// The sources besides flows: which of them there are here.
import type { Config } from '../config/fields.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import type { Source } from '../model.js'
import { createNetDev } from '../sources/net-dev.js'
import { createQdisc } from '../sources/qdisc.js'
import type { Cluster } from './cluster.js'
import { createKubeletSource, isOnNodesNetwork, usesKubelet } from './kubelet.js'
import type { AgentDeps, AgentParts } from './parts.js'
import type { Polled } from './polls.js'
import { createWhose } from './whose.js'

export interface Others {
  /** Read with the flows: they answer at once. */
  readonly local: readonly Source[]
  readonly polled: readonly Polled[]
}

interface Parts extends Pick<AgentParts, 'config' | 'environment'> {
  readonly rtnetlink: Rtnetlink
  readonly cluster: Cluster | undefined
}

const NO_PODS = { find: () => undefined }

export function createOthers({ config, environment, rtnetlink, cluster }: Parts, deps: AgentDeps): Others {
  const seesNode = isOnNodesNetwork(environment, rtnetlink)
  const local = seesNode ? [createNetDev(deps), createQdisc({ rtnetlink })] : []
  if (!usesKubelet(config, environment)) return { local, polled: [] }
  const { patienceMs } = config.identity
  const whose = createWhose({ pods: cluster?.pods ?? NO_PODS, zone: () => zoneOf(config, cluster), patienceMs }, deps)
  const source = createKubeletSource({ config, environment, cluster, servesNode: !seesNode }, deps)
  return { local, polled: [{ source, intervalMs: config.kubelet.intervalMs, whose }] }
}

/** As configured, or as the Node says, once it is told of. */
function zoneOf({ node }: Pick<Config, 'node'>, cluster: Cluster | undefined): string | undefined {
  if (node.zone !== '_unknown' || !cluster) return node.zone
  return cluster.ownNode && (cluster.ownNode.zone || '_unknown')
}
