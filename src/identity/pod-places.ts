// Where a pod is, by the node that it runs on.
import type { NodeFacts } from './objects/node.js'
import type { PodFacts } from './objects/pod.js'

export interface Place {
  readonly zone: string
  readonly region: string
}

const UNKNOWN = '_unknown'

/** `nodes` by name. `_unknown` where the node is not known, the pod has none yet, or it has no such label. */
export function placeOfPod(pod: Pick<PodFacts, 'node'>, nodes: ReadonlyMap<string, NodeFacts>): Place {
  const node = nodes.get(pod.node)
  return { zone: node?.zone || UNKNOWN, region: node?.region || UNKNOWN }
}

/** What the pod may be found by: in the host's network its addresses are the node's, which many pods share and the node holds. */
export function heldAddressesOf({ hostNetwork, addresses }: Pick<PodFacts, 'hostNetwork' | 'addresses'>): readonly string[] {
  return hostNetwork ? [] : addresses
}
