// What Kubernetes says of its objects -> who had which address when.
//   Pod shop/cart-7f9c-x2x4v on n1 with 10.1.0.7  +  Node n1 in us-east-1a  +  owner Deployment cart
//   -> 10.1.0.7: Deployment cart of shop in us-east-1a, on n1, since 09:00:00
import type { Stretch } from '../model.js'
import type { Holding, Tenant } from './holders.js'
import { FOREVER, sinceHeard, tenanciesOfNode } from './lasting-tenancies.js'
import type { NodeFacts } from './objects/node.js'
import type { PodFacts } from './objects/pod.js'
import type { Owner } from './owners/direct-owner.js'
import { heldAddressesOf, placeOfPod } from './pod-places.js'
import { createIntern, type Intern } from './whos.js'

/** A holding that is new, or known and changed. */
export interface Tenancy extends Holding {
  /** Canonical text. */
  readonly address: string
}

/** Addresses of pods that nobody has told of yet; `''` where it is not said whose. */
export interface NodeRange {
  readonly cidr: string
  readonly node: string
}

export interface Heard {
  /** When it was heard of. A pod that lives on gets other addresses where its node began anew. */
  readonly atMs?: number
  /** What it was before it may have ceased to be at any time after that: it came back by its name, or with other addresses. */
  readonly sinceMs?: number | undefined
}

/** Keys of pods are those of the API server: `namespace/name`. */
export interface Tenancies {
  putPod(key: string, pod: PodFacts, owner: Owner, heard?: Heard): void
  removePod(key: string, atMs: number): void
  /** `atMs`: when it was heard of. */
  putNode(node: NodeFacts, atMs: number): void
  removeNode(name: string, atMs: number): void
  /** All that something has for as long as it is there; its key is its own. Of one that is known what is new to it, and what it lost, is so since `atMs`. */
  putLasting(key: string, tenancies: readonly Tenancy[], atMs: number): void
  removeLasting(key: string, atMs: number): void
  /** In that time pods may have come and gone that nobody told of. */
  miss(unheard: Stretch): void
  /** What changed since this was last asked. */
  take(): TenancyChanges
  readonly nodes: ReadonlyMap<string, NodeFacts>
}

export interface TenancyChanges {
  readonly tenancies: readonly Tenancy[]
  /** All there are, where a node came, went or changed. */
  readonly ranges: readonly NodeRange[] | undefined
  readonly zones: readonly Zone[] | undefined
  /** Times in which somebody may have had an address unheard of. */
  readonly unheard: readonly Stretch[]
}

export interface Zone {
  readonly zone: string
  /** `_unknown` where the node does not say. */
  readonly region: string
}

interface Kept {
  readonly key: string
  readonly tenancies: readonly Tenancy[]
}

/** Its addresses, and since when it has them. An ended pod may lose them. */
type HeldSince = ReadonlyMap<string, number>

/** No more than is needed to say it again: of 100,000 pods each field is 0.8 MB, and each text 5. */
interface KeptPod extends Kept {
  readonly node: string
}

/** Most pods have one address: its tenancy says all of this, and of 100,000 pods the rest would be 10 MB. */
type PodOrTenancy = KeptPod | Tenancy

function podOf(kept: PodOrTenancy): KeptPod {
  return 'tenancies' in kept ? kept : { key: kept.key, node: kept.tenant.node, tenancies: [kept] }
}

function briefly(pod: KeptPod): PodOrTenancy {
  const [only, ...others] = pod.tenancies
  return only && others.length === 0 ? only : pod
}

const UNKNOWN = '_unknown'
const ALWAYS = 0
/** Workloads, by zone. */
const MOST_SHARED = 20_000

export function createTenancies(): Tenancies {
  const pods = new Map<string, PodOrTenancy>()
  const nodes = new Map<string, NodeFacts>()
  const lasting = new Map<string, Kept>()
  const intern = createIntern(MOST_SHARED)
  let changed = new Map<string, Tenancy>()
  let haveNodesChanged = false
  let unheard: readonly Stretch[] = []

  const say = (tenancy: Tenancy): void => void changed.set(`${tenancy.key} ${tenancy.address}`, tenancy)

  function end(tenancies: readonly Tenancy[], atMs: number): void {
    for (const tenancy of tenancies) if (tenancy.untilMs > atMs) say({ ...tenancy, untilMs: Math.max(atMs, tenancy.fromMs) })
  }

  /** Says what is new of it, and the end of what it no longer is. A ServiceEntry may have ten thousand addresses. */
  function keep(before: Kept | undefined, after: Kept, atMs: number): void {
    const known = byAddress(before?.key === after.key ? before.tenancies : [])
    const held = byAddress(after.tenancies)
    if (before && before.key !== after.key) end(before.tenancies, atMs)
    const lost = [...known.values()].filter(({ address }) => !held.has(address))
    end(lost, atMs)
    for (const tenancy of after.tenancies) {
      const same = known.get(tenancy.address)
      if (!same || !isSame(same, tenancy)) say(tenancy)
    }
  }

  function putPod(key: string, pod: PodFacts, owner: Owner, { atMs = pod.startedMs, sinceMs = FOREVER }: Heard = {}): void {
    const { uid, node } = pod
    const kept = pods.get(key)
    const before = kept && podOf(kept)
    const isSamePod = before?.key === uid
    const held = heldSince(pod, isSamePod ? before.tenancies : [], atMs)
    const after = { key: uid, node, tenancies: tenanciesOfPod(pod, { owner, held, nodes, intern }) }
    pods.set(key, briefly(after))
    keep(before, after, Math.min(sinceMs, isSamePod ? atMs : pod.startedMs))
  }

  function putLasting(key: string, tenancies: readonly Tenancy[], atMs: number): void {
    const before = lasting.get(key)
    const after: Kept = { key, tenancies: before ? sinceHeard(tenancies, before.tenancies, atMs) : tenancies }
    keep(before, after, atMs)
    lasting.set(key, after)
  }

  function removeLasting(key: string, atMs: number): void {
    const before = lasting.get(key)
    lasting.delete(key)
    if (before) end(before.tenancies, atMs)
  }

  return {
    putPod,
    removePod(key, atMs) {
      const before = pods.get(key)
      pods.delete(key)
      if (before) end(podOf(before).tenancies, atMs)
    },
    putNode(node, atMs) {
      const before = nodes.get(node.name)
      nodes.set(node.name, node)
      haveNodesChanged ||= !before || hasMoved(before, node) || String(before.podCidrs) !== String(node.podCidrs)
      putLasting(`node/${node.name}`, tenanciesOfNode(node), atMs)
      if (!before || hasMoved(before, node)) putAgain(node.name)
    },
    removeNode(name, atMs) {
      nodes.delete(name)
      haveNodesChanged = true
      removeLasting(`node/${name}`, atMs)
    },
    putLasting,
    removeLasting,
    miss(stretch) {
      unheard = [...unheard, stretch]
    },
    take() {
      const all = haveNodesChanged ? [...nodes.values()] : undefined
      const taken = { tenancies: [...changed.values()], ranges: all && [...rangesOf(all)], zones: all && zonesOf(all), unheard }
      changed = new Map()
      haveNodesChanged = false
      unheard = []
      return taken
    },
    nodes,
  }

  /** The node is elsewhere than it was. It comes seldom: all pods are looked through, since to know those of each node took 4 MB of 100,000. */
  function putAgain(node: string): void {
    for (const [key, kept] of pods) {
      const nodeOf = 'tenancies' in kept ? kept.node : kept.tenant.node
      if (nodeOf !== node) continue
      const before = podOf(kept)
      const tenancies = before.tenancies.map((tenancy) => ({ ...tenancy, tenant: movedOf(tenancy.tenant, { nodes, intern }) }))
      const after = { ...before, tenancies }
      pods.set(key, briefly(after))
      keep(before, after, ALWAYS)
    }
  }
}

function movedOf({ who, node, coverage }: Tenant, { nodes, intern }: Pick<PodSurroundings, 'nodes' | 'intern'>): Tenant {
  return Object.freeze({ who: intern({ ...who, ...placeOfPod({ node }, nodes) }), node, coverage })
}

/** `before`: what was said of it, the last time. */
function heldSince(pod: PodFacts, before: readonly Tenancy[], atMs: number): HeldSince {
  const addresses = heldAddressesOf(pod)
  const lacks = ({ address }: Tenancy): boolean => !addresses.includes(address)
  const hasMoved = pod.endedMs === undefined && addresses.length > 0 && before.some(lacks)
  const kept = before.filter((tenancy) => !hasMoved || !lacks(tenancy))
  const sinceMs = hasMoved ? Math.max(atMs, pod.startedMs) : pod.startedMs
  const entries = kept.map(({ address, fromMs }) => [address, fromMs] as const)
  return new Map([...addresses.map((address) => [address, sinceMs] as const), ...entries])
}

interface PodSurroundings {
  readonly owner: Owner
  readonly held: HeldSince
  readonly nodes: ReadonlyMap<string, NodeFacts>
  readonly intern: Intern
}

function tenanciesOfPod(pod: PodFacts, { owner, held, nodes, intern }: PodSurroundings): readonly Tenancy[] {
  const { uid, namespace, node, endedMs } = pod
  const who = intern({ ...placeOfPod(pod, nodes), namespace, ...owner, external: false })
  const tenant: Tenant = Object.freeze({ who, node, coverage: 'node' })
  return [...held].map(([address, fromMs]) => ({
    address,
    key: uid,
    tenant,
    fromMs,
    untilMs: Math.max(endedMs ?? FOREVER, fromMs),
  }))
}

function* rangesOf(nodes: readonly NodeFacts[]): Generator<NodeRange> {
  for (const { name, podCidrs } of nodes) for (const cidr of podCidrs) yield { cidr, node: name }
}

function zonesOf(nodes: readonly NodeFacts[]): readonly Zone[] {
  const distinct = new Map<string, Zone>()
  for (const { zone, region } of nodes) if (zone) distinct.set(JSON.stringify([zone, region]), { zone, region: region || UNKNOWN })
  return [...distinct.values()]
}

const hasMoved = (before: NodeFacts, after: NodeFacts): boolean => before.zone !== after.zone || before.region !== after.region

const byAddress = (tenancies: readonly Tenancy[]): ReadonlyMap<string, Tenancy> => new Map(tenancies.map((one) => [one.address, one]))

function isSame(a: Tenancy, b: Tenancy): boolean {
  if (a.fromMs !== b.fromMs || a.untilMs !== b.untilMs || a.tenant.node !== b.tenant.node || a.tenant.coverage !== b.tenant.coverage)
    return false
  const [one, other] = [a.tenant.who, b.tenant.who]
  return (['zone', 'region', 'namespace', 'kind', 'name'] as const).every((key) => one[key] === other[key])
}
