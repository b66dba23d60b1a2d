// Who tells the agent of the cluster: the API server of all of it, or of this node's pods only and the directory of the addresses seen here.
import { FOREVER } from '../identity/lasting-tenancies.js'
import type { NodeFacts } from '../identity/objects/node.js'
import type { NodeRange, Tenancies, Tenancy, TenancyChanges } from '../identity/tenancies.js'
import type { LeftOff, Stretch } from '../model.js'
import type { ApiServer } from './api-server.js'
import type { CoverageRecord } from './coverage-record.js'
import type { DirectoryWatch } from './directory-watch.js'

export interface Teller {
  /** Once all was told that there was at the beginning; rejects when aborted before. */
  readonly allTold: Promise<unknown>
  /** What was told since the last time. */
  take(): TenancyChanges
  /** Nodes whose agents post what lives there, and of which nodes that was said (absent: of all); undefined until it was told. */
  readonly covering: { readonly nodes: readonly string[]; readonly toldOf?: readonly string[] } | undefined
  readonly ownNode: NodeFacts | undefined
  /** What stands in the way of hearing of changes at once; '' when nothing does. */
  readonly trouble: string
  /** The same of this node's own pods alone; absent: as of all. */
  readonly ownTrouble?: string
  /** Whether it was asked for this address, and has heard it; another function where that has changed. Absent: it tells of all. */
  readonly isAsked?: (address: string) => boolean
  /** These addresses are of interest. */
  ask(addresses: ReadonlySet<string>): Promise<void>
  /** Looks again what is known of this node itself, where it is not told. */
  lookAtSelf(): Promise<void>
}

/** Before it was told all there is, a process has heard nothing. */
export interface Past {
  /** What the process before knew; undefined where there was none. */
  readonly leftOff?: LeftOff | undefined
  /** Until now. */
  unheard(): Stretch
  /** Who ended later, by any clock, is in a list of now. */
  goneByMs(): number
}

export interface TellerParts {
  readonly node: string
  readonly patienceMs: number
  readonly api: ApiServer
  readonly tenancies: Tenancies
  readonly record: CoverageRecord
  readonly past: Past
}

export function createDirectTeller({ node, patienceMs, api, tenancies, record, past }: TellerParts, signal: AbortSignal): Teller {
  const absence = createAbsence(node, tenancies)
  let isTold = false
  const objects = api.followObjects(tenancies, { patienceMs, ownNode: node }, signal).then(() => {
    isTold = true
    tenancies.miss(past.unheard())
  })
  return {
    allTold: Promise.all([objects, api.followLeases(record, signal).then(record.synced)]),
    take: tenancies.take,
    get covering() {
      // Nodes that are gone cover nothing, whatever is left of them.
      const nodes = isTold ? record.covering?.filter((name) => tenancies.nodes.has(name)) : undefined
      return nodes && { nodes }
    },
    get ownNode() {
      return isTold ? tenancies.nodes.get(node) : undefined
    },
    get trouble() {
      // What was missed until then is said only then.
      return api.following.trouble || (isTold ? absence.trouble() : NOT_YET)
    },
    ask: () => Promise.resolve(),
    lookAtSelf: () => Promise.resolve(),
  }
}

/** Where no address is of interest this node's pods still are; nobody else has to hear of this node. */
export function createOwnTeller({ node, patienceMs, api, tenancies }: Omit<TellerParts, 'record' | 'past'>, signal: AbortSignal): Teller {
  let isFollowed: Promise<void> | undefined
  let looks = 0
  let selfTrouble = notRead(node)

  /** The Node first: its zone is that of its pods. */
  async function lookAtSelf(): Promise<void> {
    try {
      if (looks++ % LOOKS_BETWEEN === 0 || !tenancies.nodes.has(node)) await api.readNode(node, tenancies, signal)
      selfTrouble = tenancies.nodes.has(node) ? '' : noSuchNode(node)
    } catch (error) {
      selfTrouble = (error as Error).message
    }
    // It rejects at the end only, when nobody waits for it any more.
    if (tenancies.nodes.has(node)) isFollowed ??= api.followPods(node, tenancies, { patienceMs }, signal).catch(() => undefined)
  }

  return {
    allTold: lookAtSelf().then(() => isFollowed),
    take: tenancies.take,
    covering: undefined,
    get ownNode() {
      return tenancies.nodes.get(node)
    },
    get trouble() {
      return selfTrouble || api.following.trouble
    },
    ask: () => Promise.resolve(),
    lookAtSelf,
  }
}

/** The directory tells of other nodes; what becomes of this node's pods is heard from the API server, with the directory or without. */
export function createDirectoryTeller(parts: TellerParts, directory: DirectoryWatch, signal: AbortSignal): Teller {
  const { node, patienceMs, api, tenancies, record, past } = parts
  const absence = createAbsence(node, tenancies)
  let ranges = { own: NO_RANGES, others: NO_RANGES }
  /** Keys of what was there when all pods of this node were told of. */
  const early = new Set<string>()
  let goneByMs = Number.POSITIVE_INFINITY
  let isFollowed: Promise<void> | undefined
  let isOwnTold = false
  let looks = 0
  let selfTrouble = notRead(node)

  /** The Node first: its zone is that of its pods. */
  async function lookAtSelf(): Promise<void> {
    try {
      // Who deletes a Lease, or a Node with it, is noticed as well.
      const isDoubtful = record.isMissing || (directory.covers?.get(node) === false && record.covering?.length !== 0)
      const isDue = looks++ % LOOKS_BETWEEN === 0
      if (isDoubtful || isDue || !tenancies.nodes.has(node)) await api.readNode(node, tenancies, signal)
      selfTrouble = absence.trouble()
      if (isDoubtful || isDue) await api.readLease(node, record, signal)
    } catch (error) {
      selfTrouble = (error as Error).message
    }
    // It rejects at the end only, when nobody waits for it any more.
    if (tenancies.nodes.has(node)) isFollowed ??= followOwnPods().catch(() => undefined)
  }

  async function followOwnPods(): Promise<void> {
    await api.followPods(node, tenancies, { patienceMs }, signal)
    goneByMs = past.goneByMs()
    isOwnTold = true
  }

  /** A pod is told of once its owner is read, which may be after the list. */
  const ownTrouble = (): string => selfTrouble || api.following.trouble || (isOwnTold ? '' : NOT_YET)

  async function begin(): Promise<void> {
    await lookAtSelf()
    await isFollowed
    if (past.leftOff) await directory.told
  }

  /**
   * Of this node's own pods the API server's word stands: a directory that begins anew may not know when they ended. But of those that were
   * gone when it told of them all it says nothing.
   */
  const isForDirectory = ({ tenant, key, untilMs }: Tenancy): boolean =>
    tenant.coverage !== 'node' || tenant.node !== node || (untilMs < FOREVER && untilMs <= goneByMs && !early.has(key))

  void directory.run(signal)
  return {
    allTold: begin(),
    take() {
      const [own, others] = [tenancies.take(), directory.take()]
      for (const { key, fromMs } of own.tenancies) if (fromMs <= goneByMs) early.add(key)
      const haveChanged = own.ranges !== undefined || others.ranges !== undefined
      ranges = { own: own.ranges ?? ranges.own, others: others.ranges ?? ranges.others }
      return {
        tenancies: [...own.tenancies, ...others.tenancies.filter(isForDirectory)],
        ranges: haveChanged ? [...ranges.own, ...ranges.others] : undefined,
        zones: others.zones ?? own.zones,
        unheard: [...own.unheard, ...others.unheard],
      }
    },
    get covering() {
      const { covers } = directory
      if (!covers) return undefined
      return { nodes: [...covers].flatMap(([name, does]) => (does ? [name] : [])), toldOf: [...covers.keys()] }
    },
    get ownNode() {
      return tenancies.nodes.get(node)
    },
    get trouble() {
      return ownTrouble() || directory.trouble
    },
    get ownTrouble() {
      return ownTrouble()
    },
    get isAsked() {
      return directory.isAsked
    },
    ask: (addresses) => directory.ask(addresses, signal),
    lookAtSelf,
  }
}

/** Two looks a second. */
const LOOKS_BETWEEN = 120

const NOT_YET = 'the API server has not told of all there is yet'
const NO_RANGES: readonly NodeRange[] = []

/** What to do about a Node that there is not depends on whether there was one. */
function createAbsence(node: string, { nodes }: Pick<Tenancies, 'nodes'>): { trouble(): string } {
  let wasThere = false
  return {
    trouble() {
      if (!nodes.has(node)) return wasThere ? deletedNode(node) : noSuchNode(node)
      wasThere = true
      return ''
    },
  }
}

const notRead = (node: string): string => `the Node ${node} was not read yet`

const noSuchNode = (node: string): string => `there is no Node ${node}; set node.name to the name that Kubernetes has for this node`
const deletedNode = (node: string): string =>
  `the Node ${node} was deleted, so nothing is posted for it here until it is back; where the machine has left the cluster, stop this agent and run meshtoll agent --uninstall`
