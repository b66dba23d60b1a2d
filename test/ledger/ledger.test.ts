// Situations that are easy to get wrong, each as short as it can be. What is right is told by the oracle, and compared after every step.
import t, { type Test } from 'tap'
import type { Placement } from '../../src/model.js'
import { CART, FAR, INTERNET, STOCK, UNKNOWN, WEB } from './identity-model.js'
import type { Path } from './kernel-model.js'
import type { Action, KillAfter } from './world.js'
import { createWorld } from './world.js'

const HERE = { local: 'yes', covered: 'yes' } as const
const THERE = { local: 'no', covered: 'yes' } as const
const OUT = { local: 'no', covered: 'no' } as const
const WAITS = { local: 'unknown', covered: 'no' } as const

const cart = '10.0.0.1'
const web = '10.0.0.2'
const stock = '10.0.0.3'
const late = '10.0.0.4'
const outside = '10.0.0.5'
const PLACES: ReadonlyMap<string, Placement> = new Map([
  [cart, { who: CART, ...HERE }],
  [web, { who: WEB, ...HERE }],
  [stock, { who: STOCK, ...THERE }],
  [late, { who: UNKNOWN, ...WAITS }],
  [outside, { who: INTERNET, ...OUT }],
])

const send = (from: string, to: string, bytes: number, path: Path = 'plain', isInFlight = false): Action => ({
  do: 'send',
  from,
  to,
  bytes,
  path,
  isInFlight,
})
const nobody = { from: outside, to: outside, bytes: 1, path: 'tunnel', isInFlight: false } as const
const cycle = (killAfter: KillAfter = 'nothing', tearAt = 0): Action => ({ do: 'cycle', killAfter, tearAt, meanwhile: nobody })
const place = (address: string, who: Placement['who'], where: Omit<Placement, 'who'>): Action => ({
  do: 'place',
  address,
  placement: { who, ...where },
})
type Place = Extract<Action, { readonly do: 'place' }>
/** Until some time ago it was there. */
const aliveUntil = (agoMs: number) => ({
  agoMs,
  before: { who: STOCK, ...THERE },
  after: { who: STOCK, ...THERE, endedMs: 1_763_715_590_000 },
})
const wait = (ms: number): Action => ({ do: 'wait', ms })
const kill: Action = { do: 'kill' }
const rotate: Action = { do: 'rotate' }
const destroy: Action = { do: 'destroy the table' }
const stop: Action = { do: 'stop', killAfter: 'nothing', tearAt: 0 }

/** Begins with a table that has counted nothing. */
interface Case {
  readonly name: string
  readonly limit?: number
  readonly idleMs?: number
  readonly actions: readonly Action[]
}

async function runAll(t: Test, cases: readonly Case[]): Promise<void> {
  for (const { name, limit = 1000, idleMs = 3_600_000, actions } of cases) {
    const world = createWorld({ limit, idleMs, places: PLACES })
    const holds = async () => {
      for (const action of [cycle(), ...actions]) await world.run(action)
      await world.settle()
    }
    await t.resolves(holds(), name)
  }
}

t.test('an address changes hands', async (t) => {
  await runAll(t, [
    {
      name: 'bytes up to the cut stay with the old owner',
      actions: [send(cart, stock, 900), cycle(), send(cart, stock, 50), place(cart, WEB, HERE), cycle(), send(cart, stock, 7), cycle()],
    },
    {
      name: 'and do so after a kill between the cut and its line',
      actions: [send(cart, stock, 900), cycle(), place(cart, WEB, HERE), cycle('posting'), send(cart, stock, 7), cycle()],
    },
    {
      name: 'and do so after a restart',
      actions: [send(cart, stock, 900), cycle(), place(cart, WEB, HERE), cycle(), kill, send(cart, stock, 7), cycle()],
    },
    {
      name: 'while it has no bytes in the kernel any more, after a restart that knew it',
      actions: [
        ...[send(cart, stock, 5), cycle(), kill, cycle(), rotate, send(web, stock, 5), cycle()],
        ...[place(cart, FAR, HERE), cycle(), send(cart, stock, 7), cycle()],
      ],
    },
    {
      name: 'to another node, and back',
      actions: [send(cart, stock, 5), cycle(), place(cart, CART, THERE), cycle(), send(cart, stock, 7), place(cart, CART, HERE), cycle()],
    },
  ])
})

t.test('an address that nobody can place yet', async (t) => {
  const isWeb: Place = { do: 'place', address: stock, placement: { who: WEB, ...THERE } }
  /** Since some time ago; before that it was another. */
  const lateIsCart = (agoMs: number): Action => {
    const [before, after] = [
      { who: WEB, ...HERE },
      { who: CART, ...HERE },
    ]
    return { do: 'place', address: late, placement: after, meanwhile: after, apart: { agoMs, before, after } }
  }
  const apart = { agoMs: 12_000, before: { who: STOCK, ...THERE }, after: { who: WEB, ...THERE } }
  await runAll(t, [
    {
      name: 'and the other end became somebody else meanwhile',
      actions: [
        ...[send(late, stock, 900), cycle(), wait(10_000), isWeb, cycle(), wait(10_000), send(late, stock, 50)],
        ...[{ do: 'place', address: late, placement: { who: CART, ...HERE }, meanwhile: { who: CART, ...HERE } } as const],
        ...[{ ...isWeb, apart }, cycle()],
      ],
    },
    { name: 'its bytes follow it when it is placed here', actions: [send(late, stock, 5), cycle(), place(late, CART, HERE), cycle()] },
    { name: 'or there', actions: [send(late, stock, 5), cycle(), place(late, CART, THERE), cycle()] },
    {
      name: 'what was booked before it became unknown stays',
      actions: [
        ...[send(cart, stock, 5), cycle(), place(cart, CART, WAITS), cycle(), send(cart, stock, 7), cycle()],
        ...[kill, cycle(), place(cart, WEB, HERE), cycle()],
      ],
    },
    {
      name: 'what waited when the agent was killed is told apart by when it came',
      actions: [
        ...[send(late, stock, 900), cycle(), wait(20_000), send(late, stock, 50), cycle(), kill, wait(20_000), send(late, stock, 7)],
        ...[lateIsCart(30_000), cycle()],
      ],
    },
    {
      name: 'as what came before the last reading where it was not written down when',
      actions: [
        ...[send(late, stock, 900), cycle(), wait(20_000), send(late, stock, 50), lateIsCart(10_000), cycle('keeping'), wait(20_000)],
        ...[lateIsCart(10_000), send(late, stock, 7), cycle()],
      ],
    },
    {
      name: 'its generation waits for it',
      actions: [send(late, stock, 5), cycle(), rotate, send(late, stock, 7), cycle(), cycle(), place(late, CART, HERE), cycle(), cycle()],
    },
    {
      name: 'a series that its bytes go to is not withdrawn unserved',
      idleMs: 1000,
      actions: [send(cart, stock, 5), send(late, stock, 7), cycle(), wait(20_000), place(late, CART, HERE), cycle()],
    },
    {
      name: 'what it had when the state was lost is not posted later',
      actions: [send(late, stock, 5), cycle(), { do: 'remove the state' }, kill, cycle(), place(late, CART, HERE), cycle()],
    },
    {
      name: 'its table is destroyed',
      actions: [send(late, stock, 5), cycle(), destroy, cycle(), place(late, CART, HERE), send(late, stock, 7), cycle()],
    },
  ])
})

t.test('a pod ends, and bytes still come to its address', async (t) => {
  const ended = { endedMs: 1_763_715_590_000 }
  const waitsFor = { who: UNKNOWN, local: 'unknown', covered: 'unknown', ...ended } as const
  const dies = place(stock, UNKNOWN, waitsFor)
  const nobodyCame: Place = { do: 'place', address: stock, placement: { who: STOCK, ...THERE, ...ended } }
  const isCart = { who: CART, ...HERE }
  const lateIsCart: Action = { do: 'place', address: late, placement: isCart, meanwhile: isCart }
  const sentToNobody = [send(cart, stock, 900), cycle(), dies, cycle(), wait(10_000), send(cart, stock, 50), cycle()]
  /** Since some time ago. */
  const webComes = (agoMs: number): Action => ({
    do: 'place',
    address: stock,
    placement: { who: WEB, ...THERE },
    meanwhile: { who: WEB, ...THERE },
    apart: { agoMs, before: { who: STOCK, ...THERE, ...ended }, after: { who: WEB, ...THERE } },
  })
  await runAll(t, [
    { name: 'they are phantom, those before are not', actions: [...sentToNobody, nobodyCame, cycle(), send(cart, stock, 7), cycle()] },
    { name: 'after a kill', actions: [...sentToNobody, kill, nobodyCame, cycle(), kill, send(cart, stock, 7), cycle(), kill, cycle()] },
    { name: 'over generations', actions: [...sentToNobody, nobodyCame, rotate, cycle(), rotate, send(cart, stock, 7), cycle(), cycle()] },
    { name: 'until another has the address', actions: [...sentToNobody, nobodyCame, cycle(), webComes(0), send(cart, stock, 7), cycle()] },
    {
      name: 'before another had it, though it was waited for',
      actions: [...sentToNobody, wait(10_000), webComes(8_000), send(cart, stock, 7), cycle(), send(cart, stock, 3), cycle()],
    },
    {
      name: 'while it waits who sent them: only those that came later',
      actions: [
        ...[send(late, stock, 900), cycle(), wait(10_000), place(stock, STOCK, { ...THERE, ...ended }), send(late, stock, 50), cycle()],
        ...[lateIsCart, { ...nobodyCame, apart: aliveUntil(5_000) }, cycle()],
      ],
    },
    {
      name: 'while it waits who sent them, and nobody was told: not those before',
      actions: [
        ...[send(late, stock, 900), cycle(), wait(10_000), send(late, stock, 50), lateIsCart],
        ...[{ ...nobodyCame, meanwhile: nobodyCame.placement, apart: aliveUntil(5_000) }, cycle()],
      ],
    },
    { name: 'what the dead one sent is not', actions: [place(cart, CART, { ...HERE, ...ended }), send(cart, stock, 5), cycle()] },
    {
      name: 'from two owners, where there is room for one series',
      limit: 1,
      actions: [nobodyCame, send(cart, stock, 5), cycle(), send(web, stock, 7), cycle(), kill, send(web, stock, 1), cycle()],
    },
    {
      name: 'a series that began with what had waited keeps its place over a restart that finds another new one',
      limit: 2,
      actions: [...sentToNobody, nobodyCame, cycle(), kill, send(web, cart, 7), cycle(), cycle()],
    },
    {
      name: 'a series that is idle goes, and comes back',
      idleMs: 1000,
      actions: [nobodyCame, send(cart, stock, 5), cycle(), wait(2000), cycle(), kill, send(cart, stock, 3), cycle(), cycle()],
    },
    { name: 'the table is destroyed', actions: [nobodyCame, send(cart, stock, 5), cycle(), destroy, send(cart, stock, 7), cycle()] },
  ])
})

t.test('bytes that come from outside and leave again', async (t) => {
  await runAll(t, [
    { name: 'are elsewhere', actions: [send(outside, stock, 5), cycle()] },
    { name: 'but the translated ones', actions: [send(outside, stock, 5), send(outside, stock, 7, 'translated'), cycle()] },
    { name: 'read between the two hooks', actions: [send(outside, stock, 7, 'translated', true), cycle(), cycle()] },
    { name: 'read between the two hooks, then killed', actions: [send(outside, stock, 7, 'translated', true), cycle(), kill, cycle()] },
    {
      name: 'seen in one generation and translated in the next',
      actions: [
        send(outside, stock, 7, 'translated', true),
        rotate,
        send(outside, stock, 3, 'translated'),
        cycle(),
        cycle(),
        rotate,
        cycle(),
      ],
    },
    {
      name: 'the last of their pair, then killed',
      actions: [send(outside, stock, 7, 'translated', true), rotate, cycle(), kill, cycle(), rotate, cycle(), kill, cycle()],
    },
    { name: 'found no room at the second hook', actions: [send(outside, stock, 7, 'no room for via'), cycle(), kill, cycle()] },
    {
      name: 'over generations',
      actions: [
        send(outside, stock, 5),
        send(outside, stock, 7, 'translated'),
        cycle(),
        rotate,
        send(outside, stock, 3),
        cycle(),
        kill,
        cycle(),
      ],
    },
    {
      name: 'translated while nobody could place them, after others were elsewhere',
      actions: [
        ...[place(outside, INTERNET, THERE), send(outside, stock, 100), send(outside, stock, 30, 'translated'), cycle()],
        ...[place(outside, INTERNET, WAITS), cycle(), send(outside, stock, 7, 'translated'), send(outside, stock, 5), cycle()],
        ...[place(outside, INTERNET, OUT), cycle()],
      ],
    },
    {
      name: 'when the state is lost',
      actions: [
        send(outside, stock, 5),
        send(outside, stock, 7, 'translated'),
        cycle(),
        { do: 'remove the state' },
        kill,
        cycle(),
        cycle(),
      ],
    },
  ])
})

t.test('more owner pairs than series', async (t) => {
  await runAll(t, [
    {
      name: 'the rest is folded',
      limit: 1,
      actions: [send(cart, stock, 5), send(web, stock, 7), cycle(), kill, send(web, stock, 1), cycle()],
    },
    {
      name: 'one that was withdrawn stays so after a restart, since another has its place',
      limit: 1,
      idleMs: 1000,
      actions: [send(cart, stock, 5), cycle(), wait(2000), cycle(), send(web, stock, 7), cycle(), kill, cycle()],
    },
    {
      name: 'one that was withdrawn comes back to a full table',
      limit: 1,
      idleMs: 1000,
      actions: [
        send(cart, stock, 5),
        cycle(),
        wait(2000),
        cycle(),
        send(web, stock, 7),
        cycle(),
        send(cart, stock, 3),
        cycle(),
        send(cart, stock, 2),
        cycle(),
        kill,
        cycle(),
      ],
    },
    {
      name: 'one that came back keeps its place over a restart that finds another new one',
      limit: 1,
      idleMs: 1000,
      actions: [
        ...[send(cart, stock, 5), cycle(), wait(2000), cycle(), send(cart, stock, 3), cycle()],
        ...[kill, send(web, stock, 7), cycle()],
      ],
    },
    {
      name: 'one that was withdrawn comes back and finds room',
      idleMs: 1000,
      actions: [send(cart, stock, 5), cycle(), wait(2000), cycle(), send(cart, stock, 3), cycle(), kill, cycle()],
    },
    {
      name: 'a folded one is forgotten with its generation, and comes back',
      limit: 1,
      idleMs: 1000,
      actions: [
        ...[send(cart, stock, 5), send(web, stock, 7), cycle(), rotate, wait(2000), cycle(), wait(2000), cycle()],
        ...[send(web, stock, 3), cycle(), kill, cycle()],
      ],
    },
  ])
})

t.test('the agent is killed after any step', async (t) => {
  const steps: readonly KillAfter[] = [
    'announcing',
    'creating the table',
    'reading',
    'posting',
    'writing',
    'releasing',
    'half of the write',
  ]
  const life = (step: KillAfter): readonly Action[] => [
    ...[cycle(step), send(cart, stock, 5), cycle(step), rotate, send(cart, stock, 7), send(web, stock, 3), cycle(step), cycle(step)],
    ...[place(cart, WEB, HERE), cycle(step), send(cart, stock, 2), destroy, cycle(step), send(cart, stock, 4), cycle(step)],
  ]
  await runAll(
    t,
    steps.map((step) => ({ name: `after ${step}`, actions: life(step) })),
  )
  const torn = Array.from({ length: 60 }, (_, at) => cycle('half of the write', at * 40))
  await runAll(t, [
    { name: 'wherever a write stops', actions: torn.flatMap((one) => [send(cart, stock, 5), cycle(), send(web, late, 1), one]) },
  ])
})

t.test('a set is deleted while the agent is away', async (t) => {
  const deleted: Action = { do: 'delete a set' }
  const away = [send(cart, stock, 5), cycle(), rotate, send(cart, stock, 7), kill]
  await runAll(t, [
    { name: 'all starts over', actions: [...away, deleted, cycle(), send(cart, stock, 3), cycle()] },
    { name: 'unless it was done with', actions: [send(cart, stock, 5), cycle(), rotate, cycle('writing'), deleted, cycle()] },
  ])
})

t.test('the table is destroyed', async (t) => {
  await runAll(t, [
    {
      name: 'totals go on under a running agent',
      actions: [send(cart, stock, 5), cycle(), destroy, cycle(), send(cart, stock, 7), cycle()],
    },
    { name: 'and after a clean stop', actions: [send(cart, stock, 5), cycle(), stop, destroy, cycle(), send(cart, stock, 7), cycle()] },
    {
      name: 'and when the agent is killed before the first reading of the new one',
      actions: [send(cart, stock, 5), cycle(), rotate, cycle(), destroy, cycle('creating the table'), send(cart, stock, 7), cycle()],
    },
    {
      name: 'but start over after a kill',
      actions: [send(cart, stock, 5), cycle(), send(cart, stock, 1), cycle(), kill, destroy, cycle()],
    },
  ])
})

t.test('gaps', async (t) => {
  const remove: Action = { do: 'remove the state' }
  const cases = [
    { name: 'none at the first start', actions: [cycle(), wait(20_000), cycle()], seconds: 0 },
    { name: 'none while the agent is away', actions: [cycle(), kill, wait(20_000), cycle()], seconds: 0 },
    {
      name: 'the table destroyed under a running agent',
      actions: [cycle(), wait(20_000), destroy, cycle(), wait(5000), cycle()],
      seconds: 20,
    },
    { name: 'the table destroyed while the agent was away', actions: [cycle(), kill, wait(20_000), destroy, cycle()], seconds: 20 },
    { name: 'the state lost: since the table began', actions: [cycle(), remove, kill, wait(20_000), cycle()], seconds: 20 },
    { name: 'kept over restarts', actions: [cycle(), wait(20_000), destroy, cycle(), kill, cycle(), stop, cycle()], seconds: 20 },
    { name: 'never less, though the clock is', actions: [cycle(), { do: 'set the clock back' }, remove, kill, cycle()], seconds: 0 },
  ] satisfies readonly { name: string; actions: readonly Action[]; seconds: number }[]
  for (const { name, actions, seconds } of cases) {
    const world = createWorld({ limit: 10, idleMs: 3_600_000, places: PLACES })
    for (const action of actions) await world.run(action)
    t.equal((world.ledger?.accounts.book('gapMs').value ?? Number.NaN) / 1000, seconds, name)
  }
})
