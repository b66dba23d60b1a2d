// How a node says that its agent posts what its pods send: a Lease of its name, in the namespace of the agents.

/** `sinceMs`: since when it is said, by the clock of its node. */
export interface CoverageLease {
  readonly node: string
  readonly sinceMs: number
  /** Of the Node that owns it. */
  readonly nodeUid?: string | undefined
  /** Its own. */
  readonly uid?: string | undefined
  /** What made the agent's Pod; absent: no DaemonSet, as far as the agent knows. */
  readonly daemonSet?: string | undefined
}

/** By their keys, as the API server has them. */
export interface Leases {
  put(key: string, lease: CoverageLease): void
  remove(key: string): void
}

/** A node has to be without an agent for so long until somebody else may end its Lease. */
export const ABANDONED_MS = 600_000
const DAEMON_SET = 'meshtoll/daemonset'

export const labelsOf = (component: string) => ({ 'app.kubernetes.io/name': 'meshtoll', 'app.kubernetes.io/component': component })
const LABELS = labelsOf('coverage')
/** Of all DaemonSets of agents and their Pods, whatever their names (the chart's). */
const AGENTS = Object.entries(labelsOf('agent'))
export const isLabelledAgent = ({ labels }: { readonly labels?: Readonly<Record<string, string>> }): boolean =>
  AGENTS.every(([key, value]) => labels?.[key] === value)
export const LEASE_SELECTOR = Object.entries(LABELS)
  .map((pair) => pair.join('='))
  .join(',')
export const leasesPath = (namespace: string): string => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
export const leaseNameOf = (node: string): string => `meshtoll-${node}`

interface RawLease {
  readonly metadata?: {
    readonly uid?: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly { readonly kind?: string; readonly uid?: string }[]
  }
  readonly spec?: { readonly holderIdentity?: unknown; readonly acquireTime?: unknown }
}

/** A Lease of coordination.k8s.io/v1; undefined where it is none of ours. */
export function coverageLeaseOf(raw: unknown): CoverageLease | undefined {
  const { metadata, spec } = (raw ?? {}) as RawLease
  const { holderIdentity, acquireTime } = spec ?? {}
  if (typeof holderIdentity !== 'string' || holderIdentity === '' || typeof acquireTime !== 'string') return undefined
  const sinceMs = Date.parse(acquireTime)
  const nodeUid = metadata?.ownerReferences?.find(({ kind }) => kind === 'Node')?.uid
  if (!Number.isFinite(sinceMs)) return undefined
  return Object.freeze({ node: holderIdentity, sinceMs, nodeUid, uid: metadata?.uid, daemonSet: metadata?.annotations?.[DAEMON_SET] })
}

/** Who says that its pods are posted for. `uid`: of its Node; `daemonSet`: what made its Pod. */
export interface Claimant {
  readonly node: string
  readonly uid: string
  readonly daemonSet?: string | undefined
}

/** The Node owns it, so that both go together. */
export function leaseOf({ node, uid, daemonSet }: Claimant, nowMs: number): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: leaseNameOf(node),
      labels: LABELS,
      ...(daemonSet !== undefined && { annotations: { [DAEMON_SET]: daemonSet } }),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid }],
    },
    spec: { holderIdentity: node, acquireTime: microTimeOf(nowMs) },
  }
}

/** A MicroTime of meta/v1 has six digits. */
export const microTimeOf = (nowMs: number): string => new Date(nowMs).toISOString().replace('Z', '000Z')
