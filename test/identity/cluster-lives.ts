// Random lives of pods on three nodes that share a few addresses, and what an agent of n1 is told of them, and when.
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import type { Tenant } from '../../src/identity/holders.js'
import type { Tenancy } from '../../src/identity/tenancies.js'
import type { Placement, Stretch } from '../../src/model.js'
import { fc } from '../property.js'

export const SKEW_MS = 2_000
export const MAX_CYCLE_MS = 12_000
export const HANDOVER_MS = 15_000
const MAX_DELAY_MS = 4_000
export const START_MS = 100_000
export const ADDRESSES = ['10.1.0.7', '10.1.0.8', '10.1.0.9']

/** API times are cut to seconds, and a second wrong at most; each change is heard of some time later. */
export interface Life {
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

export interface World {
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

export function who(name: string): Placement['who'] {
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
export const world = calm.map(
  (one): World => ({
    ...one,
    joinedMs: one.restarts ? undefined : one.joinedMs,
    lives: one.lives.map((life) => (isSpared(one, life) ? life : heardThrough(one, life))),
  }),
)

export const isSpared = ({ spares, restarts }: Pick<World, 'spares' | 'restarts'>, { node }: Life): boolean =>
  spares && !restarts && node === 'n1'

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
export function changesIn(world: World, fromMs: number, toMs: number, isListed = false): ClusterChanges {
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
export const isDown = ({ restarts, outage }: World, atMs: number): boolean => restarts && atMs > outage.fromMs && atMs < outage.toMs

/** What was not heard of yet when hearing ended was missed as well. */
const saidOf = ({ outage: { fromMs, toMs }, behindMs }: World): Stretch => ({
  fromMs: fromMs - MAX_DELAY_MS - behindMs,
  toMs: toMs - behindMs,
})

export function standingAt({ knownMs, joinedMs }: Pick<World, 'knownMs' | 'joinedMs'>, atMs: number): 'unknown' | 'joining' | 'yes' {
  if (atMs < knownMs) return 'unknown'
  return joinedMs !== undefined && atMs < joinedMs ? 'joining' : 'yes'
}

export const overlaps = ({ fromMs, untilMs }: Life, sinceMs: number, toMs: number): boolean => fromMs < toMs && untilMs > sinceMs

export const isHeardOf = ({ fromMs, untilMs, heardFromMs, heardUntilMs }: Life, atMs: number): boolean =>
  (fromMs > atMs || heardFromMs <= atMs) && (untilMs > atMs || heardUntilMs <= atMs)
