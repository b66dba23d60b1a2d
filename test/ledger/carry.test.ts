import t from 'tap'
import { renderValue } from '../../src/formats/prometheus-text.js'
import { differenceOf } from '../../src/http/snapshot-json.js'
import { offsetOf } from '../../src/ledger/carry.js'
import { createLedger, type Ledger } from '../../src/ledger/ledger.js'
import { snapshotOf } from '../../src/ledger/snapshot.js'
import { parseState, renderBatch, renderState, type State } from '../../src/ledger/state.js'
import { CART, createModelIdentity, STOCK } from './identity-model.js'
import { createKernel, createReader } from './kernel-model.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const [cart, stock, other] = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
const HERE = { local: 'yes', covered: 'yes' } as const
const IDLE_MS = 60_000

/** A ledger over one table after another, since what one counts is a number as well. */
function setUp() {
  let nowMs = 1_000_000
  let tables = 0
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const identity = createModelIdentity(
    new Map([
      [cart, { who: CART, ...HERE }],
      [stock, { who: STOCK, ...HERE }],
      [other, { who: STOCK, local: 'no', covered: 'yes' }],
    ]),
  )
  const kernel = createKernel()
  const create = (state?: State): Ledger => createLedger({ limit: 9, idleMs: IDLE_MS }, { clock, log }, state)
  /** As on disk: a checkpoint, and the decisions since. */
  let lines = ''
  return {
    create,
    pass: (ms: number) => {
      nowMs += ms
    },
    announce(ledger: Ledger) {
      const epoch = `e${++tables}`
      ledger.announce(epoch)
      kernel.create(epoch, nowMs)
    },
    send: (source: string, destination: string, bytes: number) => kernel.send({ source, destination, bytes, path: 'plain' }, false),
    async read(ledger: Ledger) {
      nowMs += 10_000
      await ledger.post(createReader(kernel, 1).read(nowMs, 0), identity)
      const decided = ledger.take()
      if (decided.kind === 'checkpoint') lines = [...renderState(await ledger.state())].join('')
      if (decided.kind === 'batch') lines += renderBatch(decided.batch)
    },
    /** Another process, after this one was killed. */
    kill: async () => create((await parseState(Buffer.from(lines), async () => undefined)).state),
    look(ledger: Ledger) {
      const { books, families } = snapshotOf(
        ledger,
        { limit: 9, zeroFirstMs: 0, prices: {} },
        { atMs: nowMs, monotonicMs: nowMs, coverage: undefined },
      )
      const of = (name: string) => [...(families.find(({ family }) => family.name === name)?.series ?? [])].map(({ value }) => value)
      return {
        difference: differenceOf(books),
        posted: of('meshtoll_flow_posted_bytes_total'),
        flows: of('meshtoll_flow_bytes_total').filter((value) => value > 0),
        zones: of('meshtoll_zone_bytes_total').filter((value) => value > 0),
        elsewhere: of('meshtoll_flow_elsewhere_bytes_total'),
      }
    },
  }
}

t.test('beyond 2^53 nothing is lost, drifts apart or falls', async (t) => {
  const { create, announce, send, read, kill, look } = setUp()
  let ledger = create()
  let posted = 0n
  let elsewhere = 0n
  let before = 0
  for (let table = 0; table < 6; table++) {
    announce(ledger)
    for (let reading = 0; reading < 5; reading++) {
      for (const bytes of [2 ** 50 + 1, 3, 5, 7]) {
        send(cart, stock, bytes)
        send(other, stock, bytes + 2)
        posted += BigInt(bytes)
        elsewhere += BigInt(bytes + 2)
        await read(ledger)
      }
      if (reading % 2 === 0) {
        ledger = await kill()
        await read(ledger)
      }
      const served = look(ledger)
      const [sent, there] = [Number(posted), Number(elsewhere)]
      t.same(served, { difference: 0, posted: [sent], flows: [sent], zones: [sent], elsewhere: [there] }, `${table}: ${renderValue(sent)}`)
      t.ok(sent >= before)
      before = sent
    }
  }
  t.ok(posted > 2n ** 54n)
})

for (const isKilled of [false, true])
  t.test(`a series that was withdrawn begins at 0, whatever it was${isKilled ? ', also to another process' : ''}`, async (t) => {
    const { create, announce, send, read, pass, kill, look } = setUp()
    let ledger = create()
    announce(ledger)
    send(cart, stock, 2 ** 51 + 1)
    await read(ledger)
    pass(2 * IDLE_MS)
    await read(ledger)
    t.same(look(ledger).flows, [])
    if (isKilled) ledger = await kill()
    send(cart, stock, 9)
    await read(ledger)
    t.same(look(ledger).flows, [9])
    t.same(look(ledger).zones, [2 ** 51 + 10])
  })

t.test('what waits when its table goes is handed over whole', async (t) => {
  const { create, announce, send, read, look } = setUp()
  const ledger = create()
  announce(ledger)
  send('10.0.0.9', stock, 2 ** 51 + 1)
  await read(ledger)
  announce(ledger)
  await read(ledger)
  t.match(look(ledger), { difference: 0, elsewhere: [2 ** 51 + 1] })
})

t.test('no total falls by what it is written down as', async (t) => {
  const held = [0, 7, 2 ** 52 + 1, 2 ** 53 + 2, 2 ** 53 + 4, 2 ** 54 + 4, 2 ** 55 + 8]
  for (const kernel of held)
    for (const total of [0, 1, 2, 3, 5, 2 ** 49 + 1]) {
      const again = offsetOf(total, kernel) + kernel
      t.ok(again >= total && again - total <= (kernel < 2 ** 53 ? 0 : kernel / 2 ** 51), `${total} of ${kernel}: ${again}`)
    }
})
