// Which nodes' agents post what their pods send, as all agents say to each other: by a Lease for each node, in our own namespace. It goes
// with its Node, and with an agent after which none comes; that an agent is down for a while changes nothing, since its kernel table counts on.
import { ABANDONED_MS, type CoverageLease } from '../cluster/leases.js'
import type { Deps, Disk } from '../deps.js'
import { doubtOf } from '../identity/doubt.js'
import type { Standing } from '../identity/node-coverage.js'

export interface CoverageRecord {
  /** By their keys, as the API server has them. */
  put(key: string, lease: CoverageLease): void
  remove(key: string): void
  /** All there are have been put. */
  synced(): void
  /** What the process before knew, which read last at `readAtMs`; undefined where that is not known. */
  load(readAtMs: number | undefined): Promise<void>
  /** Whether this machine is the Node of its name: until it is known nothing is said, and of another's nothing is claimed. */
  place(isHere: boolean | undefined): void
  /** Nobody has heard of us, as far as all is known. */
  readonly isMissing: boolean
  /** Our Lease is owned by a Node of the same name that is not this one. */
  isOfAnother(nodeUid: string): boolean
  /** Our Lease counts no longer, until there is another one. */
  renounce(): void
  /** We post no longer what our pods send, so that others may. */
  retire(): Promise<void>
  standing(): Standing
  /** Undefined until all have been put. */
  readonly covering: readonly string[] | undefined
}

export interface CoverageRecordOptions {
  readonly node: string
  /** How long after it was said to all until all have heard it. */
  readonly handoverMs: number
  /** How long it is waited to hear anything at all. */
  readonly patienceMs: number
}

const FILE = 'coverage'

export function createCoverageRecord(
  { node, handoverMs, patienceMs }: CoverageRecordOptions,
  { clock, disk }: Pick<Deps, 'clock'> & { readonly disk: Pick<Disk, 'read' | 'replace'> },
): CoverageRecord {
  /** `sinceMs` is by the clock that never jumps: what was said by another one is as young as it may be. */
  const leases = new Map<string, CoverageLease & { readonly saidMs: number }>()
  const startedMs = clock.monotonic()
  let isSynced = false
  /** As it is kept: the node that covers, and by which Lease; empty where none does. */
  let kept = ''
  /** The Lease that all knew of when the process before had it, by its uid. While it is there, nobody has heard otherwise. */
  let knownUid: string | undefined
  let isRetired = false
  let isHere: boolean | undefined

  const ownEntry = (): readonly [string, CoverageLease] | undefined => [...leases].find(([, lease]) => lease.node === node)
  const ownLease = (): CoverageLease | undefined => ownEntry()?.[1]

  /** For the next process, which may not reach the API server at once. Where it cannot be kept, that one has to. */
  async function remember(covering: Pick<CoverageLease, 'uid'> | undefined): Promise<void> {
    if (!covering) knownUid = undefined
    const text = covering ? `${[node, covering.uid].join(' ').trim()}\n` : ''
    if (text === kept) return
    kept = text
    await disk.replace(FILE, [text]).catch(() => undefined)
  }

  function standing(): Standing {
    if (isHere === false) return 'elsewhere'
    if (isRetired) return 'joining'
    if (isSynced && isHere) return toldStanding()
    if (kept !== '') return 'yes'
    return clock.monotonic() - startedMs < patienceMs ? 'unknown' : 'joining'
  }

  function toldStanding(): Standing {
    const own = ownLease()
    const isCovering = own !== undefined && clock.monotonic() >= own.sinceMs + handoverMs
    void remember(isCovering ? own : undefined)
    return isCovering ? 'yes' : 'joining'
  }

  function put(key: string, lease: CoverageLease): void {
    const { sinceMs: saidMs, node: of, nodeUid, uid } = lease
    const known = leases.get(key)
    if (known?.saidMs === saidMs && known.node === of && known.nodeUid === nodeUid && known.uid === uid) return
    leases.set(key, { ...lease, saidMs, sinceMs: clock.monotonic() - ageOf(lease) })
  }

  /** One that was known to all before is so by any clock. */
  function ageOf({ node: of, uid, sinceMs: saidMs }: CoverageLease): number {
    if (of === node && uid !== undefined && uid === knownUid) return Number.POSITIVE_INFINITY
    // A clock that was ahead when it was written would let us wait for that long.
    return Math.max(0, clock.now() - saidMs - doubtOf(clock))
  }

  return {
    put,
    remove: (key) => void leases.delete(key),
    synced() {
      isSynced = true
    },
    async load(readAtMs = Number.NEGATIVE_INFINITY) {
      const text = (await disk.read(FILE).catch(() => undefined))?.toString() ?? ''
      const [of, uid] = text.trim().split(' ')
      kept = of === node ? text : ''
      // Of a node that was without an agent for so long others may have ended the Lease.
      if (clock.now() - readAtMs >= ABANDONED_MS) await remember(undefined)
      knownUid = of === node ? uid : undefined
    },
    place(isOurs) {
      isHere = isOurs
      if (isOurs === false) void remember(undefined)
    },
    get isMissing() {
      return isSynced && !isRetired && isHere === true && ownLease() === undefined
    },
    isOfAnother(nodeUid) {
      const owner = ownLease()?.nodeUid
      return !isRetired && isHere === true && owner !== undefined && owner !== nodeUid
    },
    renounce() {
      const [key] = ownEntry() ?? []
      if (key !== undefined) leases.delete(key)
    },
    retire() {
      isRetired = true
      return remember(undefined)
    },
    standing,
    get covering() {
      return isSynced ? [...leases.values()].map((lease) => lease.node) : undefined
    },
  }
}
