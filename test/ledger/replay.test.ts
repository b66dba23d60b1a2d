import t from 'tap'
import { parseLastRead } from '../../src/ledger/last-read.js'
import { createLedger, type Ledger } from '../../src/ledger/ledger.js'
import { parseState, renderState, type State } from '../../src/ledger/state.js'
import type { Identity } from '../../src/model.js'
import { CART, createModelIdentity, STOCK, WEB } from './identity-model.js'
import { createKernel, createReader } from './kernel-model.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const [cart, web, stock] = ['10.0.0.1', '10.0.0.2', '10.0.0.3']

async function stateOf(ledger: Ledger): Promise<State> {
  const { state } = await parseState(Buffer.from([...renderState(await ledger.state())].join('')), async () => undefined)
  return state as State
}

t.test('killed before the decisions on a reading were written: what it found first came since the state', async (t) => {
  let nowMs = 1_000_000
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const here = { local: 'yes', covered: 'yes' } as const
  const model = createModelIdentity(
    new Map([
      [cart, { who: CART, ...here }],
      [web, { who: WEB, ...here }],
      [stock, { who: STOCK, ...here }],
    ]),
  )
  const asked: [string, number][] = []
  const placeSince: Identity['placeSince'] = (address, before, sinceMs) => {
    asked.push([address, sinceMs])
    return model.placeSince(address, before, sinceMs)
  }
  const identity: Identity = { ...model, placeSince }
  const kernel = createKernel()
  const readInto = (ledger: Ledger) => ledger.post(createReader(kernel, 1).read(nowMs, 0), identity)
  const ledger = createLedger({ limit: 9, idleMs: 60_000 }, { clock, log })
  ledger.announce('e1')
  kernel.create('e1', nowMs)
  kernel.send({ source: cart, destination: stock, bytes: 5, path: 'plain' }, false)
  nowMs += 10_000
  await readInto(ledger)
  const state = await stateOf(ledger)
  const stateMs = nowMs
  kernel.send({ source: web, destination: stock, bytes: 7, path: 'plain' }, false)
  nowMs += 10_000
  await readInto(ledger)
  const lastRead = parseLastRead(Buffer.concat(await ledger.lastRead()))
  nowMs += 10_000
  asked.length = 0
  await readInto(createLedger({ limit: 9, idleMs: 60_000 }, { clock, log }, { ...state, ...(lastRead && { lastRead }) }))
  t.same(
    asked.find(([address]) => address === web),
    [web, stateMs],
  )
  t.same(
    new Set(asked.flatMap(([address, sinceMs]) => (address === cart ? [sinceMs] : []))),
    new Set([stateMs + 10_000]),
    'not what it knows',
  )
})

t.test('each reading comes after the one before, whatever becomes of the clock, and after what another process wrote', async (t) => {
  let nowMs = 1_000_000
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const kernel = createKernel()
  kernel.create('e1', nowMs)
  const orders: (number | undefined)[] = []
  const read = async (ledger: Ledger): Promise<void> => {
    await ledger.post(createReader(kernel, 1).read(nowMs, 0), createModelIdentity(new Map()))
    orders.push((await stateOf(ledger)).head.orderMs)
  }
  const first = createLedger({ limit: 9, idleMs: 60_000 }, { clock, log })
  first.announce('e1')
  for (const movedMs of [10_000, 0, -50_000]) {
    nowMs += movedMs
    await read(first)
  }
  const state = await stateOf(first)
  await read(createLedger({ limit: 9, idleMs: 60_000 }, { clock, log }, state))
  t.same(orders, [1_010_000, 1_010_001, 1_010_002, 1_010_003])
})
