import t from 'tap'
import { type LastRead, parseLastRead, renderLastRead } from '../../src/ledger/last-read.js'
import { createLedger, type Ledger } from '../../src/ledger/ledger.js'
import { byClockOfNow } from '../../src/ledger/set-back.js'
import { parseState, renderState, type State } from '../../src/ledger/state.js'
import type { Pairs } from '../../src/model/flows.js'
import type { Identity, Placement, Stretch } from '../../src/model.js'
import { createSetClock } from '../../src/set-clock.js'
import { CART, createModelIdentity, STOCK, UNKNOWN, WEB } from './identity-model.js'
import { createKernel, createReader } from './kernel-model.js'

const clockOf = (nowMs: number, bootMs?: number) =>
  createSetClock({
    now: () => nowMs,
    monotonic: () => 0,
    sleep: async () => undefined,
    ...(bootMs !== undefined && { sinceBoot: () => bootMs }),
  })

t.test('what another process wrote down, by the clock of now', async (t) => {
  const [then, later] = [1_000_000, 1_060_000]
  const cases = [
    { name: 'the clock went on', now: clockOf(later, 65_000), readAtMs: 999_900 },
    { name: 'it was set back by 5 s', now: clockOf(later - 5_000, 65_000), readAtMs: 994_900 },
    { name: 'by more than the agent was away', now: clockOf(later - 90_000, 65_000), readAtMs: 909_900 },
    { name: 'forward', now: clockOf(later + 90_000, 65_000), readAtMs: 999_900 },
    { name: 'the machine began anew', now: clockOf(later, 4_000), readAtMs: 999_900 },
    { name: 'it is not known', now: clockOf(later - 90_000), readAtMs: 999_900 },
  ]
  const parts = { pairs: { size: 0, addresses: 0 } as unknown as Pairs, textOf: () => undefined, pause: async () => undefined }
  const column = { count: 0, pair: new Int32Array(0), bytes: new Float64Array(0) }
  const waiting = [{ fromMs: then - 9_000, toMs: then - 8_000, column }]
  const clock = clockOf(then, 5_000).settings.mark()
  const moment = { epoch: 'e1', atMs: then, readAtMs: then - 100, clock }
  for (const { name, now, readAtMs } of cases) {
    const lastRead = parseLastRead(Buffer.concat(await renderLastRead(moment, [], { ...parts, waiting }))) as LastRead
    const head = { version: 1, atMs: then - 50, clock } as State['head']
    const read = byClockOfNow({ head, lastRead } as State, now.settings.byNow)
    t.match(read.head, { atMs: readAtMs + 50, orderMs: then - 50 }, name)
    t.match(read.lastRead, { readAtMs, atMs: readAtMs + 100, orderMs: then, epoch: 'e1' }, name)
    const came: { readonly fromMs: number; readonly toMs: number }[] = []
    for await (const { fromMs, toMs } of read.lastRead?.waitedThen(column, parts.pairs, parts.pause) ?? []) came.push({ fromMs, toMs })
    t.same(came, [{ fromMs: readAtMs - 8_900, toMs: readAtMs - 7_900 }], name)
  }
})

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const [cart, web, late, stock] = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']
const HOUR_MS = 3_600_000
const MADE_MS = 1_763_715_600_000

/** A ledger whose clock is in the test's hands; `asked`: since when, at each look, and at what time. */
function createSetBack() {
  const here = { local: 'yes', covered: 'yes' } as const
  const model = createModelIdentity(
    new Map<string, Placement>([
      [cart, { who: CART, ...here }],
      [web, { who: WEB, ...here }],
      [late, { who: UNKNOWN, local: 'unknown', covered: 'no' }],
      [stock, { who: STOCK, ...here }],
    ]),
  )
  const asked: (Stretch & { readonly address: string })[] = []
  let nowMs = MADE_MS
  const identity: Identity = {
    ...model,
    placeSince(address, before, sinceMs) {
      asked.push({ address, fromMs: sinceMs, toMs: nowMs })
      return model.placeSince(address, before, sinceMs)
    },
    placeDuring(address, now, stretch) {
      asked.push({ address, ...stretch })
      return model.placeDuring(address, now, stretch)
    },
    get version() {
      return model.version
    },
  }
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const kernel = createKernel()
  kernel.create('e1', MADE_MS)
  return {
    asked,
    model,
    ledger: (state?: State) => createLedger({ limit: 9, idleMs: 60_000 }, { clock, log }, state),
    async read(ledger: Ledger, afterMs: number): Promise<number> {
      nowMs += afterMs
      asked.length = 0
      await ledger.post(createReader(kernel, 1).read(nowMs, 0), identity)
      return nowMs
    },
    send: (source: string, bytes = 1) => kernel.send({ source, destination: stock, bytes, path: 'plain' }, false),
  }
}

async function stateOf(ledger: Ledger): Promise<State> {
  const { state } = await parseState(Buffer.from([...renderState(await ledger.state())].join('')), async () => undefined)
  return state as State
}

const lastReadOf = async (ledger: Ledger) => parseLastRead(Buffer.concat(await ledger.lastRead())) as LastRead

/** Of what waits nobody wrote down when it came. */
const untimed = (lastRead: LastRead): LastRead => ({
  ...lastRead,
  async *waitedThen() {
    yield* []
  },
})

t.test('the clock is set back while a table counts', async (t) => {
  const { ledger: create, read, send, asked, model } = createSetBack()
  const ledger = create()
  ledger.announce('e1')
  send(cart)
  await read(ledger, 10_000)
  t.same(asked[0], { address: cart, fromMs: MADE_MS, toMs: MADE_MS + 10_000 }, 'at first since the table was made')
  send(web)
  const readMs = await read(ledger, -HOUR_MS)
  t.same(asked[0], { address: web, fromMs: 0, toMs: readMs }, 'since when nobody can say')
  t.ok(
    [...ledger.accounts.flows.values()].every(({ sinceMs }) => sinceMs >= readMs),
    'but no series began in 1970',
  )
  send(late)
  await read(ledger, 10_000)
  t.same(asked, [{ address: late, fromMs: readMs, toMs: readMs + 10_000 }], 'and then since the reading before')
  model.change(late, { who: CART, local: 'yes', covered: 'yes' }, { who: UNKNOWN, local: 'yes', covered: 'yes', ambiguous: true })
  await read(ledger, 10_000)
  t.ok(asked.length > 0)
  for (const { fromMs, toMs } of asked) t.ok(fromMs <= toMs, 'no time ends before it begins')
})

t.test('killed then, what no decision stands for came since the state', async (t) => {
  const { ledger: create, read, send, asked } = createSetBack()
  const first = create()
  first.announce('e1')
  const stateMs = await read(first, -HOUR_MS)
  const state = await stateOf(first)
  send(web)
  const lastReadMs = await read(first, 10_000)
  const lastRead = untimed(await lastReadOf(first))
  const second = create({ ...state, lastRead })
  send(late)
  await read(second, 10_000)
  t.same(
    asked.find(({ address }) => address === web),
    { address: web, fromMs: stateMs, toMs: lastReadMs + 10_000 },
  )
})

t.test('killed then, what waits and nobody wrote down when it came may have come at any time', async (t) => {
  const { ledger: create, read, send, asked, model } = createSetBack()
  const first = create()
  first.announce('e1')
  send(late, 5)
  const lastReadMs = await read(first, -HOUR_MS)
  const state = await stateOf(first)
  const lastRead = untimed(await lastReadOf(first))
  const second = create({ ...state, lastRead })
  model.change(late, { who: CART, local: 'yes', covered: 'yes' }, { who: UNKNOWN, local: 'yes', covered: 'yes', ambiguous: true })
  await read(second, 10_000)
  t.same(
    asked.flatMap(({ address, fromMs, toMs }) => (address === late && toMs <= lastReadMs ? [fromMs] : [])),
    [0],
  )
})
