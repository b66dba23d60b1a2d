// Pods on their node's network have the node's address: which of them a socket is of, its cgroup says (kernel/cgroups.ts).
import type { Placement, Stretch, Who } from '../model.js'
import type { Waiting } from './waiting.js'
import type { Intern } from './whos.js'

/** Of a pod on this node's network. */
export type HostPod = Pick<Who, 'namespace' | 'kind' | 'name'>

/** By the id of a cgroup. */
export type HostPodsByCgroup = ReadonlyMap<string, HostPod>

export interface HostPods {
  /** Whether an answer may have changed. */
  apply(pods: HostPodsByCgroup | undefined, nowMs: number): boolean
  /** Of a text with a cgroup, where the address without it is at `there`. One that nobody has told of yet waits, and is then the node's. */
  place(text: string, there: Placement, stretch: Stretch): Placement
}

interface Parts {
  readonly intern: Intern
  readonly waiting: Pick<Waiting, 'waits' | 'end' | 'isAnyOver'>
}

const SEPARATOR = '@'

/** The address that a text begins with. */
export function withoutCgroup(text: string): string {
  const at = text.indexOf(SEPARATOR)
  return at < 0 ? text : text.slice(0, at)
}

export function createHostPods({ intern, waiting }: Parts): HostPods {
  let pods: HostPodsByCgroup = new Map()

  function apply(changed: HostPodsByCgroup | undefined, nowMs: number): boolean {
    pods = changed ?? pods
    return waiting.isAnyOver(nowMs) || changed !== undefined
  }

  function place(text: string, there: Placement, { fromMs, toMs }: Stretch): Placement {
    const { who, local } = there
    // It has been decided, or the address is not the node's.
    if (who.kind !== 'Node' || (local !== 'yes' && local !== 'joining')) return there
    const pod = pods.get(text.slice(text.indexOf(SEPARATOR) + 1))
    if (!pod) return waiting.waits(text, toMs, fromMs) ? Object.freeze({ ...there, local: 'unknown' }) : there
    waiting.end(text)
    const { zone, region, external } = who
    return Object.freeze({ ...there, who: intern({ zone, region, external, ...pod }) })
  }

  return { apply, place }
}
