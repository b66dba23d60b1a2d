// Who is who for the agent: what it is told by its configuration, its kernel, its inventory and, where there is one, its cluster.
import { createClusterNames } from '../identity/cluster-names.js'
import { doubtOf } from '../identity/doubt.js'
import type { EndedPod } from '../identity/ended-pods.js'
import { type ChangingIdentity, createIdentity } from '../identity/identity.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import { createBehind } from './behind.js'
import { type Cluster, type ClusterDeps, type ClusterParts, createCluster, usesCluster } from './cluster.js'
import type { AgentParts } from './parts.js'

export interface Identities {
  readonly identity: ChangingIdentity
  readonly cluster: Cluster | undefined
  /** The pod that had an address last, where it ended and nobody has it; undefined as well where that is not known. */
  readonly endedPod: (address: string) => EndedPod | undefined
}

interface IdentitiesParts extends Pick<AgentParts, 'config' | 'environment'>, Pick<ClusterParts, 'isCounting'> {
  readonly rtnetlink: Rtnetlink
}

export function createIdentities({ config, environment, rtnetlink, isCounting }: IdentitiesParts, deps: ClusterDeps): Identities {
  const { clock } = deps
  const { node } = config
  if (!usesCluster(config, environment)) return { identity: createIdentity(node), cluster: undefined, endedPod: () => undefined }
  const behind = createBehind(rtnetlink)
  const addresses = (): readonly string[] => rtnetlink.addresses().map(({ address }) => address)
  const names = createClusterNames({
    node: node.name,
    ...config.identity,
    readEveryMs: config.flows.intervalMs,
    isBehindUs: behind.isBehindUs,
    monotonic: clock.monotonic,
    doubtMs: () => doubtOf(clock),
    stops: () => clock.pulse?.stops ?? 0,
  })
  const identity = createIdentity(node, { clock, cluster: names, patienceMs: config.identity.patienceMs })
  const countsFlows = config.flows.enabled !== false
  const parts = { config, countsFlows, environment, identity, names, behind, isCounting, addresses }
  // Of a cluster that is not heard of as a whole an address that is on no record may be anybody's.
  const hearsAll = countsFlows && config.kubernetes.directory.url === null
  const endedPod = (address: string): EndedPod | undefined => {
    const ended = names.endedPod(address, clock.now())
    return ended?.endedMs !== undefined || hearsAll ? ended : undefined
  }
  return { identity, cluster: createCluster(parts, deps), endedPod }
}
