// Who is who for the agent: what it is told by its configuration, its kernel, its inventory and, where there is one, its cluster.
import { createClusterNames } from '../identity/cluster-names.js'
import { type ChangingIdentity, createIdentity } from '../identity/identity.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import { createBehind } from './behind.js'
import { type Cluster, type ClusterDeps, createCluster, usesCluster } from './cluster.js'
import type { AgentParts } from './parts.js'

export interface Identities {
  readonly identity: ChangingIdentity
  readonly cluster: Cluster | undefined
}

export function createIdentities(
  { config, environment, rtnetlink }: Pick<AgentParts, 'config' | 'environment'> & { readonly rtnetlink: Rtnetlink },
  deps: ClusterDeps,
): Identities {
  const { clock } = deps
  const { node } = config
  if (!usesCluster(config, environment)) return { identity: createIdentity(node), cluster: undefined }
  const behind = createBehind(rtnetlink)
  const names = createClusterNames({ node: node.name, ...config.identity, isBehindUs: behind.isBehindUs })
  const identity = createIdentity(node, { clock, cluster: names })
  return { identity, cluster: createCluster({ config, environment, identity, names, behind }, deps) }
}
