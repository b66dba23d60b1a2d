// Random lives of pods (cluster-lives.ts), seen by the agent of n1: what its ledger would do with their bytes.
import t from 'tap'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import { bookOf } from '../../src/ledger/posting.js'
import type { Placement, Stretch } from '../../src/model.js'
import { fc, runs } from '../property.js'
import {
  ADDRESSES,
  changesIn,
  HANDOVER_MS,
  isDown,
  isHeardOf,
  isSpared,
  type Life,
  MAX_CYCLE_MS,
  overlaps,
  SKEW_MS,
  START_MS,
  standingAt,
  type World,
  who,
  world,
} from './cluster-lives.js'

const RUNS = runs(1000)
const HERE: Placement = { who: who('peer'), local: 'yes', covered: 'no' }

/** Bytes of one moment. */
interface Bytes {
  readonly atMs: number
  readonly life: Life | undefined
}

/** Of one reading. */
interface Share extends Stretch {
  readonly bytes: readonly Bytes[]
}

interface Entry {
  placement: Placement
  waiting: readonly Share[]
  /** When the first of them were read. */
  sinceMs: number
  /** The process before knew when they came. */
  isRecalled: boolean
  /** Before the earliest bytes that the placement is for. */
  fromMs: number
}

interface Decision {
  readonly address: string
  readonly bytes: readonly Bytes[]
  readonly placement: Placement
  /** The placement is for bytes between. */
  readonly fromMs: number
  readonly atMs: number
  /** When the process before read the last time. */
  readonly leftOffMs: number | undefined
}

/** As the ledger: who it was until now for the bytes up to now, then who it is. */
function createBook(world: World, check: (decision: Decision) => void) {
  let nowMs = START_MS
  let readMs = START_MS
  let version = -1
  const isBehindUs = ([word = 0]: readonly number[]): boolean =>
    world.lives.some(({ address, node, fromMs, untilMs }) => isWord(address, word) && node === 'n1' && fromMs <= nowMs && untilMs > nowMs)
  let process = createProcess()
  let leftOffMs: number | undefined
  const entries = new Map<string, Entry>()

  function createProcess() {
    const names = createClusterNames({ node: 'n1', patienceMs: world.patienceMs, skewMs: SKEW_MS, isBehindUs })
    const identity = createIdentity({ name: 'n1', zone: 'a', region: 'r' }, { clock: { now: () => nowMs }, cluster: names })
    return { names, identity }
  }

  function restart(): void {
    const holders = new Map(ADDRESSES.map((address) => [address, process.identity.holderOf?.(address)]))
    process = createProcess()
    const had = (address: string, holder: string): boolean => holders.get(address) === holder
    process.names.resume({ readAtMs: readMs, atMs: readMs + world.takesMs, addresses: ADDRESSES, had })
    leftOffMs = readMs
    version = -1
    for (const entry of entries.values()) Object.assign(entry, { isRecalled: true, sinceMs: nowMs })
  }

  /** What is told to this process by now. */
  function toldNow(): ClusterChanges {
    const isFirst = world.restarts && leftOffMs === undefined && nowMs >= world.outage.toMs && readMs <= world.outage.toMs
    if (!isFirst) return changesIn(world, readMs === START_MS ? 0 : readMs, nowMs)
    restart()
    const unheard = [{ fromMs: 0, toMs: nowMs - SKEW_MS }]
    return { ...changesIn(world, 0, nowMs, true), unheard }
  }

  function move(address: string, entry: Entry, placement: Placement): void {
    entry.placement = placement
    if (isPending(placement)) return
    const bytes = entry.waiting.flatMap((share) => share.bytes)
    if (bytes.length > 0) check({ address, bytes, placement, fromMs: entry.fromMs, atMs: nowMs, leftOffMs })
    entry.waiting = []
  }

  /** Of bytes that waited when the process before ended it is told by reading whose they are. */
  function lookBack(address: string, entry: Entry): void {
    const { identity } = process
    const from = entry.placement
    const to = identity.placeSince(address, from, readMs)
    if (!entry.isRecalled || !isPending(from) || isPending(to) || entry.waiting.length === 0) {
      move(address, entry, to)
      return
    }
    for (const { bytes, ...stretch } of entry.waiting) {
      const then = identity.placeDuring(address, to, stretch)
      const placed = isPending(then) ? { placement: to, fromMs: entry.fromMs } : { placement: then, fromMs: stretch.fromMs }
      check({ address, bytes, ...placed, atMs: nowMs, leftOffMs })
    }
    entry.waiting = []
    const latest = identity.placeDuring(address, to, { fromMs: readMs, toMs: nowMs })
    entry.placement = isPending(latest) ? to : latest
  }

  function add(address: string, bytes: readonly Bytes[]): void {
    const entry = entries.get(address) ?? {
      placement: process.identity.placeSince(address, undefined, readMs),
      waiting: [],
      sinceMs: nowMs,
      fromMs: readMs,
      isRecalled: false,
    }
    entries.set(address, entry)
    if (entry.waiting.length === 0) Object.assign(entry, { sinceMs: nowMs, isRecalled: false })
    entry.waiting = [...entry.waiting, { bytes, fromMs: readMs, toMs: nowMs }]
    move(address, entry, entry.placement)
  }

  async function read(atMs: number, sent: ReadonlyMap<string, readonly Bytes[]>): Promise<void> {
    nowMs = atMs
    const cluster = toldNow()
    const { identity } = process
    await identity.update({ cluster }, async () => undefined)
    for (const entry of entries.values()) if (!isPending(entry.placement)) entry.fromMs = readMs
    const isOther = identity.version !== version
    if (isOther) for (const [address, entry] of entries) lookBack(address, entry)
    for (const [address, bytes] of sent) add(address, bytes)
    nowMs = atMs + world.takesMs
    const hasAmbiguous = [...entries.values()].some(({ placement }) => placement.ambiguous)
    if (isOther || hasAmbiguous) for (const [address, entry] of entries) move(address, entry, identity.place(address))
    version = identity.version
    nowMs = atMs
    readMs = nowMs
  }

  return { read, entries }
}

const isPending = (placement: Placement): boolean => bookOf(placement, HERE) === 'pending'

const isWord = (address: string, word: number): boolean =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) === word >>> 0

/** What must hold of bytes that are decided; the rest must hold while they are not. */
function createJudge(world: World) {
  const { lives, joinedMs, knownMs, thirdMs, outage } = world
  let joinedReadMs = Number.POSITIVE_INFINITY
  let isJoining = false

  const fail = (message: string, { address, atMs, placement }: Decision): never => {
    throw new Error(`${address} at ${atMs}: ${message}; ${JSON.stringify(placement)}`)
  }

  /** It went between the last reading of one process and the first of the next. */
  const isUnlisted = ({ heardUntilMs }: Life): boolean =>
    world.restarts && heardUntilMs > outage.fromMs - MAX_CYCLE_MS && heardUntilMs <= outage.toMs + MAX_CYCLE_MS

  function judge(decision: Decision): void {
    const { address, bytes, placement, fromMs, atMs, leftOffMs = 0 } = decision
    const wasAllHeard = (byMs: number): boolean => lives.every((one) => one.address !== address || isHeardOf(one, byMs))
    // What the process before had read was of whom it knew by then.
    if (!wasAllHeard(atMs) || (fromMs < leftOffMs && !wasAllHeard(leftOffMs))) return
    const isPosted = bookOf(placement, HERE) === 'posted'
    const isCertain = !placement.ambiguous && placement.who.kind !== '_unknown'
    for (const { atMs: sentMs, life } of bytes) {
      if (!life) continue
      const { name, node } = life
      if (isCertain && name !== placement.who.name) fail(`${name}'s bytes of ${sentMs} are given to another`, decision)
      // Where it lived nobody can know but by who lives there now.
      if (life.isUnheard && lives.some((one) => one.address === address && one.node === 'n1' && overlaps(one, atMs, atMs + 1))) continue
      // Nor where it lived of whom only the process before knew.
      if (fromMs < leftOffMs && life.heardUntilMs <= atMs && !life.stays) continue
      // What was nobody's stays nobody's: whatever is outside of the cluster would else be missed at every restart.
      if (isUnlisted(life)) continue
      if (isPosted && node === 'n2') fail(`${name}'s bytes of ${sentMs} are posted by n2 as well`, decision)
      if (isPosted && node === 'n3' && sentMs >= thirdMs + HANDOVER_MS)
        fail(`${name}'s bytes of ${sentMs} are posted by n3 as well`, decision)
      if (isPosted && node === 'n1' && isJoining && sentMs <= joinedReadMs)
        fail(`${name}'s bytes of ${sentMs} are posted while joining`, decision)
      const near = lives.filter((one) => one.address === address && overlaps(one, fromMs - 2 * MAX_CYCLE_MS, atMs + 4_000))
      const wasThere = fromMs < leftOffMs ? life.toldFromMs + SKEW_MS <= fromMs : life.heardFromMs <= outage.fromMs - MAX_CYCLE_MS
      const hasLivedOn =
        life.untilMs > atMs && (isSpared(world, life) ? life.toldFromMs + 2 * MAX_CYCLE_MS <= fromMs : world.restarts && wasThere)
      const isNearOutage = !hasLivedOn && outage.fromMs <= atMs && outage.toMs >= fromMs - 2 * MAX_CYCLE_MS
      if (near.length === 1 && !isNearOutage && name !== placement.who.name)
        fail(`${name}'s bytes of ${sentMs} are not given to it`, decision)
    }
  }

  /** `joining` was told, and at this reading no more. */
  function stand(atMs: number): void {
    const standing = standingAt({ knownMs, joinedMs }, atMs)
    if (standing === 'joining') isJoining = true
    if (standing === 'yes') joinedReadMs = Math.min(joinedReadMs, atMs)
  }

  return { judge, stand }
}

async function live(world: World): Promise<void> {
  const { judge, stand } = createJudge(world)
  const { read, entries } = createBook(world, judge)
  let readMs = START_MS
  let unread = new Map<string, readonly Bytes[]>()
  for (const { ms, sending, forgets } of world.cycles) {
    const atMs = readMs + ms
    const moments = Array.from({ length: Math.ceil(ms / 250) }, (_, index) => Math.min(atMs, readMs + (index + 1) * 250))
    const bytesOf = (address: string): readonly Bytes[] =>
      moments.map((sentMs) => ({
        atMs: sentMs,
        life: world.lives.find((one) => one.address === address && overlaps(one, sentMs, sentMs + 1)),
      }))
    for (const address of ADDRESSES.filter((_, index) => sending[index])) {
      unread.set(address, [...(unread.get(address) ?? []), ...bytesOf(address)])
    }
    readMs = atMs
    if (isDown(world, atMs)) continue
    stand(atMs)
    await read(atMs, unread)
    unread = new Map()
    for (const [address, { placement, waiting, sinceMs }] of entries) {
      if (placement.local !== 'no' && placement.local !== 'unknown' && placement.covered !== 'no')
        throw new Error(`${address} at ${atMs}: lives here and is covered; ${JSON.stringify(placement)}`)
      if (waiting.length > 0 && atMs >= sinceMs + world.patienceMs) throw new Error(`${address} at ${atMs}: waits since ${sinceMs}`)
      if (forgets && waiting.length === 0) entries.delete(address)
    }
  }
}

t.test('whatever lives and whenever it is heard of', async (t) => {
  await t.resolves(fc.assert(fc.asyncProperty(world, live), { numRuns: RUNS, includeErrorInReport: true }))
})
