// Random lives of pods on three nodes that share a few addresses, seen by the agent of n1: what its ledger would do with their bytes.

import t from 'tap'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import type { Tenant } from '../../src/identity/holders.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import { bookOf } from '../../src/ledger/posting.js'
import type { Placement, Stretch } from '../../src/model.js'
import { fc, runs } from '../property.js'

const RUNS = runs(1000)
const SKEW_MS = 2_000
const MAX_CYCLE_MS = 12_000
const HANDOVER_MS = 15_000
const MAX_DELAY_MS = 4_000
const START_MS = 100_000
const ADDRESSES = ['10.1.0.7', '10.1.0.8', '10.1.0.9']
const HERE: Placement = { who: who('peer'), local: 'yes', covered: 'no' }

/** API times are cut to seconds, and a second wrong at most; each change is heard of some time later. */
interface Life {
  readonly address: string
  readonly key: string
  readonly name: string
  readonly node: string
  readonly fromMs: number
  readonly untilMs: number
  readonly toldFromMs: number
  readonly toldUntilMs: number
  readonly heardFromMs: number
  readonly heardUntilMs: number
  /** It came and went while nothing was heard. */
  readonly isUnheard?: boolean
  /** It is still listed when it has ended. */
  readonly stays: boolean
}

interface World {
  readonly lives: readonly Life[]
  readonly cycles: readonly { readonly ms: number; readonly sending: readonly boolean[]; readonly forgets: boolean }[]
  readonly patienceMs: number
  /** Of this node: from when it is known, and from when all others know, where they did not before. */
  readonly knownMs: number
  readonly joinedMs: number | undefined
  /** From when it is told who covers, and from when n3 is said to. */
  readonly listedMs: number
  readonly thirdMs: number
  /** From when until when somebody outside of the cluster is said to be at all addresses. */
  readonly outsideMs: readonly [fromMs: number, untilMs: number]
  /** Nothing is heard between, and then only what there is. */
  readonly outage: Stretch
  /** By how much whoever heard nothing is behind, by its clock. */
  readonly behindMs: number
  /** How long a reading takes. */
  readonly takesMs: number
  /** What becomes of pods of n1 is heard through the outage. */
  readonly spares: boolean
  /** Instead of an outage another process goes on after it. */
  readonly restarts: boolean
}

/** Bytes of one moment. */
interface Bytes {
  readonly atMs: number
  readonly life: Life | undefined
}

function who(name: string): Placement['who'] {
  return { zone: 'a', region: 'r', namespace: 'shop', kind: 'Deployment', name, external: false }
}

const delayMs = fc.integer({ min: 0, max: MAX_DELAY_MS })
const wrongMs = fc.integer({ min: -1_000, max: 0 })
const life = fc.record({
  name: fc.constantFrom('cart', 'web', 'stock'),
  node: fc.constantFrom('n1', 'n1', 'n2', 'n3'),
  vacantMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 3_000, max: 90_000 })),
  livesMs: fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 10_000, max: 90_000 })),
  delaysMs: fc.tuple(delayMs, delayMs),
  wrongsMs: fc.tuple(wrongMs, wrongMs),
  stays: fc.boolean(),
})
const livesOf = (address: string): fc.Arbitrary<readonly Life[]> =>
  fc.array(life, { minLength: 1, maxLength: 6 }).map((all) => {
    let atMs = START_MS - 20_000
    return all.map(({ name, node, vacantMs, livesMs, delaysMs, wrongsMs, stays }, index): Life => {
      const fromMs = atMs + vacantMs
      const untilMs = fromMs + livesMs
      atMs = untilMs
      const toldFromMs = Math.floor((fromMs + wrongsMs[0]) / 1000) * 1000
      const toldUntilMs = Math.max(toldFromMs, Math.floor((untilMs + wrongsMs[1]) / 1000) * 1000)
      const heardFromMs = fromMs + delaysMs[0]
      const heardUntilMs = Math.max(heardFromMs, untilMs + delaysMs[1])
      const told = { toldFromMs, toldUntilMs, heardFromMs, heardUntilMs }
      return { address, key: `${address}/${index}`, name, node, fromMs, untilMs, ...told, stays }
    })
  })
const cycle = fc.record({
  ms: fc.integer({ min: 500, max: MAX_CYCLE_MS }),
  sending: fc.array(fc.boolean(), { minLength: ADDRESSES.length, maxLength: ADDRESSES.length }),
  forgets: fc.boolean(),
})
const inTheFirst = (ms: number): fc.Arbitrary<number> => fc.integer({ min: START_MS, max: START_MS + ms })
const calm: fc.Arbitrary<World> = fc.record({
  lives: fc.tuple(...ADDRESSES.map(livesOf)).map((all) => all.flat()),
  cycles: fc.array(cycle, { minLength: 40, maxLength: 40 }),
  patienceMs: fc.integer({ min: 0, max: 40_000 }),
  knownMs: inTheFirst(60_000),
  joinedMs: fc.option(inTheFirst(120_000), { nil: undefined }),
  listedMs: inTheFirst(60_000),
  thirdMs: inTheFirst(300_000),
  outsideMs: fc.tuple(inTheFirst(200_000), inTheFirst(400_000)),
  behindMs: fc.integer({ min: -1_000, max: 1_000 }),
  takesMs: fc.integer({ min: 0, max: 500 }),
  spares: fc.boolean(),
  restarts: fc.boolean(),
  outage: fc.tuple(inTheFirst(200_000), fc.integer({ min: 0, max: 60_000 })).map(([fromMs, ms]) => ({ fromMs, toMs: fromMs + ms })),
})
/** When a node joined is written down by others: not here, so that none joins whose agent restarts. */
const world = calm.map(
  (one): World => ({
    ...one,
    joinedMs: one.restarts ? undefined : one.joinedMs,
    lives: one.lives.map((life) => (isSpared(one, life) ? life : heardThrough(one, life))),
  }),
)

const isSpared = ({ spares, restarts }: Pick<World, 'spares' | 'restarts'>, { node }: Life): boolean => spares && !restarts && node === 'n1'

/** As a list after the outage tells it: of who is gone that it was there before. */
function heardThrough({ outage: { fromMs, toMs }, restarts }: Pick<World, 'outage' | 'restarts'>, life: Life): Life {
  const isIn = (atMs: number): boolean => atMs > fromMs && atMs <= toMs
  const { heardFromMs, heardUntilMs } = life
  if (isIn(heardFromMs) && isIn(heardUntilMs)) return { ...life, heardFromMs: toMs, heardUntilMs: toMs, isUnheard: true }
  if (isIn(heardFromMs)) return { ...life, heardFromMs: toMs, heardUntilMs: Math.max(heardUntilMs, toMs) }
  if (isIn(heardUntilMs) && restarts && life.stays) return { ...life, heardUntilMs: toMs }
  if (isIn(heardUntilMs)) return { ...life, heardUntilMs: toMs, toldUntilMs: Math.max(life.toldFromMs, Math.min(life.toldUntilMs, fromMs)) }
  return life
}

const tenantOf = ({ name, node }: Life): Tenant => ({ who: who(name), node, coverage: 'node' })

const OUTSIDE: Tenant = { who: { ...who('orders'), kind: 'ServiceEntry' }, node: '', coverage: 'outside' }

function outsideIn({ outsideMs: [fromMs, untilMs] }: World, isNew: (atMs: number) => boolean): readonly Tenancy[] {
  const said = (endMs: number): readonly Tenancy[] =>
    ADDRESSES.map((address) => ({ address, key: 'serviceentry/shop/orders', tenant: OUTSIDE, fromMs: 0, untilMs: endMs }))
  return [...(isNew(fromMs) ? said(Number.POSITIVE_INFINITY) : []), ...(isNew(untilMs) ? said(untilMs) : [])]
}

/** What was heard of in a while, as the agent hands it on; of a process that has just begun, what there is. */
function changesIn(world: World, fromMs: number, toMs: number, isListed = false): ClusterChanges {
  const isNew = (atMs: number): boolean => atMs > fromMs && atMs <= toMs
  const isThere = ({ heardFromMs, heardUntilMs, stays, isUnheard }: Life): boolean =>
    heardFromMs <= toMs && !isUnheard && (stays || heardUntilMs > toMs)
  const heard = world.lives.filter((one) =>
    isListed ? isThere(one) : !one.isUnheard && (isNew(one.heardFromMs) || isNew(one.heardUntilMs)),
  )
  const tenancies = heard.map((one) => ({
    address: one.address,
    key: one.key,
    tenant: tenantOf(one),
    fromMs: one.toldFromMs,
    untilMs: one.heardUntilMs <= toMs ? one.toldUntilMs : Number.POSITIVE_INFINITY,
  }))
  const isCovering = isNew(world.listedMs) || (toMs >= world.listedMs && isNew(world.thirdMs))
  const [before, standing] = [standingAt(world, fromMs), standingAt(world, toMs)]
  return {
    tenancies: [...tenancies, ...outsideIn(world, isNew)],
    isCurrent: world.restarts || toMs <= world.outage.fromMs || toMs >= world.outage.toMs,
    ...(world.spares && !world.restarts ? { isOwnCurrent: true } : {}),
    unheard: !world.restarts && isNew(world.outage.toMs) ? [saidOf(world)] : [],
    ...(isCovering ? { covering: new Set(toMs >= world.thirdMs ? ['n2', 'n3'] : ['n2']) } : {}),
    ...(standing === before ? {} : { standing }),
  }
}

/** No agent runs, and so none reads. */
const isDown = ({ restarts, outage }: World, atMs: number): boolean => restarts && atMs > outage.fromMs && atMs < outage.toMs

/** What was not heard of yet when hearing ended was missed as well. */
const saidOf = ({ outage: { fromMs, toMs }, behindMs }: World): Stretch => ({
  fromMs: fromMs - MAX_DELAY_MS - behindMs,
  toMs: toMs - behindMs,
})

function standingAt({ knownMs, joinedMs }: Pick<World, 'knownMs' | 'joinedMs'>, atMs: number): 'unknown' | 'joining' | 'yes' {
  if (atMs < knownMs) return 'unknown'
  return joinedMs !== undefined && atMs < joinedMs ? 'joining' : 'yes'
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

const overlaps = ({ fromMs, untilMs }: Life, sinceMs: number, toMs: number): boolean => fromMs < toMs && untilMs > sinceMs

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

const isHeardOf = ({ fromMs, untilMs, heardFromMs, heardUntilMs }: Life, atMs: number): boolean =>
  (fromMs > atMs || heardFromMs <= atMs) && (untilMs > atMs || heardUntilMs <= atMs)

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
